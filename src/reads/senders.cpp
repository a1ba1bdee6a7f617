#include "reads/senders.hpp"

#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"

namespace chatopt::reads {
namespace {

// One chat's plan is kept: a session asks about one chat.
struct Kept {
  Oid messages;
  uint64 generation;
  SPIPlanPtr plan;
};
constinit Kept kept = {InvalidOid, 0, nullptr};

const char* query(const Reads& reads, const counters::Source& source) {
  const Oid messages = reads.chat->messages;
  const char* number = counters::quoted_column(messages, source.number);
  return psprintf(
      "SELECT %s::pg_catalog.int8, %s FROM %s WHERE %s %s $1 AND %s OPERATOR(pg_catalog.>=) $2 AND %s "
      "OPERATOR(pg_catalog.<=) $3",
      number, counters::quoted_column(messages, source.sender), counters::qualified_name(messages),
      counters::quoted_column(messages, source.conversation), equality_operator(reads.conversation_type.type), number,
      number);
}

SPIPlanPtr plan_for(const Reads& reads) {
  const Oid messages = reads.chat->messages;
  if (kept.plan != nullptr && kept.messages == messages && kept.generation == counters::cache_generation())
    return kept.plan;
  const counters::Source& source = *counters::source_of(messages);
  Oid types[] = {reads.conversation_type.type, INT8OID, INT8OID};
  SPIPlanPtr plan = SPI_prepare(query(reads, source), lengthof(types), types);
  if (plan == nullptr || SPI_keepplan(plan) != 0)
    elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
  if (kept.plan != nullptr) (void)SPI_freeplan(kept.plan);
  kept = {messages, counters::cache_generation(), plan};
  return plan;
}

}  // namespace

const char* equality_operator(Oid type) {
  return counters::type_operator(type, counters::OrderOperator::kEqual);
}

void find_senders(const Reads& reads, Datum conversation, int64 from, int64 upto, People* people, int32* senders) {
  for (int64 i = 0; i <= upto - from; ++i) senders[i] = kNoMessage;
  SPI_connect();
  Datum values[] = {conversation, Int64GetDatum(from), Int64GetDatum(upto)};
  if (SPI_execute_plan(plan_for(reads), values, nullptr, true, 0) != SPI_OK_SELECT)
    elog(ERROR, "query of messages failed");
  SPITupleTable* rows = SPI_tuptable;
  for (uint64 i = 0; i < SPI_processed; ++i) {
    bool null;
    const int64 number = DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &null));
    const Datum sender = SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &null);
    senders[number - from] = null ? core::kNobody : people->add(sender);
  }
  SPI_finish();
}

}  // namespace chatopt::reads
