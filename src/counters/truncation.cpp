// BEFORE TRUNCATE of messages or members, or of one leaf of them. Numbers are
// never given again, so last_sequence_number stays.

#include "counters/follower.hpp"
#include "counters/ledgers.hpp"
#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"
#include "counters/row.hpp"
#include "pg/identity.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_messages_truncated);
PG_FUNCTION_INFO_V1(chatopt_members_truncated);
PGDLLEXPORT Datum chatopt_messages_truncated(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_members_truncated(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {

TriggerData* truncate_data(FunctionCallInfo fcinfo, const char* function) {
  auto* data = CALLED_AS_TRIGGER(fcinfo) ? reinterpret_cast<TriggerData*>(fcinfo->context) : nullptr;
  if (data == nullptr || !TRIGGER_FIRED_BY_TRUNCATE(data->tg_event) || !TRIGGER_FIRED_BEFORE(data->tg_event))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function \"%s\" must be fired BEFORE TRUNCATE", function)));
  return data;
}

// One line for each conversation that has something in the table: all that the counters need.
const char* messages_in(const Source& source, const char* table, const char* condition) {
  return psprintf(
      "SELECT %s, count(*) FILTER (WHERE counted), max(%s) FILTER (WHERE counted), "
      "(array_agg(%s ORDER BY %s DESC) FILTER (WHERE counted))[1], %s "
      "FROM (SELECT *, (%s) IS TRUE AS counted FROM %s AS new WHERE true%s) AS new WHERE %s IS NOT NULL AND %s IS NOT NULL "
      "GROUP BY %s",
      quoted_column(source.relation, source.conversation), quoted_column(source.relation, source.number),
      quoted_column(source.relation, source.key), quoted_column(source.relation, source.number),
      source.time == 0 ? "NULL"
                       : psprintf("(array_agg(%s ORDER BY %s DESC) FILTER (WHERE counted))[1]",
                                  quoted_column(source.relation, source.time),
                                  quoted_column(source.relation, source.number)),
      condition, table, purged_condition_now(*source.chat, "new"), quoted_column(source.relation, source.conversation),
      quoted_column(source.relation, source.number), quoted_column(source.relation, source.conversation));
}

const char* members_in(const Source& source, const char* table, const char* condition) {
  return psprintf("SELECT %s, count(*) FROM %s AS new WHERE (%s) AND %s IS NOT NULL GROUP BY %s",
                  quoted_column(source.relation, source.conversation), table, condition,
                  quoted_column(source.relation, source.conversation),
                  quoted_column(source.relation, source.conversation));
}

// Where reads are tracked, one line a message or member.
const char* each_message_in(const Source& source, const char* table, const char* condition) {
  const char* conversation = quoted_column(source.relation, source.conversation);
  const char* number = quoted_column(source.relation, source.number);
  return psprintf("SELECT %s, CASE WHEN (%s) IS TRUE THEN 1 ELSE 0 END::bigint, %s, %s, %s FROM %s AS new WHERE %s IS NOT NULL AND %s IS NOT "
                  "NULL%s ORDER BY %s, %s",
                  conversation, condition, number, quoted_column(source.relation, source.key),
                  source.time == 0 ? "NULL" : quoted_column(source.relation, source.time), table, conversation, number,
                  purged_condition_now(*source.chat, "new"), conversation, number);
}

const char* each_member_in(const Source& source, const char* table, const char* condition) {
  return psprintf("SELECT %s, 1::bigint, %s FROM %s AS new WHERE (%s) AND %s IS NOT NULL",
                  quoted_column(source.relation, source.conversation), quoted_column(source.relation, source.key), table,
                  condition, quoted_column(source.relation, source.conversation));
}

const char* query_for(const Source& source) {
  const char* table = qualified_name(source.relation);
  const char* condition = counted_condition(source.relation, "new");
  const bool each = source.chat->reads != nullptr;
  if (source.messages) return each ? each_message_in(source, table, condition) : messages_in(source, table, condition);
  return each ? each_member_in(source, table, condition) : members_in(source, table, condition);
}

void note_leaving(const Source& source, core::Ledger& ledger, core::Counter& counter, HeapTuple tuple,
                  TupleDesc descriptor) {
  bool null;
  Datum member = SPI_getbinval(tuple, descriptor, 3, &null);
  if (null) return;
  const core::Bytes image = pg::image_of(&member, source.key_type);
  pg::cpp_zone([&] { ledger.member_left(counter, image); });
}

// Notes one line of what the table is about to lose.
void note_loss(const Source& source, core::Ledger& ledger, HeapTuple tuple, TupleDesc descriptor) {
  bool null;
  Datum conversation = SPI_getbinval(tuple, descriptor, 1, &null);
  core::Counter& counter = counter_of(*source.chat, ledger, pg::image_of(&conversation, source.conversation_type));
  const int64 rows = DatumGetInt64(SPI_getbinval(tuple, descriptor, 2, &null));
  const bool each = source.chat->reads != nullptr;
  if (!source.messages) {
    if (source.chat->member_count != 0) pg::cpp_zone([&] { ledger.members_changed(counter, -rows); });
    if (each) note_leaving(source, ledger, counter, tuple, descriptor);
    return;
  }
  if (rows == 0 && !each) return;
  core::Message last = {};
  const Datum number = SPI_getbinval(tuple, descriptor, 3, &null);
  last.number = source.number_is_int4 ? DatumGetInt32(number) : DatumGetInt64(number);
  Datum key = SPI_getbinval(tuple, descriptor, 4, &null);
  if (!null) last.key = pg::image_of(&key, source.key_type);
  Datum time = SPI_getbinval(tuple, descriptor, 5, &last.time_null);
  if (!last.time_null) last.time = pg::image_of(&time, source.time_type);
  last.counted = rows > 0;
  pg::cpp_zone([&] {
    ledger.removed(counter, last);
    if (rows > 1) ledger.messages_changed(counter, 1 - rows);
  });
}

// Reads the table in portions: a TRUNCATE may take a large one.
void note_losses(const Source& source) {
  auto& ledger = counters::ledger();
  const pg::Identity before = pg::become_owner(source.chat->owner);
  SPI_connect();
  const char* sql = query_for(source);
  // TRUNCATE may have waited for writers since its snapshot was taken.
  PushActiveSnapshot(GetLatestSnapshot());
  Portal cursor = SPI_cursor_open_with_args(nullptr, sql, 0, nullptr, nullptr, nullptr, true, 0);
  for (SPI_cursor_fetch(cursor, true, 1000); SPI_processed > 0; SPI_cursor_fetch(cursor, true, 1000)) {
    for (uint64 i = 0; i < SPI_processed; ++i)
      note_loss(source, ledger, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
    SPI_freetuptable(SPI_tuptable);
    CHECK_FOR_INTERRUPTS();
  }
  SPI_cursor_close(cursor);
  PopActiveSnapshot();
  SPI_finish();
  pg::become(before);
}

void truncated(TriggerData* data) {
  if (data->tg_relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) return;  // its leaves have triggers of their own
  const Source& source = *source_of(data->tg_relation);
  if (source.messages || source.chat->member_count != 0 || source.chat->reads != nullptr) note_losses(source);
}

}  // namespace
}  // namespace chatopt::counters

Datum chatopt_messages_truncated(PG_FUNCTION_ARGS) {
  chatopt::counters::truncated(chatopt::counters::truncate_data(fcinfo, "messages_truncated"));
  return PointerGetDatum(nullptr);
}

Datum chatopt_members_truncated(PG_FUNCTION_ARGS) {
  chatopt::counters::truncated(chatopt::counters::truncate_data(fcinfo, "members_truncated"));
  return PointerGetDatum(nullptr);
}
