// A partition whose time is over.
#pragma once

#include "partitions/planning.hpp"
#include "pg/lock_ladder.hpp"

namespace chatopt::partitions {

// Detaches it, and drops it or moves it to the archive, as the set says; or
// finishes a DETACH CONCURRENTLY. As the table's owner. Raises 55P03 where the
// locks are not to be had, 23503 where rows of other tables need it.
void retire_partition(const Set& set, const Task& task, pg::Patience patience);

}  // namespace chatopt::partitions
