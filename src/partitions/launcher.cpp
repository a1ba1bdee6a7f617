#include "partitions/launcher.hpp"

#include "partitions/clock.hpp"
#include "partitions/maintenance_target.hpp"
#include "pg/postgres.hpp"

extern "C" {
PGDLLEXPORT void chatopt_launcher(Datum);
}

namespace chatopt::partitions {
namespace {

constexpr int kRestartAfter = 10;  // seconds

constinit char* databases_setting = nullptr;
constinit int interval_setting = 3600;  // seconds

struct Schedule {
  MaintenanceTarget* targets;
  int count;
  MemoryContext memory;  // of one tick
  // The settings that it was made by.
  char* databases;
  char* clock;
  int interval;
};

bool check_databases(char** value, void**, GucSource) {
  char* copy = pstrdup(*value);
  List* names = NIL;
  const bool valid = SplitIdentifierString(copy, ',', &names);
  if (!valid) GUC_check_errdetail("List syntax is invalid.");
  list_free(names);
  pfree(copy);
  return valid;
}

// What is known of a database that stays in the list is kept.
MaintenanceTarget target_of(const Schedule& schedule, const char* database) {
  for (int i = 0; i < schedule.count; ++i)
    if (strcmp(schedule.targets[i].database, database) == 0) {
      MaintenanceTarget known = schedule.targets[i];
      known.due = pg::deadline_in(0);
      known.back_off = 0;
      return known;
    }
  return target_for(database);
}

Schedule make_schedule(const Schedule& old) {
  List* names;
  // The check of the setting has let it pass.
  (void)SplitIdentifierString(MemoryContextStrdup(old.memory, databases_setting), ',', &names);
  Schedule schedule = old;
  schedule.count = 0;
  const Size size = static_cast<Size>(list_length(names) + 1) * sizeof(MaintenanceTarget);
  schedule.targets = static_cast<MaintenanceTarget*>(MemoryContextAllocZero(TopMemoryContext, size));
  ListCell* cell;
  foreach (cell, names) schedule.targets[schedule.count++] = target_of(old, static_cast<char*>(lfirst(cell)));
  schedule.databases = MemoryContextStrdup(TopMemoryContext, databases_setting);
  schedule.clock = MemoryContextStrdup(TopMemoryContext, maintenance_clock());
  schedule.interval = interval_setting;
  return schedule;
}

void forget(const Schedule& schedule) {
  if (schedule.targets == nullptr) return;
  pfree(schedule.targets);
  pfree(schedule.databases);
  pfree(schedule.clock);
}

bool is_as_set(const Schedule& schedule) {
  return schedule.interval == interval_setting && strcmp(schedule.databases, databases_setting) == 0 &&
         strcmp(schedule.clock, maintenance_clock()) == 0;
}

// Changed settings make every database due at once: nobody waits for an hour to see what a new one does.
void reload(Schedule* schedule) {
  if (!ConfigReloadPending) return;
  ConfigReloadPending = false;
  ProcessConfigFile(PGC_SIGHUP);
  if (is_as_set(*schedule)) return;
  const Schedule changed = make_schedule(*schedule);
  forget(*schedule);
  *schedule = changed;
}

void maintain_due(Schedule* schedule) {
  for (int i = 0; i < schedule->count && !ConfigReloadPending; ++i) {
    CHECK_FOR_INTERRUPTS();
    if (pg::milliseconds_until(schedule->targets[i].due) == 0)
      maintain_database(&schedule->targets[i], 1000L * schedule->interval);
  }
}

// A signal that came while a run was waited for has left nothing but its flag.
void sleep_until_due(const Schedule& schedule) {
  if (ConfigReloadPending) return;
  long timeout = -1;
  for (int i = 0; i < schedule.count; ++i) {
    const long left = pg::milliseconds_until(schedule.targets[i].due);
    timeout = timeout < 0 ? left : Min(timeout, left);
  }
  const int events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (timeout < 0 ? 0 : WL_TIMEOUT);
  (void)WaitLatch(MyLatch, events, timeout, PG_WAIT_EXTENSION);
  ResetLatch(MyLatch);
  CHECK_FOR_INTERRUPTS();
}

void launch_for_ever() {
  Schedule schedule = {};
  schedule.memory = AllocSetContextCreate(TopMemoryContext, "chatopt launcher", ALLOCSET_DEFAULT_SIZES);
  MemoryContextSwitchTo(schedule.memory);
  for (schedule = make_schedule(schedule);; MemoryContextReset(schedule.memory)) {
    maintain_due(&schedule);
    sleep_until_due(schedule);
    reload(&schedule);
  }
}

void register_launcher() {
  BackgroundWorker worker;
  memset(&worker, 0, sizeof worker);
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = kRestartAfter;
  strlcpy(worker.bgw_library_name, "chatopt", sizeof worker.bgw_library_name);
  strlcpy(worker.bgw_function_name, "chatopt_launcher", sizeof worker.bgw_function_name);
  strlcpy(worker.bgw_name, "chatopt launcher", sizeof worker.bgw_name);
  strlcpy(worker.bgw_type, "chatopt launcher", sizeof worker.bgw_type);
  RegisterBackgroundWorker(&worker);
}

}  // namespace

void init_launcher() {
  DefineCustomStringVariable("chatopt.databases", "Databases whose partitions are maintained by chatopt's launcher.",
                             "Takes chatopt in shared_preload_libraries.", &databases_setting, "", PGC_SIGHUP,
                             GUC_LIST_INPUT, check_databases, nullptr, nullptr);
  DefineCustomIntVariable("chatopt.maintenance_interval", "How often chatopt's launcher has partitions maintained.",
                          nullptr, &interval_setting, 3600, 60, 86400, PGC_SIGHUP, GUC_UNIT_S, nullptr, nullptr,
                          nullptr);
  if (process_shared_preload_libraries_in_progress && !IsBinaryUpgrade) register_launcher();
}

}  // namespace chatopt::partitions

void chatopt_launcher(Datum) {
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGTERM, die);
  pqsignal(SIGINT, SIG_IGN);  // there is nothing to cancel but all of it
  BackgroundWorkerUnblockSignals();
  BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
  chatopt::partitions::launch_for_ever();
}
