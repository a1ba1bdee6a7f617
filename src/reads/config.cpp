// Writing chatopt.read_tracking, which only its owner may: after checking that
// the caller owns every table named.

#include "counters/config.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_save_reads);
PG_FUNCTION_INFO_V1(chatopt_save_read_log);
PG_FUNCTION_INFO_V1(chatopt_save_views);
PG_FUNCTION_INFO_V1(chatopt_save_mentions);
PG_FUNCTION_INFO_V1(chatopt_forget_reads);
PG_FUNCTION_INFO_V1(chatopt_reads_config);
PGDLLEXPORT Datum chatopt_save_reads(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_save_read_log(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_save_views(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_save_mentions(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_forget_reads(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_config(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

constexpr int kArguments = 8;

void check_attached(Oid messages) {
  Datum there;
  if (!counters::config_value("SELECT true FROM chatopt.chat WHERE messages = $1", messages, &there))
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" is not attached to chatopt", get_rel_name(messages)),
                    errhint("Call chatopt.attach first, then chatopt.track_reads.")));
}

[[noreturn]] void raise_untracked(Oid messages) {
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("reads of table \"%s\" are not tracked", get_rel_name(messages)),
                  errhint("Call chatopt.track_reads.")));
  pg_unreachable();
}

[[noreturn]] void raise_in_use(Oid messages) {
  ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
                  errmsg("a table for the reads of \"%s\" belongs to another chat", get_rel_name(messages)),
                  errhint("Rename the tables of one of them, or call chatopt.untrack_reads for the other chat.")));
  pg_unreachable();
}

// The table is no other chat's, and none of this one's other tables.
void check_free_for(const char* column, Oid messages, Oid* types, Datum* values) {
  if (counters::run_as_config_owner(
          psprintf("SELECT FROM chatopt.read_tracking AS t WHERE (t.messages <> $1 AND $2 IN (t.read_log, t.views, "
                   "t.mentions, t.mention_table)) OR (t.messages = $1 AND t.%s IS DISTINCT FROM $2 AND $2 IN (t.read_log, "
                   "t.views, t.mentions, t.mention_table)) OR "
                   "$2 IN (t.messages, t.read_state, t.read_heads, t.skipped_numbers, t.read_marks)",
                   column),
          2, types, values, nullptr) > 0)
    raise_in_use(messages);
}

void check_free(Oid messages, Oid* types, Datum* values) {
  if (counters::run_as_config_owner("SELECT FROM chatopt.read_tracking AS t WHERE t.messages <> $1 AND "
                                    "ARRAY[t.read_state, t.read_heads, t.skipped_numbers, t.read_marks, "
                                    "t.read_log, t.views, t.mentions, t.mention_table]::oid[] && ARRAY[$2, $3, $4, $5]",
                                    5, types, values, nullptr) > 0)
    raise_in_use(messages);
}

// An optional table; NULL where none is to be kept.
void save_table(FunctionCallInfo fcinfo, int argument, const char* column) {
  if (PG_ARGISNULL(0)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("messages must not be null")));
  const Oid messages = PG_GETARG_OID(0);
  counters::check_owns(messages);
  Oid types[] = {OIDOID, OIDOID};
  Datum values[] = {PG_GETARG_DATUM(0), PG_ARGISNULL(argument) ? Datum{0} : PG_GETARG_DATUM(argument)};
  const char nulls[] = {' ', PG_ARGISNULL(argument) ? 'n' : ' ', '\0'};
  if (!PG_ARGISNULL(argument)) {
    counters::check_owns(PG_GETARG_OID(argument));
    check_free_for(column, messages, types, values);
  }
  if (counters::run_as_config_owner(psprintf("UPDATE chatopt.read_tracking SET %s = $2 WHERE messages = $1", column),
                                    lengthof(types), types, values, nulls) == 0)
    raise_untracked(messages);
  counters::invalidate_chat(messages);
}

}  // namespace

void write_tracked(Oid messages) {
  Oid type = OIDOID;
  Datum value = ObjectIdGetDatum(messages);
  if (counters::run_as_config_owner(
          "UPDATE chatopt.read_tracking SET state = 'tracked' WHERE messages = $1 AND state <> 'tracked'", 1, &type,
          &value, nullptr) > 0)
    counters::invalidate_chat(messages);
}

}  // namespace chatopt::reads

// save_reads(messages, read_state, read_heads, skipped_numbers, read_marks, own_messages, state, undo)
Datum chatopt_save_reads(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  Oid types[reads::kArguments] = {OIDOID, OIDOID, OIDOID, OIDOID, OIDOID, TEXTOID, TEXTOID, JSONBOID};
  Datum values[reads::kArguments];
  for (int i = 0; i < reads::kArguments; ++i) {
    if (PG_ARGISNULL(i))
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument %d of save_reads is null", i + 1)));
    if (types[i] == OIDOID) counters::check_owns(PG_GETARG_OID(i));
    values[i] = PG_GETARG_DATUM(i);
  }
  const Oid messages = PG_GETARG_OID(0);
  reads::check_attached(messages);
  (void)counters::run_as_config_owner(
      "DELETE FROM chatopt.read_tracking AS t WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = t.messages)", 0,
      nullptr, nullptr, nullptr);
  reads::check_free(messages, types, values);
  (void)counters::run_as_config_owner(
      "INSERT INTO chatopt.read_tracking (messages, read_state, read_heads, skipped_numbers, read_marks, own_messages, "
      "state, undo) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (messages) DO UPDATE SET read_state = "
      "excluded.read_state, read_heads = excluded.read_heads, skipped_numbers = excluded.skipped_numbers, read_marks = "
      "excluded.read_marks, own_messages = excluded.own_messages, state = excluded.state, undo = excluded.undo",
      reads::kArguments, types, values, nullptr);
  counters::invalidate_chat(messages);
  PG_RETURN_VOID();
}

// save_read_log(messages, read_log)
Datum chatopt_save_read_log(PG_FUNCTION_ARGS) {
  chatopt::reads::save_table(fcinfo, 1, "read_log");
  PG_RETURN_VOID();
}

// save_views(messages, views)
Datum chatopt_save_views(PG_FUNCTION_ARGS) {
  chatopt::reads::save_table(fcinfo, 1, "views");
  PG_RETURN_VOID();
}

// save_mentions(messages, mentions, mention_table)
Datum chatopt_save_mentions(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  reads::save_table(fcinfo, 1, "mentions");
  reads::save_table(fcinfo, 2, "mention_table");
  PG_RETURN_VOID();
}

Datum chatopt_forget_reads(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  const Oid messages = PG_GETARG_OID(0);
  // A table that is gone has no owner to ask; its row is nobody's.
  if (get_rel_name(messages) != nullptr) counters::check_owns(messages);
  Oid type = OIDOID;
  Datum value = PG_GETARG_DATUM(0);
  (void)counters::run_as_config_owner("DELETE FROM chatopt.read_tracking WHERE messages = $1", 1, &type, &value,
                                      nullptr);
  counters::invalidate_chat(messages);
  PG_RETURN_VOID();
}

// The configuration row of tracked reads as a record, to whoever may read the messages.
Datum chatopt_reads_config(PG_FUNCTION_ARGS) {
  bool found;
  const Datum row = chatopt::counters::config_row(
      PG_GETARG_OID(0), "SELECT t FROM chatopt.read_tracking AS t WHERE messages = $1", &found);
  if (!found) PG_RETURN_NULL();
  PG_RETURN_DATUM(row);
}
