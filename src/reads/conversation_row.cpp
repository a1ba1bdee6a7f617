#include "reads/conversation_row.hpp"

#include "pg/row_finder.hpp"

namespace chatopt::reads {
namespace {

int64 integer_at(TupleTableSlot* slot, AttrNumber column, bool* null) {
  const Datum value = slot_getattr(slot, column, null);
  if (*null) return 0;
  return TupleDescAttr(slot->tts_tupleDescriptor, column - 1)->atttypid == INT4OID ? DatumGetInt32(value)
                                                                                     : DatumGetInt64(value);
}

}  // namespace

bool newest_last_number(const counters::Chat& chat, Datum conversation, int64* last) {
  Relation table = table_open(chat.counters, AccessShareLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  bool null = true;
  if (pg::find_row(chat.finder, table, &conversation, slot)) *last = integer_at(slot, chat.last_sequence_number, &null);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  return !null;
}

bool find_conversation(const counters::Chat& chat, Relation table, Datum conversation, Snapshot snapshot,
                       TupleTableSlot* slot, ConversationRow* row) {
  if (!pg::find_row_seen(chat.finder, table, &conversation, snapshot, slot)) return false;
  bool null;
  row->last = integer_at(slot, chat.last_sequence_number, &null);
  if (null) return false;
  row->messages = integer_at(slot, chat.message_count, &null);
  return !null;
}

}  // namespace chatopt::reads
