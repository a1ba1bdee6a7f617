#include "counters/stored_messages.hpp"

#include "counters/last_message.hpp"
#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"
#include "counters/row.hpp"
#include "pg/row_writer.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {
namespace {

enum class Numbered { kYes, kNoLonger, kBusy };

int64 single_integer(const char* sql, const Chat& chat, Datum key, int64 if_none) {
  Oid type = chat.key_type.type;
  if (SPI_execute_with_args(sql, 1, &type, &key, nullptr, false, 1) != SPI_OK_SELECT) elog(ERROR, "query failed");
  if (SPI_processed == 0) return if_none;
  bool null;
  const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
  const int64 result = null ? if_none : DatumGetInt64(value);
  SPI_freetuptable(SPI_tuptable);
  return result;
}

// Locks the newest version of a row, without waiting.
TM_Result lock_row(Relation relation, ItemPointerData tid, TupleTableSlot* slot) {
  TM_FailureData failure;
  return table_tuple_lock(relation, &tid, GetActiveSnapshot(), slot, GetCurrentCommandId(true),
                          LockTupleNoKeyExclusive, LockWaitSkip, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
}

// Gives one row its number, where it still has none and nobody holds it.
Numbered number_row(const Chat& chat, pg::RowWriter* writer, const Place& place, int64 number, TupleTableSlot* slot) {
  const TM_Result locked = lock_row(writer->relation, place.tid, slot);
  if (locked == TM_WouldBlock) return Numbered::kBusy;
  if (locked != TM_Ok) return Numbered::kNoLonger;
  const Source& source = *source_of(writer->relation);
  bool null;
  (void)slot_getattr(slot, source.number, &null);
  if (!null) return Numbered::kNoLonger;
  if (source.number_is_int4 && number > PG_INT32_MAX)
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("integer out of range"),
                    errdetail("Sequence number column of table \"%s\" cannot hold %lld.",
                              get_rel_name(chat.messages), static_cast<long long>(number)),
                    errhint("Change the column's type to bigint.")));
  const pg::ColumnValue value = {source.number,
                             source.number_is_int4 ? Int32GetDatum(static_cast<int32>(number)) : Int64GetDatum(number),
                             false};
  ItemPointerData tid = slot->tts_tid;
  return pg::write_row(writer, &tid, &value, 1, slot) ? Numbered::kYes : Numbered::kBusy;
}

// A table whose rows are being visited; consecutive rows are mostly of one.
struct Visited {
  pg::RowWriter writer;
  TupleTableSlot* slot;
};

void open_visited(Visited* visited, Oid relation) {
  Relation table = table_open(relation, RowExclusiveLock);
  visited->writer = pg::open_checked_writer(table, source_of(table)->number);
  visited->slot = table_slot_create(visited->writer.relation, nullptr);
}

void close_visited(Visited* visited) {
  if (visited->slot == nullptr) return;
  ExecDropSingleTupleTableSlot(visited->slot);
  pg::close_writer(&visited->writer);
  table_close(visited->writer.relation, NoLock);
}

// Runs body(writer, place, slot) for each row of a query's result while it is true.
template <class Body>
bool for_each_row(SPITupleTable* rows, uint64 count, Body&& body) {
  Visited visited = {};
  bool through = true;
  for (uint64 i = 0; i < count && through; ++i) {
    bool null;
    Place place;
    place.relation = DatumGetObjectId(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &null));
    place.tid = *reinterpret_cast<ItemPointer>(DatumGetPointer(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &null)));
    if (visited.slot == nullptr || RelationGetRelid(visited.writer.relation) != place.relation) {
      close_visited(&visited);
      open_visited(&visited, place.relation);
    }
    through = body(&visited.writer, place, visited.slot);
    ExecClearTuple(visited.slot);
    CHECK_FOR_INTERRUPTS();
  }
  close_visited(&visited);
  return through;
}

}  // namespace

const char* unnumbered(const Chat& chat, const char* columns, const char* rest) {
  const Source& source = *source_of(chat.messages);
  return psprintf("SELECT %s FROM %s AS new WHERE new.%s = $1 AND new.%s IS NULL %s", columns,
                  qualified_name(chat.messages), quoted_column(chat.messages, source.conversation),
                  quoted_column(chat.messages, source.number), rest);
}

const char* in_order(const Chat& chat) {
  const Source& source = *source_of(chat.messages);
  const char* key = quoted_column(chat.messages, source.key);
  return source.time == 0 ? psprintf("ORDER BY new.%s", key)
                          : psprintf("ORDER BY new.%s, new.%s", quoted_column(chat.messages, source.time), key);
}

int64 count_unnumbered(const Chat& chat, Datum key, int64 limit) {
  const char* some = unnumbered(chat, "1", psprintf("LIMIT %lld", static_cast<long long>(limit)));
  return single_integer(psprintf("SELECT count(*) FROM (%s) AS few", some), chat, key, 0);
}

int64 greatest_number(const Chat& chat, Datum key) {
  const Source& source = *source_of(chat.messages);
  const char* number = quoted_column(chat.messages, source.number);
  return single_integer(
      psprintf("SELECT new.%s::bigint FROM %s AS new WHERE new.%s = $1 AND new.%s IS NOT NULL ORDER BY new.%s DESC "
               "LIMIT 1",
               number, qualified_name(chat.messages), quoted_column(chat.messages, source.conversation), number, number),
      chat, key, 0);
}

void number_rows(const Chat& chat, SPITupleTable* rows, uint64 count, int64* next) {
  (void)for_each_row(rows, count, [&](pg::RowWriter* writer, const Place& place, TupleTableSlot* slot) {
    if (number_row(chat, writer, place, *next, slot) == Numbered::kYes) ++*next;
    return true;
  });
}

bool lock_rows(SPITupleTable* rows, uint64 count, Place* busy) {
  return for_each_row(rows, count, [&](pg::RowWriter* writer, const Place& place, TupleTableSlot* slot) {
    if (lock_row(writer->relation, place.tid, slot) != TM_WouldBlock) return true;
    *busy = place;
    return false;
  });
}

bool is_busy(Place* place) {
  if (!OidIsValid(place->relation)) return false;
  Relation relation = try_relation_open(place->relation, RowExclusiveLock);
  bool busy = false;
  if (relation != nullptr) {
    TupleTableSlot* slot = table_slot_create(relation, nullptr);
    if (ItemPointerGetBlockNumber(&place->tid) < RelationGetNumberOfBlocks(relation))
      busy = lock_row(relation, place->tid, slot) == TM_WouldBlock;
    ExecDropSingleTupleTableSlot(slot);
    relation_close(relation, NoLock);
  }
  if (!busy) place->relation = InvalidOid;
  return busy;
}

void clear_duplicates(const Chat& chat, Datum key) {
  const Source& source = *source_of(chat.messages);
  const char* number = quoted_column(chat.messages, source.number);
  const char* sql = psprintf(
      "SELECT new.tableoid, new.ctid FROM (SELECT new.tableoid, new.ctid, row_number() OVER (PARTITION BY new.%s %s) AS "
      "place FROM %s AS new WHERE new.%s = $1 AND new.%s IS NOT NULL) AS new WHERE place > 1",
      number, in_order(chat), qualified_name(chat.messages), quoted_column(chat.messages, source.conversation), number);
  Oid type = chat.key_type.type;
  if (SPI_execute_with_args(sql, 1, &type, &key, nullptr, false, 0) != SPI_OK_SELECT) elog(ERROR, "query failed");
  (void)for_each_row(SPI_tuptable, SPI_processed, [](pg::RowWriter* writer, const Place& place, TupleTableSlot* slot) {
    ItemPointerData tid = place.tid;
    writer->checks = NIL;  // it gets its new number before anybody sees it
    const pg::ColumnValue none = {source_of(writer->relation)->number, Datum{0}, true};
    if (!table_tuple_fetch_row_version(writer->relation, &tid, SnapshotSelf, slot) ||
        !pg::write_row(writer, &tid, &none, 1, slot))
      ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                      errmsg("a message was changed while its duplicate number was taken back"),
                      errhint("Call the procedure again.")));
    return true;
  });
}

void recount(const Chat& chat, core::Ledger& ledger, core::Counter& counter, Datum key, int64 last) {
  const Source& source = *source_of(chat.messages);
  Recount count;
  count.last = last;
  count.messages = chat.message_count == 0
                       ? 0
                       : single_integer(psprintf("SELECT count(*) FROM %s AS new WHERE new.%s = $1 AND (%s)%s",
                                                 qualified_name(chat.messages),
                                                 quoted_column(chat.messages, source.conversation),
                                                 counted_condition(chat.messages, "new"),
                                                 purged_condition_now(chat, "new")),
                                        chat, key, 0);
  count.members = 0;
  if (chat.member_count != 0 && OidIsValid(chat.members))
    count.members = single_integer(
        psprintf("SELECT count(*) FROM %s AS new WHERE new.%s = $1 AND %s", qualified_name(chat.members),
                 quoted_column(chat.members, source_of(chat.members)->conversation),
                 counted_condition(chat.members, "new")),
        chat, key, 0);
  const LastMessage message = query_last_message(chat, counter.key());
  write_recount(chat, ledger, counter, count, message);
}

}  // namespace chatopt::counters
