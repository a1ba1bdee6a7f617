// CALL chatopt.maintain().
//
// One unit of work is one transaction: it plans the set afresh, does the first
// thing the plan says, and writes what came of it to the log. So a run can be
// stopped anywhere and the next one goes on, and two runs at once do nothing
// twice. First everything is made that is due in all sets, then what is over goes.
// Where a lock is not to be had the set waits for another round, as long as
// patience lasts; a set that fails stops no other.

#include <span>

#include "partitions/clock.hpp"
#include "partitions/performing.hpp"
#include "pg/boundary.hpp"
#include "pg/config.hpp"
#include "pg/procedure.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_partitions_maintain);
PGDLLEXPORT Datum chatopt_partitions_maintain(PG_FUNCTION_ARGS);
}

namespace chatopt::partitions {
namespace {

constexpr int64 kFirstRetry = 15 * 60 * USECS_PER_SEC;
constexpr int64 kLastRetry = USECS_PER_DAY;

// What a set has come to in this run.
enum class State { kGoing, kThrough, kBusy, kFailed, kElsewhere };

struct Member {
  Oid parent;
  State state;
  int failures;
  const ErrorData* error;  // of the last failed or busy try
};

// In memory that lasts over the commits.
struct Run {
  MemoryContext memory;
  MemoryContext unit;  // emptied after each transaction
  int64 id;
  TimestampTz clock;
  pg::Deadline until;
  bool named;
  Member* first;
  int count;
  List* left;  // partitions that other tables' rows keep
  int created;
  int retired;
  char last_done[2 * NAMEDATALEN + 32];

  std::span<Member> members() { return {first, static_cast<size_t>(count)}; }
};

enum class Phase { kCreate, kRetire };

bool is_of(const Task& task, Phase phase) { return (task.what == core::Do::kCreate) == (phase == Phase::kCreate); }

void name_task(char* name, size_t size, const Set& set, const Task& task) {
  snprintf(name, size, "%u %d %s", set.parent, static_cast<int>(task.what), task.name);
}

void note_progress(Run* run, const Set& set, const Task& task) {
  name_task(run->last_done, sizeof run->last_done, set, task);
}

// The same task once more after it was done would go on for ever.
void check_progress(const Run& run, const Set& set, const Task& task) {
  char now[sizeof run.last_done];
  name_task(now, sizeof now, set, task);
  if (strcmp(now, run.last_done) == 0) elog(ERROR, "partition \"%s\" is planned again after it was done", task.name);
}

void leave(Run* run, Oid leaf) {
  MemoryContext const caller = MemoryContextSwitchTo(run->memory);
  run->left = lappend_oid(run->left, leaf);
  MemoryContextSwitchTo(caller);
}

void keep_error(const Run& run, Member* member, const ErrorData* error) {
  MemoryContext const caller = MemoryContextSwitchTo(run.memory);
  auto* kept = static_cast<ErrorData*>(palloc0(sizeof(ErrorData)));
  kept->elevel = ERROR;
  kept->sqlerrcode = error->sqlerrcode;
  kept->message = pstrdup(error->message);
  if (error->detail != nullptr) kept->detail = pstrdup(error->detail);
  if (error->hint != nullptr) kept->hint = pstrdup(error->hint);
  kept->assoc_context = run.memory;
  member->error = kept;
  MemoryContextSwitchTo(caller);
}

// Does the first thing of this phase that is to be done. Blocked ones only go to
// the log.
State do_task(Run* run, Member* member, const Set& set, Phase phase, pg::Patience patience) {
  const Tasks tasks = plan_set(set, run->clock);
  const Task* next = nullptr;
  for (const Task& task : tasks.all()) {
    if (!is_of(task, phase)) continue;
    if (task.what == core::Do::kBlocked) {
      LogRow row = row_for(set, task);
      row.outcome = Outcome::kBlocked;
      row.message = reason_for(set, task);
      write_log_once(run->id, run->clock, row);
    } else if (next == nullptr && !list_member_oid(run->left, task.leaf)) {
      next = &task;
    }
  }
  if (next == nullptr) return State::kThrough;
  check_progress(*run, set, *next);
  LogRow row = row_for(set, *next);
  bool done;
  row.error = perform(set, *next, patience, &done);
  if (row.error == nullptr) {
    if (!done) return State::kGoing;
    note_progress(run, set, *next);
    if (phase == Phase::kCreate) ++run->created;
    if (phase == Phase::kRetire && next->what != core::Do::kPurge) ++run->retired;
    write_log(run->id, run->clock, row);
    return State::kGoing;
  }
  if (phase == Phase::kRetire && is_blocked(row.error)) {
    leave(run, next->leaf);
    row.outcome = Outcome::kBlocked;
    write_log_once(run->id, run->clock, row);
    return State::kGoing;
  }
  keep_error(*run, member, row.error);
  // A set that is busy is tried again: the log has what came of it in the end.
  if (is_busy(row.error)) return State::kBusy;
  row.outcome = Outcome::kFailed;
  write_log(run->id, run->clock, row);
  return State::kFailed;
}

State do_unit(Run* run, Member* member, Phase phase, pg::Patience patience) {
  if (!lock_set(member->parent)) return State::kElsewhere;
  const Sets sets = load_sets(member->parent);
  if (sets.count == 0) return State::kThrough;  // gone meanwhile
  const Set& set = sets.first[0];
  State state = State::kFailed;
  ErrorData* const error = pg::try_in_subtransaction([&] { state = do_task(run, member, set, phase, patience); });
  if (error == nullptr) return state;
  // It cannot even be planned.
  keep_error(*run, member, error);
  LogRow row;
  row.parent = set.parent;
  row.parent_name = set.name;
  row.action = "plan";
  row.outcome = Outcome::kFailed;
  row.error = error;
  write_log(run->id, run->clock, row);
  return State::kFailed;
}

void commit(Run* run) {
  SPI_commit();
  MemoryContextReset(run->unit);
  CHECK_FOR_INTERRUPTS();
}

// Each unit in a transaction of its own, until there is nothing left of the phase
// or it cannot go on.
void work_on(Run* run, Member* member, Phase phase, pg::Patience patience) {
  do {
    MemoryContext const caller = MemoryContextSwitchTo(run->unit);
    member->state = do_unit(run, member, phase, patience);
    MemoryContextSwitchTo(caller);
    // A round that only looks shares its transaction with the next set's look.
    if (member->state != State::kThrough) commit(run);
  } while (member->state == State::kGoing);
}

bool any_busy(Run* run) {
  for (const Member& member : run->members())
    if (member.state == State::kBusy) return true;
  return false;
}

void run_phase(Run* run, Phase phase) {
  for (Member& member : run->members())
    if (member.state == State::kThrough) work_on(run, &member, phase, {pg::deadline_in(0), false});
  while (any_busy(run) && pg::milliseconds_until(run->until) > 0) {
    pause_for_locks();
    for (Member& member : run->members())
      if (member.state == State::kBusy)
        work_on(run, &member, phase, {Min(run->until, pg::deadline_in(pg::longest_lock_wait())), true});
  }
}

TimestampTz next_try(TimestampTz now, int failures) {
  int64 wait = kFirstRetry;
  for (int i = 0; i < failures && wait < kLastRetry; ++i) wait *= 2;
  return now + Min(wait, kLastRetry);
}

void save_state(const Run& run, const Member& member) {
  const bool failed = member.state == State::kFailed;
  if (member.state == State::kBusy || member.state == State::kElsewhere) {
    LogRow row;
    row.parent = member.parent;
    row.parent_name = get_rel_name(member.parent);
    row.action = "plan";
    row.outcome = member.state == State::kBusy ? Outcome::kBusy : Outcome::kSkipped;
    row.error = member.state == State::kBusy ? member.error : nullptr;
    row.message = "another run is at it";
    write_log(run.id, run.clock, row);
  }
  if (failed || member.failures > 0)
    save_outcome(member.parent, failed ? member.error->message : nullptr, failed, next_try(run.clock, member.failures));
}

void finish(Run* run) {
  int failed = 0;
  for (const Member& member : run->members()) {
    save_state(*run, member);
    failed += member.state == State::kFailed ? 1 : 0;
  }
  LogRow row;
  row.action = "run";
  row.outcome = failed > 0 ? Outcome::kFailed : Outcome::kDone;
  row.message = psprintf("%d tables, %d partitions made, %d retired", run->count, run->created, run->retired);
  write_log(run->id, run->clock, row);
  prune_log(run->clock);
  SPI_commit();
  if (run->named) {
    for (const Member& member : run->members())
      if (member.state == State::kFailed || member.state == State::kBusy)
        ThrowErrorData(const_cast<ErrorData*>(member.error));
  } else if (failed > 0) {
    ereport(WARNING, (errmsg("maintenance of %d of %d tables failed", failed, run->count),
                      errhint("The views chatopt.partition_sets and chatopt.maintenance_log say why.")));
  }
}

bool is_due(const Run& run, const Set& set) {
  if (run.named) return true;
  return may_maintain(set) && !set.paused && !(set.has_retry && set.retry_at > run.clock);
}

Run start(Oid parent, pg::Deadline until) {
  Run run = {};
  run.memory = AllocSetContextCreate(PortalContext, "chatopt maintenance", ALLOCSET_DEFAULT_SIZES);
  run.unit = AllocSetContextCreate(run.memory, "chatopt maintenance unit", ALLOCSET_DEFAULT_SIZES);
  run.id = new_run();
  run.clock = maintenance_now();
  run.until = until;
  run.named = OidIsValid(parent);
  if (run.named) (void)load_set(parent);  // that there is one
  const Sets sets = load_sets(parent);
  run.first = static_cast<Member*>(MemoryContextAllocZero(run.memory, sizeof(Member) * (sets.count + 1)));
  for (const Set& set : std::span<const Set>(sets.first, sets.count))
    if (is_due(run, set)) run.first[run.count++] = {set.parent, State::kThrough, set.failures, nullptr};
  return run;
}

}  // namespace
}  // namespace chatopt::partitions

// CALL maintain(parent regclass, patience interval)
Datum chatopt_partitions_maintain(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  using namespace chatopt::partitions;
  pg::refuse_in_transaction_block(fcinfo, "maintain");
  const Oid parent = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
  if (OidIsValid(parent)) pg::check_owns(parent);
  const long patience = pg::patience_argument(fcinfo, 1);
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  Run run = start(parent, pg::deadline_in(patience));
  run_phase(&run, Phase::kCreate);
  run_phase(&run, Phase::kRetire);
  finish(&run);
  SPI_finish();
  PG_RETURN_VOID();
}
