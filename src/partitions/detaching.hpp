// A partition whose time is over.
#pragma once

#include "partitions/planning.hpp"
#include "pg/lock_ladder.hpp"

namespace chatopt::partitions {

// One step of its going, as the table's owner: a batch of rows of other tables
// that refer to it; then it is detached, and dropped or moved to the archive, as
// the set says; or a DETACH CONCURRENTLY is finished. False: there is more to do.
// Raises 55P03 where the locks are not to be had, 23503 where rows of other tables
// need it.
bool retire_partition(const Set& set, const Task& task, pg::Patience patience);

}  // namespace chatopt::partitions
