#include "partitions/performing.hpp"

#include "partitions/creating.hpp"
#include "partitions/detaching.hpp"
#include "partitions/purging.hpp"
#include "counters/purge_mark.hpp"
#include "pg/boundary.hpp"
#include "pg/identity.hpp"

namespace chatopt::partitions {
namespace {

constexpr long kPauseMilliseconds = 200;

// Marks the partition, or takes its next messages out of the counters. True: they all are.
bool purge_step(const Set& set, const Task& task, pg::Patience patience) {
  if (!OidIsValid(counters::purge_mark_now(task.leaf).partition)) {
    const pg::WantedLock writers[] = {{task.leaf, ShareLock}};
    pg::take_locks(writers, patience);
    mark_retiring(set.parent, task.leaf);
    return false;
  }
  const Purge purge = purge_batch(task.leaf, kPurgeBatch);
  if (purge == Purge::kBusy)
    ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                    errmsg("counters of messages in partition \"%s\" are locked", task.name)));
  return purge == Purge::kFinished;
}

}  // namespace

bool lock_set(Oid parent) {
  LOCKTAG tag;
  SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, parent, 0, 0);
  tag.locktag_type = LOCKTAG_USERLOCK;
  return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

ErrorData* perform(const Set& set, const Task& task, pg::Patience patience, bool* done) {
  *done = true;
  return pg::try_in_subtransaction([&] {
    // Acts as the owner by itself, and waits for counters.
    if (task.what == core::Do::kPurge) {
      *done = purge_step(set, task, patience);
      return;
    }
    pg::as_owner(set.owner, [&] {
      if (task.what == core::Do::kCreate)
        create_partition(set, task, patience);
      else
        *done = retire_partition(set, task, patience);
    });
  });
}

bool is_busy(const ErrorData* error) {
  return error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE || error->sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED;
}

bool is_blocked(const ErrorData* error) {
  return error->sqlerrcode == ERRCODE_FOREIGN_KEY_VIOLATION ||
         error->sqlerrcode == ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
}

LogRow row_for(const Set& set, const Task& task) {
  LogRow row;
  row.parent = set.parent;
  row.parent_name = set.name;
  row.action = task.what == core::Do::kBlocked ? "plan" : task.what == core::Do::kPurge ? "purge" : word_for(task);
  row.partition = task.name;
  row.lower = task.lower;
  row.upper = task.upper;
  return row;
}

void pause_for_locks() {
  (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kPauseMilliseconds, PG_WAIT_EXTENSION);
  ResetLatch(MyLatch);
  CHECK_FOR_INTERRUPTS();
}

}  // namespace chatopt::partitions
