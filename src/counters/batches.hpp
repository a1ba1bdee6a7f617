// Long work, one conversation after the other, in transactions of a batch each:
// what backfill and repair share, and what a follower is filled in by.
//
// Nobody is ever waited for while holding a lock that the application may want:
// a step that meets a row somebody else holds gives up, its subtransaction is
// rolled back, and it is tried again after a commit and a pause.
#pragma once

#include "counters/follower.hpp"
#include "counters/ledgers.hpp"
#include "counters/progress.hpp"
#include "counters/row.hpp"
#include "counters/stored_messages.hpp"
#include "pg/boundary.hpp"
#include "pg/identity.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

// What a run keeps between its transactions; in the portal's memory.
struct Run {
  Oid messages;
  int64 batch_size;
  MemoryContext memory;
  MemoryContext step;  // emptied after each step
  Progress progress;
  int64 committed;  // of progress.done
  Place busy;       // the row that somebody held at the last try; relation 0: none
  long pause;
};

// Raises 25001.
void refuse_in_transaction_block(FunctionCallInfo fcinfo, const char* procedure);

// For CALL chatopt.<task>(messages, …): raises 25001 in a transaction block,
// 42501, and 55000 where the chat cannot be worked on.
Run start_run(FunctionCallInfo fcinfo, const char* task);
// The same run with a task of its own.
Run next_task(const Run& run, const char* task);

void commit(Run* run);
// Somebody holds what is needed next: longer and longer, up to a second.
void pause(Run* run);

// The one integer that a query gives, as the owner of messages.
int64 query_integer(Run* run, const char* sql);

// Some conversations, by their keys.
struct Keys {
  Datum* values;
  uint64 count;
};
// In the run's memory.
Datum kept_key(Run* run, const Chat& chat, Datum key);
// Those that a query gives in key order after the last one ($1, NULL at first);
// at most a thousand.
Keys keys_after(Run* run, const char* sql, bool after, Datum last);

// Runs body(key) for every key that query(chat) gives; NULL: there are none.
template <class Query, class Body>
void for_each_key(Run* run, Query&& query, Body&& body) {
  Datum last = 0;
  for (bool after = false;; after = true) {
    const char* sql = query(*attached_chat(run->messages));
    if (sql == nullptr) return;
    const Keys keys = keys_after(run, sql, after, last);
    for (uint64 i = 0; i < keys.count; ++i) body(keys.values[i]);
    if (keys.count == 0) return;
    last = keys.values[keys.count - 1];
  }
}

// Runs body(chat, counter) with the conversation's counter locked, as the owner
// of messages, and with a snapshot taken under the lock. What it did stays unless
// it was busy. Waits for the lock only when told to: when the transaction holds
// nothing else. A conversation that is gone is done, without the body.
template <class Body>
Step under_lock(Run* run, Datum key, bool wait, Body&& body) {
  const pg::Identity before = pg::become_owner(attached_chat(run->messages)->owner, SECURITY_RESTRICTED_OPERATION);
  MemoryContext caller = MemoryContextSwitchTo(run->step);
  Step step = Step::kBusy;
  (void)pg::in_subtransaction([&] {
    const Chat& chat = *attached_chat(run->messages);
    auto& ledger = counters::ledger();
    core::Counter& counter = counter_of(chat, ledger, pg::image_of(&key, chat.key_type));
    const CounterLock lock = lock_counter_unless_busy(chat, ledger, counter, wait);
    if (lock == CounterLock::kGone) step = Step::kDone;
    if (lock == CounterLock::kLocked) {
      PushActiveSnapshot(GetTransactionSnapshot());
      step = body(chat, counter);
      PopActiveSnapshot();
    }
    return step != Step::kBusy;
  });
  MemoryContextSwitchTo(caller);
  MemoryContextReset(run->step);
  pg::become(before);
  return step;
}

// Repeats attempt(wait), a step of one conversation, until it is done. Holds the
// last step's locks when it returns.
template <class Attempt>
void until_done(Run* run, Attempt&& attempt) {
  for (;;) {
    const Step step = attempt(true);
    if (step == Step::kDone) break;
    commit(run);
    if (step == Step::kBusy)
      pause(run);
    else
      run->pause = 0;
  }
  run->pause = 0;
}

// attempt(key) for each key, and finish(key) in transactions of its own where one
// attempt was not enough. Small conversations share a transaction, of at most a
// tenth of a batch: what is done keeps its senders waiting until the commit.
template <class Query, class Attempt, class Finish>
void in_batches(Run* run, Query&& query, Attempt&& attempt, Finish&& finish) {
  for_each_key(run, query, [&](Datum key) {
    if (attempt(key) != Step::kDone) {
      commit(run);
      finish(key);
    }
    if (run->progress.done - run->committed >= run->batch_size / 10 || run->progress.steps++ % 100 == 99) commit(run);
    CHECK_FOR_INTERRUPTS();
  });
  commit(run);
}

}  // namespace chatopt::counters
