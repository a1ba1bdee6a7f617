#include "reads/mentioning.hpp"

#include "counters/queries.hpp"
#include "pg/boundary.hpp"
#include "pg/identity.hpp"
#include "pg/row_finder.hpp"
#include "pg/row_writer.hpp"
#include "reads/mention_queries.hpp"

namespace chatopt::reads {
namespace {

// One chat's plans are kept: a session sends to one chat.
struct Kept {
  Oid messages;
  uint64 generation;
  SPIPlanPtr add;
  SPIPlanPtr drop;
};
constinit Kept kept = {InvalidOid, 0, nullptr, nullptr};

// Both take a conversation, a first and a last number.
const char* wanted(const Reads& reads) {
  const Oid messages = reads.chat->messages;
  const counters::Source& source = *counters::source_of(messages);
  const char* number = counters::quoted_column(messages, source.number);
  return mentions_wanted(reads, psprintf("new.%s = $1 AND new.%s >= $2 AND new.%s <= $3",
                                         counters::quoted_column(messages, source.conversation), number, number));
}

const char* query_to_add(const Reads& reads) {
  const char* table = counters::qualified_name(reads.mentions);
  return psprintf(
      "INSERT INTO %s (conversation_id, member_id, seq) %s EXCEPT SELECT conversation_id, member_id, seq FROM %s WHERE "
      "conversation_id = $1 AND seq >= $2 AND seq <= $3",
      table, wanted(reads), table);
}

const char* query_to_drop(const Reads& reads) {
  return psprintf(
      "DELETE FROM %s AS t WHERE t.conversation_id = $1 AND t.seq >= $2 AND t.seq <= $3 AND NOT EXISTS (SELECT FROM "
      "(%s) AS w WHERE w.seq = t.seq AND w.member_id = t.member_id)",
      counters::qualified_name(reads.mentions), wanted(reads));
}

SPIPlanPtr prepared(const Reads& reads, const char* sql) {
  Oid types[] = {reads.conversation_type.type, INT8OID, INT8OID};
  SPIPlanPtr plan = SPI_prepare(sql, lengthof(types), types);
  if (plan == nullptr || SPI_keepplan(plan) != 0)
    elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
  return plan;
}

// Prepared before the others are forgotten: that may fail.
const Kept& plans_of(const Reads& reads) {
  const Oid messages = reads.chat->messages;
  const uint64 generation = counters::cache_generation();
  if (kept.add != nullptr && kept.messages == messages && kept.generation == generation) return kept;
  const Kept fresh = {messages, generation, prepared(reads, query_to_add(reads)),
                      prepared(reads, query_to_drop(reads))};
  for (SPIPlanPtr plan : {kept.add, kept.drop})
    if (plan != nullptr) (void)SPI_freeplan(plan);
  kept = fresh;
  return kept;
}

void run(SPIPlanPtr plan, Datum conversation, int64 first, int64 last, int expected) {
  Datum values[] = {conversation, Int64GetDatum(first), Int64GetDatum(last)};
  if (SPI_execute_plan(plan, values, nullptr, false, 0) != expected) elog(ERROR, "query of mentions failed");
}

// only_new: there is nothing to take away, the numbers are new.
void compare(const Reads& reads, Datum conversation, int64 first, int64 last, bool only_new) {
  const pg::Identity before = pg::become_owner(reads.chat->owner);
  SPI_connect();
  const Kept plans = plans_of(reads);
  if (!only_new) run(plans.drop, conversation, first, last, SPI_OK_DELETE);
  run(plans.add, conversation, first, last, SPI_OK_INSERT);
  SPI_finish();
  pg::become(before);
}

// Mentions of messages that are gone.
void drop_mentions(const Reads& reads, Relation table, Datum conversation, int64 first, int64 last) {
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  pg::RowScan scan = pg::begin_scan_from(reads.mentions_by_number, table, &conversation, 1, first, snapshot);
  while (pg::next_row(&scan)) {
    bool null;
    if (DatumGetInt64(slot_getattr(scan.slot, mention::kNumber, &null)) > last) break;
    if (!pg::delete_row(table, scan.slot))
      elog(ERROR, "row of table \"%s\" was changed under its lock", RelationGetRelationName(table));
  }
  pg::end_scan(&scan);
  UnregisterSnapshot(snapshot);
}

struct Ranges {
  core::NumberRange* range;
  std::size_t count;
};

Ranges ranges_of(const core::NumberSet& numbers) {
  Ranges result = {static_cast<core::NumberRange*>(MemoryContextAllocHuge(
                       CurrentMemoryContext, (numbers.range_count() + 1) * sizeof(core::NumberRange))),
                   0};
  Ranges* const ranges = &result;
  pg::cpp_zone([&numbers, ranges] {
    numbers.for_each([ranges](int64 first, int64 last) { ranges->range[ranges->count++] = {first, last}; });
  });
  return result;
}

}  // namespace

void compare_mentions(const Reads& reads, Datum conversation, int64 first, int64 last) {
  compare(reads, conversation, first, last, false);
}

void write_mentions(const Reads& reads, Datum conversation, const core::TrackedNotes& notes, int64 stored_last) {
  const Ranges removed = ranges_of(notes.skips.removed);
  Relation table = table_open(reads.mentions, RowExclusiveLock);
  for (std::size_t i = 0; i < removed.count && removed.range[i].first <= stored_last; ++i)
    drop_mentions(reads, table, conversation, removed.range[i].first, removed.range[i].last);
  table_close(table, NoLock);
  pfree(removed.range);
  const Ranges changed = ranges_of(notes.mentioned);
  for (std::size_t i = 0; i < changed.count; ++i)
    compare(reads, conversation, changed.range[i].first, changed.range[i].last, changed.range[i].first > stored_last);
  pfree(changed.range);
}

}  // namespace chatopt::reads
