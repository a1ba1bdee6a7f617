// One thing that maintenance does, in the caller's transaction.
#pragma once

#include "partitions/log.hpp"
#include "partitions/planning.hpp"
#include "pg/lock_ladder.hpp"

namespace chatopt::partitions {

// Keeps other runs away from the set until the end of the transaction. False:
// another run is at it.
bool lock_set(Oid parent);

// Does the task, or the next batch of it, in a subtransaction. NULL: it went well,
// and done says whether there is more to do; else the error that it raised. A
// cancel passes through.
ErrorData* perform(const Set& set, const Task& task, pg::Patience patience, bool* done);

// A lock was not to be had: worth another try.
bool is_busy(const ErrorData* error);
// The partition may not go: worth no other try in this run.
bool is_blocked(const ErrorData* error);

// What the log says of it, but for the outcome.
LogRow row_for(const Set& set, const Task& task);

// Between two tries.
void pause_for_locks();

}  // namespace chatopt::partitions
