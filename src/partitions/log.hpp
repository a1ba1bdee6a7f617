// What maintenance did, as chatopt.maintenance_history keeps it.
#pragma once

#include "pg/deadline.hpp"
#include "pg/postgres.hpp"

namespace chatopt::partitions {

enum class Outcome { kDone, kBusy, kBlocked, kFailed, kSkipped };

// One row. Strings may be NULL. The texts of an error are error's; else message says why not.
struct LogRow {
  Oid parent = InvalidOid;
  const char* parent_name = nullptr;
  const char* action = nullptr;
  const char* partition = nullptr;
  const char* lower = nullptr;
  const char* upper = nullptr;
  Outcome outcome = Outcome::kDone;
  const ErrorData* error = nullptr;
  const char* message = nullptr;
  pg::Deadline started = pg::deadline_in(0);
};

// A number that no other run has had.
int64 new_run();

void write_log(int64 run, TimestampTz clock, const LogRow& row);
// The same, unless the last row of that partition says so already.
void write_log_once(int64 run, TimestampTz clock, const LogRow& row);

// Drops the rows of runs more than 400 days before this time, and all but the
// newest 100,000.
void prune_log(TimestampTz clock);

}  // namespace chatopt::partitions
