// Who holds the locks that stand in the way of others.
#pragma once

#include <span>

#include "pg/lock_ladder.hpp"
#include "pg/postgres.hpp"

namespace chatopt::pg {

struct LockHolder {
  Oid relation;
  int pid;            // 0: a prepared transaction
  const char* name;   // the role, or the prepared transaction's identifier
  TimestampTz since;  // when its transaction began; 0: unknown
  bool gives_way;     // an autovacuum, which ends for whom it keeps waiting longer than deadlock_timeout
};

struct LockHolders {
  LockHolder* list;
  int count;
};

// All that conflict with the wanted locks now, but not this session; in the current memory context.
LockHolders holders_against(std::span<const WantedLock> wanted);

}  // namespace chatopt::pg
