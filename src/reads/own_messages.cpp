#include "reads/own_messages.hpp"

#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"
#include "pg/identity.hpp"

namespace chatopt::reads {
namespace {

// One chat's plan is kept: a session asks about one chat.
struct Kept {
  Oid messages;
  uint64 generation;
  SPIPlanPtr plan;
};
constinit Kept kept = {InvalidOid, 0, nullptr};

const char* query(const counters::Chat& chat, const counters::Source& source, const char* not_purged) {
  return psprintf("SELECT count(*) FROM %s AS new WHERE %s = $1 AND %s = $2 AND %s > $3 AND (%s)%s",
                  counters::qualified_name(chat.messages), counters::quoted_column(chat.messages, source.conversation),
                  counters::quoted_column(chat.messages, source.sender),
                  counters::quoted_column(chat.messages, source.number),
                  counters::counted_condition(chat.messages, "new"), not_purged);
}

SPIPlanPtr prepare(const counters::Chat& chat, const Reads& reads, const char* not_purged) {
  const counters::Source& source = *counters::source_of(chat.messages);
  Oid types[] = {reads.conversation_type.type, reads.member_type.type, INT8OID};
  SPIPlanPtr plan = SPI_prepare(query(chat, source, not_purged), lengthof(types), types);
  if (plan == nullptr) elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
  return plan;
}

SPIPlanPtr plan_for(const Reads& reads) {
  const counters::Chat& chat = *reads.chat;
  // While a partition is being purged each call has a query of its own.
  const char* not_purged = counters::purged_condition(chat, "new", GetActiveSnapshot());
  if (*not_purged != '\0') return prepare(chat, reads, not_purged);
  if (kept.plan != nullptr && kept.messages == chat.messages && kept.generation == counters::cache_generation())
    return kept.plan;
  SPIPlanPtr plan = prepare(chat, reads, "");
  if (SPI_keepplan(plan) != 0) elog(ERROR, "SPI_keepplan failed");
  if (kept.plan != nullptr) (void)SPI_freeplan(kept.plan);
  kept = {chat.messages, counters::cache_generation(), plan};
  return plan;
}

}  // namespace

int64 count_own_messages(const Reads& reads, const StateKey& key, int64 after) {
  const pg::Identity before = pg::become_owner(reads.chat->owner);
  SPI_connect();
  Datum values[] = {key.conversation, key.member, Int64GetDatum(after)};
  if (SPI_execute_plan(plan_for(reads), values, nullptr, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
    elog(ERROR, "count of own messages failed");
  bool null;
  const int64 count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null));
  SPI_finish();
  pg::become(before);
  return count;
}

}  // namespace chatopt::reads
