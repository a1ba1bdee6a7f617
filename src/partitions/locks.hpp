// The locks that attaching and detaching a partition take, in the one order in
// which they are taken: parent, targets of its foreign keys, tables whose foreign
// keys point to it, the partition.
#pragma once

#include <span>

#include "pg/lock_ladder.hpp"
#include "pg/postgres.hpp"

namespace chatopt::partitions {

// What PostgreSQL's ATTACH takes: SHARE UPDATE EXCLUSIVE on the parent, ACCESS
// EXCLUSIVE on a default partition. In the current memory context.
std::span<const pg::WantedLock> attach_locks(Oid parent);

// What its DETACH takes: ACCESS EXCLUSIVE but for the targets.
std::span<const pg::WantedLock> detach_locks(Oid parent, Oid leaf);

}  // namespace chatopt::partitions
