// The background worker that drains a receipt queue, chatopt.start_receipt_worker().

#include "counters/chat.hpp"
#include "counters/queries.hpp"
#include "counters/verifying.hpp"
#include "pg/worker.hpp"
#include "reads/call.hpp"
#include "reads/queue.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_start_worker);
PGDLLEXPORT Datum chatopt_reads_start_worker(PG_FUNCTION_ARGS);
PGDLLEXPORT void chatopt_receipt_worker(Datum messages);
}

namespace chatopt::reads {
namespace {

constexpr int32 kBatch = 10000;
constexpr int kRestartAfter = 10;       // seconds: what an error costs
constexpr uint64 kVacuumAfter = 50000;  // entries: autovacuum may be behind

constinit int interval = 5000;  // chatopt.receipt_interval

// One worker a queue. A lock of the kind that goes with its process.
LOCKTAG worker_lock(Oid messages) {
  LOCKTAG tag;
  tag.locktag_field1 = MyDatabaseId;
  tag.locktag_field2 = messages;
  tag.locktag_field3 = 0;
  tag.locktag_field4 = 0;
  tag.locktag_type = LOCKTAG_USERLOCK;
  tag.locktag_lockmethodid = USER_LOCKMETHOD;
  return tag;
}

bool lock_worker(Oid messages, bool session) {
  const LOCKTAG tag = worker_lock(messages);
  return LockAcquire(&tag, ExclusiveLock, session, true) != LOCKACQUIRE_NOT_AVAIL;
}

// The reads of a table, if they are tracked still; else NULL.
const Reads* reads_of(Oid messages) {
  const counters::Chat* chat = get_rel_name(messages) == nullptr ? nullptr : counters::find_chat(messages);
  return chat == nullptr || chat->messages != messages ? nullptr : chat->reads;
}

// One batch in a transaction of its own; none while the chat is disabled. False: there is no queue to drain any more.
bool drain_once(Oid messages, uint64* taken) {
  SetCurrentStatementStartTimestamp();
  StartTransactionCommand();
  PushActiveSnapshot(GetTransactionSnapshot());
  pgstat_report_activity(STATE_RUNNING, "chatopt receipts: drain");
  const Reads* reads = reads_of(messages);
  const Oid queue = reads == nullptr ? InvalidOid : queue_of(messages);
  const bool there = OidIsValid(queue) && get_rel_name(queue) != nullptr;
  if (there && !reads->chat->disabled) *taken = drain_queue(messages, queue, kBatch);
  PopActiveSnapshot();
  CommitTransactionCommand();
  pgstat_report_stat(false);
  pgstat_report_activity(STATE_IDLE, nullptr);
  return there;
}

void vacuum(Oid messages) {
  StartTransactionCommand();
  PushActiveSnapshot(GetTransactionSnapshot());
  const Oid queue = queue_of(messages);
  char* sql = nullptr;
  if (OidIsValid(queue) && get_rel_name(queue) != nullptr)
    sql = MemoryContextStrdup(TopMemoryContext, psprintf("VACUUM (ANALYZE false, SKIP_LOCKED) %s", counters::qualified_name(queue)));
  PopActiveSnapshot();
  CommitTransactionCommand();
  if (sql == nullptr) return;
  pg::run_command(sql);
  pfree(sql);
}

void sleep_until_next() {
  (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, interval, PG_WAIT_EXTENSION);
  ResetLatch(MyLatch);
  if (!ConfigReloadPending) return;
  ConfigReloadPending = false;
  ProcessConfigFile(PGC_SIGHUP);
}

void work(Oid messages) {
  uint64 drained = 0;
  while (!ShutdownRequestPending) {
    uint64 taken = 0;
    if (!drain_once(messages, &taken)) return;
    drained += taken;
    if (drained >= kVacuumAfter) {
      vacuum(messages);
      drained = 0;
    }
    if (taken < kBatch) sleep_until_next();
  }
}

}  // namespace

void define_queue_settings() {
  DefineCustomIntVariable("chatopt.receipt_interval", "How long a receipt worker sleeps when its queue is drained.",
                          nullptr, &interval, 5000, 10, 3600000, PGC_SIGHUP, GUC_UNIT_MS, nullptr, nullptr, nullptr);
}

}  // namespace chatopt::reads

// start_receipt_worker(messages regclass) -> int
Datum chatopt_reads_start_worker(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  const Oid messages = PG_GETARG_OID(0);
  PreventCommandIfReadOnly("chatopt.start_receipt_worker()");
  if (IsTransactionBlock())
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                    errmsg("chatopt.start_receipt_worker cannot run inside a transaction block"),
                    errdetail("The background worker would not see what the transaction has done."),
                    errhint("Call it after COMMIT.")));
  const counters::Chat& chat = *reads::tracked_reads(messages).chat;
  counters::check_may_maintain(chat.messages, chat.counters);
  if (!OidIsValid(reads::queue_of(messages)))
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" has no receipt queue", get_rel_name(messages)),
                    errhint("Call chatopt.create_receipt_queue.")));
  if (!reads::lock_worker(messages, false)) PG_RETURN_NULL();
  const LOCKTAG tag = reads::worker_lock(messages);
  (void)LockRelease(&tag, ExclusiveLock, false);
  PG_RETURN_INT32(pg::start_worker({.entry = "chatopt_receipt_worker",
                                    .name = "chatopt receipts",
                                    .argument = ObjectIdGetDatum(messages),
                                    .database = MyDatabaseId,
                                    .owner = chat.owner,
                                    .restart_after = reads::kRestartAfter}));
}

void chatopt_receipt_worker(Datum argument) {
  using namespace chatopt;
  const Oid messages = DatumGetObjectId(argument);
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pg::begin_worker();
  // Ends between two batches, and for good.
  pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
  if (!reads::lock_worker(messages, true)) return;  // somebody else does it
  reads::work(messages);
}
