#include "reads/filling.hpp"

#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"
#include "pg/row_finder.hpp"
#include "pg/row_writer.hpp"
#include "reads/head_row.hpp"
#include "reads/mentioning.hpp"
#include "reads/settling.hpp"
#include "reads/skip_ranges.hpp"
#include "reads/skip_rows.hpp"

namespace chatopt::reads {
namespace {

using counters::Step;

// From which both queries of unfilled conversations take.
const char* unfilled_from(const counters::Chat& chat) {
  return psprintf(
      "FROM %s AS c LEFT JOIN %s AS h ON h.conversation_id = c.%s WHERE c.%s IS NOT NULL AND (h.conversation_id IS "
      "NULL OR h.filled_upto IS NOT NULL)",
      counters::qualified_name(chat.counters), counters::qualified_name(chat.reads->read_heads),
      counters::quoted_column(chat.counters, chat.key),
      counters::quoted_column(chat.counters, chat.last_sequence_number));
}

// A restart: what is there was kept of who knows what.
void clear_skips(const Reads& reads, Datum conversation) {
  Relation table = table_open(reads.skipped_numbers, RowExclusiveLock);
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  pg::RowScan scan = pg::begin_scan(reads.skipped, table, &conversation, 1, snapshot);
  while (pg::next_row(&scan))
    if (!pg::delete_row(table, scan.slot))
      elog(ERROR, "row of table \"%s\" was changed under its lock", RelationGetRelationName(table));
  pg::end_scan(&scan);
  UnregisterSnapshot(snapshot);
  table_close(table, NoLock);
  CommandCounterIncrement();
}

// The next messages after a number, at most so many.
SPITupleTable* next_messages(const Reads& reads, Datum conversation, int64 after, int64 last, int64 most,
                             uint64* count) {
  const counters::Chat& chat = *reads.chat;
  const counters::Source& source = *counters::source_of(chat.messages);
  const char* number = counters::quoted_column(chat.messages, source.number);
  const char* sql = psprintf(
      "SELECT new.%s::bigint, (%s) AS counted FROM %s AS new WHERE new.%s = $1 AND new.%s > $2 AND new.%s <= $3%s "
      "ORDER BY new.%s LIMIT $4",
      number, counters::counted_condition(chat.messages, "new"), counters::qualified_name(chat.messages),
      counters::quoted_column(chat.messages, source.conversation), number, number,
      counters::purged_condition_now(chat, "new"), number);
  Oid types[] = {reads.conversation_type.type, INT8OID, INT8OID, INT8OID};
  Datum values[] = {conversation, Int64GetDatum(after), Int64GetDatum(last), Int64GetDatum(most)};
  if (SPI_execute_with_args(sql, lengthof(types), types, values, nullptr, false, 0) != SPI_OK_SELECT)
    elog(ERROR, "query of messages failed");
  *count = SPI_processed;
  return SPI_tuptable;
}

// Writes the skipped numbers after one; up to which.
int64 fill_skips(const Reads& reads, Datum conversation, int64 after, int64 last, int64 most) {
  uint64 count;
  SPITupleTable* rows = next_messages(reads, conversation, after, last, most, &count);
  MessageRanges messages = {{}, after + 1};
  for (uint64 i = 0; i < count; ++i) {
    bool null;
    const int64 number = DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &null));
    const bool counted = DatumGetBool(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &null)) && !null;
    add_message(&messages, number, counted);
  }
  SPI_freetuptable(rows);
  const bool through = count < static_cast<uint64>(most);
  if (through) end_messages(&messages, last);
  if (messages.skipped.count > 0) {
    SkipStore store(reads, conversation);
    core::skip_apply(store, last, std::span<const core::SkipChange>(messages.skipped.ranges, messages.skipped.count));
    store.close();
  }
  return through ? last : messages.next - 1;
}

// Up to which number there are so many messages after one; last where there are fewer.
int64 end_of_batch(const Reads& reads, Datum conversation, int64 after, int64 last, int64 most) {
  uint64 count;
  SPITupleTable* rows = next_messages(reads, conversation, after, last, most, &count);
  int64 upto = last;
  bool null;
  if (count == static_cast<uint64>(most))
    upto = DatumGetInt64(SPI_getbinval(rows->vals[count - 1], rows->tupdesc, 1, &null));
  SPI_freetuptable(rows);
  return upto;
}

// Whom the messages of a batch mention; no number is left out.
void fill_mentions(const Reads& reads, Datum conversation, int64 after, int64 upto, bool through) {
  if (OidIsValid(reads.mentions))
    compare_mentions(reads, conversation, after == 0 ? PG_INT64_MIN : after + 1, through ? PG_INT64_MAX : upto);
}

// A conversation in which everything else is exact.
Step fill_only_mentions(const Reads& reads, Datum conversation, int64 last, counters::FillBatch* batch, Head* head) {
  const int64 after = Min(head->filled_upto, last);
  head->filled_upto = end_of_batch(reads, conversation, after, last, batch->size);
  head->mentions_left = head->filled_upto < last;
  fill_mentions(reads, conversation, after, head->filled_upto, !head->mentions_left);
  write_head(reads, conversation, *head);
  batch->done = head->filled_upto - after;
  return head->mentions_left ? Step::kMore : Step::kDone;
}

}  // namespace

const char* unfilled_conversations(const counters::Chat& chat) {
  const char* key = counters::quoted_column(chat.counters, chat.key);
  return psprintf("SELECT c.%s %s AND ($1 IS NULL OR c.%s > $1) ORDER BY c.%s", key, unfilled_from(chat), key, key);
}

const char* unfilled_numbers(const counters::Chat& chat) {
  return psprintf("SELECT coalesce(sum(greatest(c.%s - coalesce(CASE WHEN h.filled_upto < 0 THEN -1 - h.filled_upto "
                  "ELSE h.filled_upto END, 0), 0)), 0)::bigint %s",
                  counters::quoted_column(chat.counters, chat.last_sequence_number), unfilled_from(chat));
}

const char* stray_conversations(const counters::Chat& chat) {
  const Reads& reads = *chat.reads;
  StringInfoData sql;
  initStringInfo(&sql);
  const char* separator = "";
  for (const Oid table :
       {reads.read_state, reads.read_marks, reads.skipped_numbers, reads.read_heads, reads.mentions}) {
    if (!OidIsValid(table)) continue;
    appendStringInfo(&sql,
                     "%sSELECT s.conversation_id FROM %s AS s WHERE ($1 IS NULL OR s.conversation_id > $1) AND NOT "
                     "EXISTS (SELECT FROM %s AS c WHERE c.%s = s.conversation_id)",
                     separator, counters::qualified_name(table), counters::qualified_name(chat.counters),
                     counters::quoted_column(chat.counters, chat.key));
    separator = " UNION ";
  }
  appendStringInfoString(&sql, " ORDER BY 1");
  return sql.data;
}

Step fill(const counters::Chat& chat, Datum conversation, int64 last, counters::FillBatch* batch) {
  const Reads& reads = *chat.reads;
  Head head = {};
  const bool found = find_head(reads, conversation, &head);
  if (head.mentions_left && !batch->again) return fill_only_mentions(reads, conversation, last, batch, &head);
  if (head.filled && !batch->again) return Step::kDone;
  head.mentions_left = false;
  if (batch->again || head.filled_upto > last) head.filled_upto = 0;
  const int64 after = head.filled_upto;
  if (after == 0) clear_skips(reads, conversation);
  head.filled_upto = fill_skips(reads, conversation, after, last, batch->size);
  head.filled = head.filled_upto == last;
  fill_mentions(reads, conversation, after, head.filled_upto, head.filled);
  if (!read_own_of(reads, conversation, after, head.filled_upto)) return Step::kBusy;
  if (head.filled && !settle(reads, conversation, last, &head)) return Step::kBusy;
  if (found)
    write_head(reads, conversation, head);
  else
    insert_head(reads, conversation, &head);
  batch->done = head.filled_upto - after;
  return head.filled ? Step::kDone : Step::kMore;
}

}  // namespace chatopt::reads
