#include "pg/lock_ladder.hpp"

#include "pg/boundary.hpp"
#include "pg/lock_holders.hpp"

namespace chatopt::pg {
namespace {

using Locks = std::span<const WantedLock>;

constexpr int kQuickTries = 8;
constexpr long kQuickPause = 5;  // milliseconds, two more from try to try
constexpr long kFirstPause = 20;
constexpr long kLongestPause = 1000;
constexpr int kFirstWait = 25;
constexpr int kDefaultLongestWait = 2000;
constexpr int kNamedHolders = 3;

// In a subtransaction, like the tries that wait: a replica that replays an ACCESS EXCLUSIVE lock lets go of it only at
// the end of the transaction that took it.
bool try_at_once(Locks wanted) {
  return in_subtransaction([&] {
    for (const WantedLock& lock : wanted)
      if (!ConditionalLockRelationOid(lock.relation, lock.mode)) return false;
    return true;
  });
}

// lock_timeout is a limit for each lock: what is left of the time is given to each.
void lock_before(Deadline until, const WantedLock& lock) {
  const long left = Max(milliseconds_until(until), 1);
  (void)set_config_option("lock_timeout", psprintf("%ld", left), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                          false);
  LockRelationOid(lock.relation, lock.mode);
}

bool try_waiting(Locks wanted, int milliseconds) {
  const Deadline until = deadline_in(milliseconds);
  ErrorData* error = try_in_subtransaction([&] {
    const int level = NewGUCNestLevel();
    for (const WantedLock& lock : wanted) lock_before(until, lock);
    AtEOXact_GUC(false, level);
  });
  if (error == nullptr) return true;
  if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE && error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED)
    ReThrowError(error);
  return false;
}

// How long the next try may wait, 0: it may not. Behind an autovacuum as long as it takes until that gives way.
int next_wait(const LockHolders& holders, int wait, int longest) {
  const TimestampTz now = GetCurrentTimestamp();
  bool gives_way = holders.count > 0;
  for (int i = 0; i < holders.count; ++i) {
    const LockHolder& holder = holders.list[i];
    if (holder.gives_way && DeadlockTimeout < longest) continue;
    gives_way = false;
    if (holder.since != 0 && TimestampDifferenceExceeds(holder.since, now, longest)) return 0;
  }
  return gives_way ? longest : Min(wait, longest);
}

void pause(long milliseconds) {
  (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds, PG_WAIT_EXTENSION);
  ResetLatch(MyLatch);
  CHECK_FOR_INTERRUPTS();
}

// Those who hold one of the tables, as sentences.
const char* described(const LockHolders& holders, Oid relation) {
  StringInfoData text;
  initStringInfo(&text);
  int count = 0;
  for (int i = 0; i < holders.count; ++i) {
    const LockHolder& holder = holders.list[i];
    if (holder.relation != relation || ++count > kNamedHolders) continue;
    if (count > 1) appendStringInfoChar(&text, ' ');
    if (holder.pid == 0)
      appendStringInfo(&text, "Prepared transaction \"%s\" holds it.", holder.name);
    else if (holder.gives_way)
      appendStringInfo(&text, "Process %d, an autovacuum, holds it.", holder.pid);
    else if (holder.name == nullptr)
      appendStringInfo(&text, "Process %d holds it.", holder.pid);
    else
      appendStringInfo(&text, "Process %d of role \"%s\" holds it.", holder.pid, holder.name);
  }
  if (count > kNamedHolders) appendStringInfo(&text, " So do %d others.", count - kNamedHolders);
  return text.data;
}

[[noreturn]] void give_up(Locks wanted) {
  const LockHolders holders = holders_against(wanted);
  const Oid relation = holders.count > 0 ? holders.list[0].relation : wanted.front().relation;
  const char* name = get_rel_name(relation);
  ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                  errmsg("could not obtain lock on relation \"%s\"", name == nullptr ? "?" : name),
                  errdetail("%s", holders.count > 0 ? described(holders, relation) : "Others wait for it or held it."),
                  errhint("Try again when their transactions have ended.")));
  pg_unreachable();
}

// A table may have been dropped while we waited.
void check_there(Locks wanted) {
  for (const WantedLock& lock : wanted)
    if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(lock.relation)))
      ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", lock.relation)));
}

// A try that waits, if it is worth it.
bool climb(Locks wanted, Patience patience, int* wait) {
  const int longest = longest_lock_wait();
  const int milliseconds = next_wait(holders_against(wanted), *wait, longest);
  if (milliseconds == 0) return false;
  *wait = Min(2 * *wait, longest);
  return try_waiting(wanted, static_cast<int>(Min(milliseconds, Max(milliseconds_until(patience.until), 1))));
}

bool try_quickly(Locks wanted) {
  for (int i = 0; i < kQuickTries; ++i) {
    if (i > 0) pause(kQuickPause + 2 * i);
    if (try_at_once(wanted)) return true;
  }
  return false;
}

void climb_until_had(Locks wanted, Patience patience, MemoryContext memory) {
  int wait = kFirstWait;
  for (long rest = kFirstPause; milliseconds_until(patience.until) > 0;) {
    if (patience.waits && climb(wanted, patience, &wait)) return;
    MemoryContextReset(memory);
    pause(Min(rest, Max(milliseconds_until(patience.until), 1)));
    if (patience.waits) rest = Min(2 * rest, kLongestPause);
    if (try_at_once(wanted)) return;
  }
  give_up(wanted);
}

}  // namespace

int longest_lock_wait() { return LockTimeout > 0 ? LockTimeout : kDefaultLongestWait; }

void take_locks(Locks wanted, Patience patience) {
  if (!try_quickly(wanted)) {
    MemoryContext caller = CurrentMemoryContext;
    MemoryContext memory = AllocSetContextCreate(caller, "chatopt lock ladder", ALLOCSET_SMALL_SIZES);
    MemoryContextSwitchTo(memory);
    climb_until_had(wanted, patience, memory);
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(memory);
  }
  check_there(wanted);
}

}  // namespace chatopt::pg
