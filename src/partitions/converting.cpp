// CALL chatopt.convert(): the steps of a conversion, each in a transaction of its own.
//
// What is to be done next is worked out in SQL from what is there (88-convert-plan.sql); here it is run: the locks before
// it, as whom, and the commits between. Nothing is kept between two steps but the table's OID, so that a call that was
// stopped anywhere is made again.

#include <cstring>

#include "pg/command_worker.hpp"
#include "pg/config.hpp"
#include "pg/identity.hpp"
#include "pg/lock_ladder.hpp"

#include "pg/boundary.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_convert);
PG_FUNCTION_INFO_V1(chatopt_conversion_state);
PG_FUNCTION_INFO_V1(chatopt_forget_conversion);
PG_FUNCTION_INFO_V1(chatopt_lock_conversion);
PGDLLEXPORT Datum chatopt_convert(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_conversion_state(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_forget_conversion(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_lock_conversion(PG_FUNCTION_ARGS);
}

namespace chatopt::partitions {
namespace {

constexpr int kArguments = 14;         // without patience
constexpr long kWithoutWaiting = 4000;  // milliseconds that the swap tries for its locks before it waits for any
constexpr const char* kLongestWait = "1s";  // for a lock that was not foreseen

struct Statement {
  const char* sql;
  Oid role;  // who runs it
};

// The next step, in memory that is kept to the end of the call.
struct Step {
  const char* kind;
  int count;
  Statement* statements;
  int locks;
  pg::WantedLock* wanted;
  bool exclusive;
};

struct Work {
  Oid table;
  Oid caller;
  long patience;  // milliseconds
  MemoryContext memory;
};

Oid owner_of(Oid table) {
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
  if (!HeapTupleIsValid(tuple))
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", table)));
  const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
  ReleaseSysCache(tuple);
  return owner;
}

// Two at a time would each take the other's index, under construction, for one that was left broken.
void lock_conversion(Oid table) {
  LOCKTAG tag;
  memset(&tag, 0, sizeof tag);
  tag.locktag_field1 = MyDatabaseId;
  tag.locktag_field2 = table;
  tag.locktag_type = LOCKTAG_USERLOCK;
  tag.locktag_lockmethodid = USER_LOCKMETHOD;
  if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
                    errmsg("table \"%s\" is being converted by another session", get_rel_name(table)),
                    errhint("Wait until it ends, or cancel it there.")));
}

// Who runs a statement: 0 is the owner of chatopt's configuration, else the caller must have the role.
Oid acting_role(const Work& work, Datum role, bool null, Oid table_owner) {
  if (null) return table_owner;
  if (!OidIsValid(DatumGetObjectId(role))) return pg::config_owner();
  if (!has_privs_of_role(work.caller, DatumGetObjectId(role)))
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("must have privileges of role \"%s\"",
                                                                   GetUserNameFromId(DatumGetObjectId(role), false)),
                    errdetail("It owns an object that depends on table \"%s\".", get_rel_name(work.table))));
  return DatumGetObjectId(role);
}

struct Column {
  Datum* values;
  bool* nulls;
  int count;
};

Column array_column(HeapTuple row, TupleDesc columns, int number, Oid type) {
  Column column = {};
  bool null;
  const Datum value = SPI_getbinval(row, columns, number, &null);
  if (null) return column;
  int16 length;
  bool by_value;
  char alignment;
  get_typlenbyvalalign(type, &length, &by_value, &alignment);
  deconstruct_array(DatumGetArrayTypeP(value), type, length, by_value, alignment, &column.values, &column.nulls,
                    &column.count);
  return column;
}

// False: nothing is left to do. As the owner, who sees every row and owns what is asked about.
bool next_step(const Work& work, Step* step) {
  const Oid owner = owner_of(work.table);
  const pg::Identity before = pg::become_owner(owner, SECURITY_RESTRICTED_OPERATION);
  Oid type = REGCLASSOID;
  Datum value = ObjectIdGetDatum(work.table);
  if (SPI_execute_with_args("SELECT kind, statements, run_as, lock_on, lock_mode FROM chatopt._conversion_next($1)", 1,
                            &type, &value, nullptr, false, 1) != SPI_OK_SELECT)
    elog(ERROR, "query failed");
  pg::become(before);
  if (SPI_processed == 0) return false;
  HeapTuple row = SPI_tuptable->vals[0];
  TupleDesc columns = SPI_tuptable->tupdesc;
  MemoryContext caller = MemoryContextSwitchTo(work.memory);
  step->kind = SPI_getvalue(row, columns, 1);
  const Column statements = array_column(row, columns, 2, TEXTOID);
  const Column roles = array_column(row, columns, 3, OIDOID);
  const Column locks = array_column(row, columns, 4, OIDOID);
  bool null;
  const LOCKMODE mode = DatumGetInt32(SPI_getbinval(row, columns, 5, &null));
  step->kind = pstrdup(step->kind);
  step->count = statements.count;
  step->statements = static_cast<Statement*>(palloc(sizeof(Statement) * (statements.count + 1)));
  for (int i = 0; i < statements.count; ++i)
    step->statements[i] = {TextDatumGetCString(statements.values[i]),
                           i < roles.count ? acting_role(work, roles.values[i], roles.nulls[i], owner) : owner};
  step->locks = locks.count;
  step->wanted = static_cast<pg::WantedLock*>(palloc(sizeof(pg::WantedLock) * (locks.count + 1)));
  for (int i = 0; i < locks.count; ++i) step->wanted[i] = {DatumGetObjectId(locks.values[i]), mode};
  step->exclusive = mode >= AccessExclusiveLock;
  MemoryContextSwitchTo(caller);
  SPI_freetuptable(SPI_tuptable);
  return true;
}

// Quietly, and where an exclusive lock is held, without waiting long for another one.
void run_statement(const Statement& statement, bool exclusive) {
  const pg::Identity before = pg::become_owner(statement.role, SECURITY_RESTRICTED_OPERATION);
  (void)set_config_option("client_min_messages", "warning", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  if (exclusive)
    (void)set_config_option("lock_timeout", kLongestWait, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  const int result = SPI_execute(statement.sql, false, 0);
  if (result < 0) elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
  pg::become(before);
}

void run_statements(const Step& step, int first) {
  for (int i = first; i < step.count; ++i) run_statement(step.statements[i], step.exclusive);
}

void take_locks(const Work& work, const Step& step) {
  if (step.locks == 0) return;
  pg::take_locks({step.wanted, static_cast<size_t>(step.locks)}, {pg::deadline_in(work.patience), true});
}

// In a session of its own, with the caller's memory for building indexes; then what is to be noted about it.
void run_concurrently(const Work& work, const Step& step) {
  SPI_commit();
  lock_conversion(work.table);
  const pg::Setting settings[] = {{"maintenance_work_mem", GetConfigOption("maintenance_work_mem", false, false)}};
  const pg::CommandOutcome outcome = pg::run_elsewhere(step.statements[0].role, step.statements[0].sql, settings);
  if (!outcome.done())
    ereport(ERROR, (errcode(outcome.sqlstate), errmsg_internal("%s", outcome.message),
                    *outcome.detail ? errdetail_internal("%s", outcome.detail) : 0,
                    *outcome.hint ? errhint("%s", outcome.hint)
                                  : errhint("Call chatopt.convert again to go on; the statement was: %s",
                                            step.statements[0].sql)));
  run_statements(step, 1);
}

// The swap up to the commit, which is the caller's. A lock that readers and writers do not mind comes first: it ends an
// autovacuum, and nobody changes the table's definition after that. Then the others, all at once, without queueing.
void swap(const Work& work) {
  const pg::WantedLock quiet = {work.table, ShareUpdateExclusiveLock};
  pg::take_locks({&quiet, 1}, {pg::deadline_in(work.patience), true});
  Step step;
  if (!next_step(work, &step) || strcmp(step.kind, "swap") != 0)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" was changed during its conversion", get_rel_name(work.table)),
                    errhint("Call chatopt.convert again.")));
  const std::span<const pg::WantedLock> wanted = {step.wanted, static_cast<size_t>(step.locks)};
  const long quick = Min(kWithoutWaiting, work.patience);
  if (pg::try_in_subtransaction([&] { pg::take_locks(wanted, {pg::deadline_in(quick), false}); }) != nullptr)
    pg::take_locks(wanted, {pg::deadline_in(work.patience), true});
  run_statements(step, 0);
}

void run_step(const Work& work, const Step& step) {
  if (strcmp(step.kind, "concurrent") == 0) {
    run_concurrently(work, step);
  } else if (strcmp(step.kind, "swap") == 0) {
    // once to see that all of it can be done
    swap(work);
    SPI_rollback();
    lock_conversion(work.table);
    swap(work);
  } else {
    take_locks(work, step);
    run_statements(step, 0);
  }
}

// As the caller: checks, questions, and the table that an earlier call has begun with.
void start(FunctionCallInfo fcinfo, Work* work) {
  Oid types[kArguments] = {REGCLASSOID, NAMEOID, TEXTOID, INT4OID,     TEXTOID, TEXTOID,        TEXTOID,
                           TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, INT4OID};
  Datum values[kArguments];
  char nulls[kArguments];
  for (int i = 0; i < kArguments; ++i) {
    values[i] = PG_GETARG_DATUM(i);
    nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
  }
  if (SPI_execute_with_args("SELECT s.converted, s.fields FROM chatopt._start_conversion($1, "
                            "chatopt._convert_arguments($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)) AS s",
                            kArguments, types, values, nulls, false, 1) != SPI_OK_SELECT)
    elog(ERROR, "query failed");
  bool null;
  Oid save_types[] = {OIDOID, JSONBOID};
  Datum save_values[] = {SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null),
                         SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &null)};
  work->table = DatumGetObjectId(save_values[0]);
  lock_conversion(work->table);
  (void)pg::run_as_config_owner("SELECT chatopt._save_conversion($1, $2)", 2, save_types, save_values, nullptr);
}

void refuse_in_transaction_block(FunctionCallInfo fcinfo) {
  auto* call = reinterpret_cast<CallContext*>(fcinfo->context);
  if (call == nullptr || !IsA(call, CallContext) || call->atomic)
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                    errmsg("chatopt.convert cannot run inside a transaction block"), errdetail("It commits after each step."),
                    errhint("CALL it by itself, outside BEGIN … COMMIT and outside any function.")));
}

long milliseconds_of(const Interval& interval) {
  const int64 days = interval.month * int64{DAYS_PER_MONTH} + interval.day;
  return static_cast<long>(days * (SECS_PER_DAY * int64{1000}) + interval.time / 1000);
}

}  // namespace
}  // namespace chatopt::partitions

// CALL convert(tbl, control, every, …, patience)
Datum chatopt_convert(PG_FUNCTION_ARGS) {
  using namespace chatopt::partitions;
  refuse_in_transaction_block(fcinfo);
  if (PG_ARGISNULL(kArguments) || milliseconds_of(*PG_GETARG_INTERVAL_P(kArguments)) < 0)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("patience must not be null or negative")));
  Work work = {};
  work.caller = GetUserId();
  work.patience = milliseconds_of(*PG_GETARG_INTERVAL_P(kArguments));
  work.memory = AllocSetContextCreate(PortalContext, "chatopt conversion", ALLOCSET_DEFAULT_SIZES);
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  start(fcinfo, &work);
  SPI_commit();
  for (Step step;;) {
    lock_conversion(work.table);
    MemoryContextReset(work.memory);
    if (!next_step(work, &step)) break;
    run_step(work, step);
    SPI_commit();
    CHECK_FOR_INTERRUPTS();
  }
  SPI_finish();
  PG_RETURN_VOID();
}

// By the table, or by its new parent.
Datum chatopt_conversion_state(PG_FUNCTION_ARGS) {
  bool found;
  const Datum row = chatopt::pg::config_row(
      PG_GETARG_OID(0), "SELECT c FROM chatopt.conversion AS c WHERE c.tbl = $1 OR c.shadow = $1", &found);
  if (!found) PG_RETURN_NULL();
  PG_RETURN_DATUM(row);
}

Datum chatopt_forget_conversion(PG_FUNCTION_ARGS) {
  Oid type = OIDOID;
  Datum table = PG_GETARG_DATUM(0);
  chatopt::pg::check_owns(DatumGetObjectId(table));
  (void)chatopt::pg::run_as_config_owner("DELETE FROM chatopt.conversion WHERE tbl = $1", 1, &type, &table, nullptr);
  PG_RETURN_VOID();
}

Datum chatopt_lock_conversion(PG_FUNCTION_ARGS) {
  chatopt::partitions::lock_conversion(PG_GETARG_OID(0));
  PG_RETURN_VOID();
}
