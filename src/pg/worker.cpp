#include "pg/worker.hpp"

namespace chatopt::pg {
namespace {

struct Assignment {
  Oid database;
  Oid owner;
};
static_assert(sizeof(Assignment) <= BGW_EXTRALEN);

bool may_run_workers(Oid role) {
  if (kWorkerLogin != 0) return true;
  HeapTuple tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for role %u", role);
  const bool result = reinterpret_cast<Form_pg_authid>(GETSTRUCT(tuple))->rolcanlogin;
  ReleaseSysCache(tuple);
  return result;
}

PlannedStmt* utility_statement(const char* sql) {
  auto* raw = linitial_node(RawStmt, raw_parser(sql, RAW_PARSE_DEFAULT));
  auto* statement = makeNode(PlannedStmt);
  statement->commandType = CMD_UTILITY;
  statement->canSetTag = true;
  statement->utilityStmt = raw->stmt;
  statement->stmt_location = raw->stmt_location;
  statement->stmt_len = raw->stmt_len;
  return statement;
}

}  // namespace

pid_t start_worker(const char* entry, const char* name, Oid relation, Oid owner, int restart_after) {
  if (!may_run_workers(owner))
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("role \"%s\" is not permitted to log in", GetUserNameFromId(owner, false)),
                    errdetail("A background worker acts as the owner of the table; before PostgreSQL 17 that takes LOGIN.")));
  BackgroundWorker worker;
  memset(&worker, 0, sizeof worker);
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = restart_after == 0 ? BGW_NEVER_RESTART : restart_after;
  strlcpy(worker.bgw_library_name, "chatopt", sizeof worker.bgw_library_name);
  strlcpy(worker.bgw_function_name, entry, sizeof worker.bgw_function_name);
  strlcpy(worker.bgw_name, name, sizeof worker.bgw_name);
  strlcpy(worker.bgw_type, name, sizeof worker.bgw_type);
  worker.bgw_main_arg = ObjectIdGetDatum(relation);
  worker.bgw_notify_pid = MyProcPid;
  const Assignment assignment = {MyDatabaseId, owner};
  memcpy(worker.bgw_extra, &assignment, sizeof assignment);

  BackgroundWorkerHandle* handle;
  if (!RegisterDynamicBackgroundWorker(&worker, &handle))
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES), errmsg("no background worker is free"),
                    errhint("Raise max_worker_processes, or try again later.")));
  pid_t pid = 0;
  const BgwHandleStatus status = WaitForBackgroundWorkerStartup(handle, &pid);
  if (pid == 0 || (status != BGWH_STARTED && status != BGWH_STOPPED))
    ereport(ERROR, (errcode(ERRCODE_CANNOT_CONNECT_NOW), errmsg("background worker did not start"),
                    errhint("The server log says why.")));
  return pid;
}

void begin_worker() {
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
  Assignment assignment;
  memcpy(&assignment, MyBgworkerEntry->bgw_extra, sizeof assignment);
  // The owner's own session, not one of a superuser's that acts as the owner: from that there is a way back.
  BackgroundWorkerInitializeConnectionByOid(assignment.database, assignment.owner, kWorkerLogin);
  SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION);
}

void run_command(const char* sql) {
  SetCurrentStatementStartTimestamp();
  pgstat_report_activity(STATE_RUNNING, sql);
  // The statement outlives the transactions of the command.
  MemoryContext context = AllocSetContextCreate(TopMemoryContext, "chatopt command", ALLOCSET_DEFAULT_SIZES);
  StartTransactionCommand();
  MemoryContextSwitchTo(context);
  PlannedStmt* statement = utility_statement(sql);
  PushActiveSnapshot(GetTransactionSnapshot());
  ProcessUtility(statement, sql, false, PROCESS_UTILITY_TOPLEVEL, nullptr, nullptr, None_Receiver, nullptr);
  if (ActiveSnapshotSet()) PopActiveSnapshot();
  CommitTransactionCommand();
  MemoryContextDelete(context);
  pgstat_report_activity(STATE_IDLE, nullptr);
}

}  // namespace chatopt::pg
