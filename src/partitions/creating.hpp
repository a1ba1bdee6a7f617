// A new partition.
#pragma once

#include "partitions/planning.hpp"
#include "pg/lock_ladder.hpp"

namespace chatopt::partitions {

// Builds the table with all that its parent has, then takes the locks, then
// attaches it, as the table's owner. Raises 55P03 where the locks are not to be
// had, 42P07 where the name is taken.
void create_partition(const Set& set, const Task& task, pg::Patience patience);

}  // namespace chatopt::partitions
