// Several table locks at once, without anybody queueing behind us for longer than a stated time.
//
// All of them or none: first by tries that do not wait, so that nobody notices; then, while that fails, by waiting in
// the lock queue for 25, 50, 100 … milliseconds and at most lock_timeout (2 s where it is not set) for the whole list.
// Waiting is left out while a holder's transaction is older than that: behind a report it would only hold up everyone
// else. Between the tries nothing is held, and the pauses grow to a second.
#pragma once

#include <span>

#include "pg/deadline.hpp"
#include "pg/postgres.hpp"

namespace chatopt::pg {

struct WantedLock {
  Oid relation;
  LOCKMODE mode;
};

// How long to go on. The first tries, a tenth of a second without waiting, are made in any case.
struct Patience {
  Deadline until;
  bool waits = true;  // false: only tries that do not wait
};

// Takes the locks in the order given, until the end of the transaction. Raises 55P03, which names who holds what, when
// patience is over (a deadlock is a failed try like any other), 42P01 where a table is gone.
// Needs a transaction, leaves the caller's snapshot alone: read the catalogue again afterwards.
void take_locks(std::span<const WantedLock> wanted, Patience patience);

// Milliseconds that one try may wait: lock_timeout, 2000 where it is not set.
int longest_lock_wait();

}  // namespace chatopt::pg
