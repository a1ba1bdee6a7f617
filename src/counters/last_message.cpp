#include "counters/last_message.hpp"

#include <cstring>

#include "counters/location.hpp"
#include "counters/purge_mark.hpp"
#include "pg/identity.hpp"

namespace chatopt::counters {
namespace {

// Key and time of a row that landed in this statement, from the row itself.
LastMessage from_row(const Chat& chat, core::RowLocation row) {
  LastMessage last = {};
  last.known = true;
  const Source& source = *source_of(row.relation);
  Relation relation = table_open(row.relation, AccessShareLock);
  TupleTableSlot* slot = table_slot_create(relation, nullptr);
  ItemPointerData place = place_of(row);
  // Any version will do: it is the one that landed.
  if (!table_tuple_fetch_row_version(relation, &place, SnapshotAny, slot))
    elog(ERROR, "message that landed in table \"%s\" is gone", RelationGetRelationName(relation));
  const Datum id = slot_getattr(slot, source.key, &last.id_null);
  if (!last.id_null && chat.last_message_id != 0)
    last.id = datumCopy(id, chat.last_message_id_type.by_value, chat.last_message_id_type.length);
  last.at_null = true;
  if (source.time != 0) {
    const Datum at = slot_getattr(slot, source.time, &last.at_null);
    if (!last.at_null && chat.last_message_at != 0)
      last.at = datumCopy(at, chat.last_message_at_type.by_value, chat.last_message_at_type.length);
  }
  ExecDropSingleTupleTableSlot(slot);
  table_close(relation, NoLock);
  return last;
}

LastMessage from_notes(const Chat& chat, const core::Greatest& message) {
  if (message.row.known()) return from_row(chat, message.row);
  LastMessage last = {};
  last.known = true;
  last.id_null = chat.last_message_id == 0 || message.key.null();
  if (!last.id_null) last.id = pg::datum_of(message.key.bytes(), chat.last_message_id_type);
  last.at_null = chat.last_message_at == 0 || message.time.null();
  if (!last.at_null) last.at = pg::datum_of(message.time.bytes(), chat.last_message_at_type);
  return last;
}

bool is_stored(TupleTableSlot* row, AttrNumber column, const core::Image& image, const pg::ValueType& type) {
  if (column == 0) return true;
  bool null;
  Datum stored = slot_getattr(row, column, &null);
  if (null || image.null()) return null && image.null();
  const core::Bytes bytes = pg::image_of(&stored, type);
  return bytes.size() == image.bytes().size() && std::memcmp(bytes.data(), image.bytes().data(), bytes.size()) == 0;
}

// Was this message the one the row names as last? By key and time: the key of a
// partitioned table need not be unique by itself.
bool is_stored_last(const Chat& chat, const core::Greatest& message, TupleTableSlot* row) {
  return is_stored(row, chat.last_message_id, message.key, chat.last_message_id_type) &&
         is_stored(row, chat.last_message_at, message.time, chat.last_message_at_type);
}

SPIPlanPtr prepare(const Chat& chat) {
  const Source& source = *source_of(chat.messages);
  StringInfoData sql;
  initStringInfo(&sql);
  const auto column = [&](AttrNumber attribute) {
    return quote_identifier(get_attname(chat.messages, attribute, false));
  };
  appendStringInfo(&sql, "SELECT %s, %s FROM %s AS new WHERE %s = $1 AND %s IS NOT NULL AND %s%s ORDER BY %s DESC LIMIT 1",
                   column(source.key), source.time == 0 ? "NULL" : column(source.time),
                   quote_qualified_identifier(get_namespace_name(get_rel_namespace(chat.messages)),
                                              get_rel_name(chat.messages)),
                   column(source.conversation), column(source.number), counted_condition(chat.messages, "new"),
                   purged_condition_now(chat, "new"), column(source.number));
  Oid type = source.conversation_type.type;
  SPIPlanPtr plan = SPI_prepare(sql.data, 1, &type);
  if (plan == nullptr) elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
  return plan;
}

}  // namespace

LastMessage query_last_message(const Chat& chat, core::Bytes conversation) {
  MemoryContext caller = CurrentMemoryContext;
  const pg::Identity before = pg::become_owner(chat.owner);
  SPI_connect();
  // A plan of the chat's own would be void with the chat; preparing is cheap beside losing the last message.
  Datum key = pg::datum_of(conversation, source_of(chat.messages)->conversation_type);
  const int result = SPI_execute_plan(prepare(chat), &key, nullptr, false, 1);
  if (result != SPI_OK_SELECT) elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
  LastMessage last = {};
  last.known = true;
  last.id_null = last.at_null = true;
  if (SPI_processed == 1) {
    HeapTuple tuple = SPI_tuptable->vals[0];
    TupleDesc descriptor = SPI_tuptable->tupdesc;
    last.id = SPI_getbinval(tuple, descriptor, 1, &last.id_null);
    last.at = SPI_getbinval(tuple, descriptor, 2, &last.at_null);
    MemoryContext spi = MemoryContextSwitchTo(caller);
    if (!last.id_null && chat.last_message_id != 0)
      last.id = datumCopy(last.id, chat.last_message_id_type.by_value, chat.last_message_id_type.length);
    if (!last.at_null && chat.last_message_at != 0)
      last.at = datumCopy(last.at, chat.last_message_at_type.by_value, chat.last_message_at_type.length);
    MemoryContextSwitchTo(spi);
  }
  SPI_finish();
  pg::become(before);
  return last;
}

LastMessage last_message_after(const Chat& chat, const core::Counter& counter, TupleTableSlot* row,
                               int64 stored_last) {
  const core::Greatest& came = counter.notes().came;
  const core::Greatest& went = counter.notes().went;
  if (counter.notes().unsure && (went.number > 0 || came.number <= stored_last))
    return query_last_message(chat, counter.key());
  if (came.number > stored_last) return from_notes(chat, came);  // newer than any before
  if (went.number > 0 && is_stored_last(chat, went, row)) {
    // The last one went, or changed. What came at or above its number is the new
    // last; by the time alone it cannot be told apart from another one.
    if (chat.last_message_id != 0 && came.number >= went.number) return from_notes(chat, came);
    return query_last_message(chat, counter.key());
  }
  return {};
}

}  // namespace chatopt::counters
