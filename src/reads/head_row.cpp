#include "reads/head_row.hpp"

#include "pg/row_finder.hpp"
#include "pg/row_writer.hpp"

namespace chatopt::reads {
namespace {

void read_head(TupleTableSlot* slot, Head* head) {
  bool null;
  head->next_slot = DatumGetInt32(slot_getattr(slot, head::kNextSlot, &null));
  head->members = DatumGetInt32(slot_getattr(slot, head::kMembers, &null));
  const Datum stored = slot_getattr(slot, head::kFilledUpto, &null);
  const int64 upto = null ? 0 : DatumGetInt64(stored);
  head->mentions_left = upto < 0;
  head->filled = null || head->mentions_left;
  head->filled_upto = head->mentions_left ? -1 - upto : upto;
  head->place = slot->tts_tid;
}

bool has_more_to_fill(const Head& head) { return !head.filled || head.mentions_left; }

// As it is stored; where only mentions are left, numbers below 0.
int64 stored_upto(const Head& head) { return head.mentions_left ? -1 - head.filled_upto : head.filled_upto; }

}  // namespace

bool find_head(const Reads& reads, Datum conversation, Head* head) {
  Relation table = table_open(reads.read_heads, RowExclusiveLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const bool found = pg::find_row(reads.head, table, &conversation, slot);
  if (found) read_head(slot, head);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  return found;
}

bool find_head_seen(const Reads& reads, Datum conversation, Snapshot snapshot, Head* head) {
  Relation table = table_open(reads.read_heads, AccessShareLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const bool found = pg::find_row_seen(reads.head, table, &conversation, snapshot, slot);
  if (found) read_head(slot, head);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  return found;
}

void insert_head(const Reads& reads, Datum conversation, Head* head) {
  Relation table = table_open(reads.read_heads, RowExclusiveLock);
  pg::RowWriter writer = pg::open_writer(table);
  pg::RowValues row = pg::new_row(table);
  row.set(head::kConversation, conversation);
  row.set(head::kNextSlot, Int32GetDatum(head->next_slot));
  row.set(head::kMembers, Int32GetDatum(head->members));
  if (has_more_to_fill(*head)) row.set(head::kFilledUpto, Int64GetDatum(stored_upto(*head)));
  pg::insert_row(&writer, row);
  head->place = writer.slot->tts_tid;
  pg::close_writer(&writer);
  table_close(table, NoLock);
  CommandCounterIncrement();
}

void write_head(const Reads& reads, Datum conversation, const Head& head) {
  Relation table = table_open(reads.read_heads, RowExclusiveLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  pg::RowWriter writer = pg::open_writer(table);
  const pg::ColumnValue values[] = {{head::kNextSlot, Int32GetDatum(head.next_slot), false},
                                    {head::kMembers, Int32GetDatum(head.members), false},
                                    {head::kFilledUpto, Int64GetDatum(stored_upto(head)), !has_more_to_fill(head)}};
  ItemPointerData place;
  if (!pg::find_row(reads.head, table, &conversation, slot) ||
      (place = slot->tts_tid, !pg::write_row(&writer, &place, values, lengthof(values), slot)))
    elog(ERROR, "head of a conversation in table \"%s\" was changed under its lock", RelationGetRelationName(table));
  pg::close_writer(&writer);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  CommandCounterIncrement();
}

}  // namespace chatopt::reads
