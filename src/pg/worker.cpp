#include "pg/worker.hpp"

namespace chatopt::pg {
namespace {

constexpr const char* kByHand = "Or run, outside a transaction block:";

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

BackgroundWorker described(const WorkerTask& task) {
  BackgroundWorker worker;
  memset(&worker, 0, sizeof worker);
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = task.restart_after == 0 ? BGW_NEVER_RESTART : task.restart_after;
  strlcpy(worker.bgw_library_name, "chatopt", sizeof worker.bgw_library_name);
  strlcpy(worker.bgw_function_name, task.entry, sizeof worker.bgw_function_name);
  strlcpy(worker.bgw_name, task.name, sizeof worker.bgw_name);
  strlcpy(worker.bgw_type, task.name, sizeof worker.bgw_type);
  worker.bgw_main_arg = task.argument;
  worker.bgw_notify_pid = MyProcPid;
  const Assignment assignment = {task.database, task.owner};
  memcpy(worker.bgw_extra, &assignment, sizeof assignment);
  return worker;
}

// In the current memory context, which outlives the transactions of the command.
List* planned(const char* sql, CommandTag* tag) {
  auto* raw = linitial_node(RawStmt, pg_parse_query(sql));
  *tag = CreateCommandTag(raw->stmt);
  PushActiveSnapshot(GetTransactionSnapshot());
  List* plans = pg_plan_queries(pg_analyze_and_rewrite_fixedparams(raw, sql, nullptr, 0, nullptr), sql, 0, nullptr);
  PopActiveSnapshot();
  return plans;
}

// What a client's query runs in, too: procedures want it.
void run_in_portal(const char* sql, List* plans, CommandTag tag) {
  Portal portal = CreatePortal("", true, true);
  portal->visible = false;
  PortalDefineQuery(portal, nullptr, sql, tag, plans, nullptr);
  PortalStart(portal, nullptr, 0, InvalidSnapshot);
  run_portal(portal);
  PortalDrop(portal, false);
}

}  // namespace

void check_may_run(const WorkerTask& task) {
  if (!OidIsValid(task.owner) || may_run_workers(task.owner)) return;
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("role \"%s\" is not permitted to log in", GetUserNameFromId(task.owner, false)),
                  errdetail("A background worker acts as the owner of the table; before PostgreSQL 17 that takes LOGIN."),
                  task.by_hand == nullptr ? 0 : errhint("%s %s", kByHand, task.by_hand)));
}

BackgroundWorkerHandle* register_worker(const WorkerTask& task) {
  BackgroundWorker worker = described(task);
  BackgroundWorkerHandle* handle = nullptr;
  return RegisterDynamicBackgroundWorker(&worker, &handle) ? handle : nullptr;
}

void refuse_no_worker(const WorkerTask& task) {
  const char* by_hand = task.by_hand == nullptr ? "" : psprintf(" %s %s", kByHand, task.by_hand);
  ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES), errmsg("no background worker is free"),
                  errhint("Raise max_worker_processes, or try again later.%s", by_hand)));
  pg_unreachable();
}

void refuse_not_started() {
  ereport(ERROR, (errcode(ERRCODE_CANNOT_CONNECT_NOW), errmsg("background worker did not start"),
                  errhint("The server log says why.")));
  pg_unreachable();
}

pid_t start_worker(const WorkerTask& task) {
  check_may_run(task);
  BackgroundWorkerHandle* handle = register_worker(task);
  if (handle == nullptr) refuse_no_worker(task);
  pid_t pid = 0;
  const BgwHandleStatus status = WaitForBackgroundWorkerStartup(handle, &pid);
  if (pid == 0 || (status != BGWH_STARTED && status != BGWH_STOPPED)) refuse_not_started();
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
  debug_query_string = sql;
  pgstat_report_activity(STATE_RUNNING, sql);
  MemoryContext caller = CurrentMemoryContext;
  MemoryContext context = AllocSetContextCreate(TopMemoryContext, "chatopt command", ALLOCSET_DEFAULT_SIZES);
  StartTransactionCommand();
  MemoryContextSwitchTo(context);
  CommandTag tag;
  List* plans = planned(sql, &tag);
  run_in_portal(sql, plans, tag);
  CommitTransactionCommand();
  MemoryContextSwitchTo(caller);
  MemoryContextDelete(context);
  debug_query_string = nullptr;
  pgstat_report_activity(STATE_IDLE, nullptr);
}

}  // namespace chatopt::pg
