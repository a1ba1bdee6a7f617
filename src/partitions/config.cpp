// Writing chatopt.partition_set and partition_hold, which only their owner may:
// after checking that the caller owns the table named.

#include <initializer_list>

#include "pg/config.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_partitions_save_set);
PG_FUNCTION_INFO_V1(chatopt_partitions_save_retention);
PG_FUNCTION_INFO_V1(chatopt_partitions_save_state);
PG_FUNCTION_INFO_V1(chatopt_partitions_forget_set);
PG_FUNCTION_INFO_V1(chatopt_partitions_save_hold);
PG_FUNCTION_INFO_V1(chatopt_partitions_set_config);
PGDLLEXPORT Datum chatopt_partitions_save_set(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_partitions_save_retention(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_partitions_save_state(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_partitions_forget_set(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_partitions_save_hold(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_partitions_set_config(PG_FUNCTION_ARGS);
}

namespace chatopt::partitions {
namespace {

constexpr int kMostArguments = 10;

// Runs a statement with the arguments of the call, the first of which is a table
// that the caller owns. Gives how many rows it touched.
uint64 save(FunctionCallInfo fcinfo, const char* sql, int count, Oid* types) {
  if (PG_ARGISNULL(0)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the table must not be null")));
  pg::check_owns(PG_GETARG_OID(0));
  Datum values[kMostArguments];
  char nulls[kMostArguments + 1] = "";
  for (int i = 0; i < count; ++i) {
    values[i] = PG_ARGISNULL(i) ? Datum{0} : PG_GETARG_DATUM(i);
    nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
  }
  return pg::run_as_config_owner(sql, count, types, values, nulls);
}

// Rows of tables that are gone are nobody's: their OIDs may come back.
void forget_dropped() {
  for (const char* sql : {"DELETE FROM chatopt.partition_set AS t WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = t.parent)",
                          "DELETE FROM chatopt.partition_hold AS t WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = t.tbl)"})
    (void)pg::run_as_config_owner(sql, 0, nullptr, nullptr, nullptr);
}

}  // namespace
}  // namespace chatopt::partitions

// save_set(parent, kind, every, premake, time_zone, snowflake_epoch, snowflake_shift, name_format, origin, undo)
Datum chatopt_partitions_save_set(PG_FUNCTION_ARGS) {
  using namespace chatopt::partitions;
  Oid types[] = {OIDOID, TEXTOID, TEXTOID, INT4OID, TEXTOID, TIMESTAMPTZOID, INT4OID, TEXTOID, TEXTOID, JSONBOID};
  forget_dropped();
  (void)save(fcinfo,
             "INSERT INTO chatopt.partition_set (parent, kind, every, premake, time_zone, snowflake_epoch, "
             "snowflake_shift, name_format, origin, undo) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT "
             "(parent) DO UPDATE SET kind = excluded.kind, every = excluded.every, premake = excluded.premake, time_zone "
             "= excluded.time_zone, snowflake_epoch = excluded.snowflake_epoch, snowflake_shift = "
             "excluded.snowflake_shift, name_format = excluded.name_format, origin = excluded.origin, undo = "
             "excluded.undo",
             lengthof(types), types);
  PG_RETURN_VOID();
}

// save_retention(parent, keep, action, archive_schema)
Datum chatopt_partitions_save_retention(PG_FUNCTION_ARGS) {
  Oid types[] = {OIDOID, INTERVALOID, TEXTOID, TEXTOID};
  (void)chatopt::partitions::save(
      fcinfo, "UPDATE chatopt.partition_set SET keep = $2, action = $3, archive_schema = $4 WHERE parent = $1",
      lengthof(types), types);
  PG_RETURN_VOID();
}

// save_set_state(parent, state)
Datum chatopt_partitions_save_state(PG_FUNCTION_ARGS) {
  Oid types[] = {OIDOID, TEXTOID};
  (void)chatopt::partitions::save(
      fcinfo,
      "UPDATE chatopt.partition_set SET state = $2, failures = 0, retry_at = NULL, problem = NULL WHERE parent = $1",
      lengthof(types), types);
  PG_RETURN_VOID();
}

// forget_set(parent)
Datum chatopt_partitions_forget_set(PG_FUNCTION_ARGS) {
  Oid type = OIDOID;
  (void)chatopt::partitions::save(fcinfo,
                                  "DELETE FROM chatopt.partition_hold WHERE tbl = $1 OR tbl IN (SELECT inhrelid FROM "
                                  "pg_inherits WHERE inhparent = $1)",
                                  1, &type);
  (void)chatopt::partitions::save(fcinfo, "DELETE FROM chatopt.partition_set WHERE parent = $1", 1, &type);
  PG_RETURN_VOID();
}

// save_hold(tbl, reason)
Datum chatopt_partitions_save_hold(PG_FUNCTION_ARGS) {
  using namespace chatopt::partitions;
  Oid types[] = {OIDOID, TEXTOID, NAMEOID};
  if (PG_ARGISNULL(1)) {
    (void)save(fcinfo, "DELETE FROM chatopt.partition_hold WHERE tbl = $1", 1, types);
    PG_RETURN_VOID();
  }
  forget_dropped();
  chatopt::pg::check_owns(PG_GETARG_OID(0));
  NameData role;
  namestrcpy(&role, GetUserNameFromId(GetUserId(), false));
  Datum values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), NameGetDatum(&role)};
  (void)chatopt::pg::run_as_config_owner(
      "INSERT INTO chatopt.partition_hold (tbl, reason, held_by) VALUES ($1, $2, $3) ON CONFLICT (tbl) DO UPDATE SET "
      "reason = excluded.reason, held_by = excluded.held_by, held_at = now()",  // clock: on purpose
      lengthof(types), types, values, nullptr);
  PG_RETURN_VOID();
}

// The configuration of a set as a record, to whoever may read the table.
Datum chatopt_partitions_set_config(PG_FUNCTION_ARGS) {
  bool found;
  const Datum row = chatopt::pg::config_row(
      PG_GETARG_OID(0), "SELECT t FROM chatopt.partition_set AS t WHERE parent = $1", &found);
  if (!found) PG_RETURN_NULL();
  PG_RETURN_DATUM(row);
}
