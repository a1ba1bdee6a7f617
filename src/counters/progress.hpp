// How far a procedure that commits in batches has come: for the view
// chatopt.progress and, now and then, a NOTICE.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::counters {

struct Progress {
  const char* task;
  int64 done;
  int64 total;
  int64 steps;
  TimestampTz started;
  TimestampTz reported;
};

void start_progress(Progress* progress, int64 total);
void save_progress(Oid messages, const Progress* progress);  // inside a transaction, with SPI connected
void report_progress(Progress* progress);
void end_progress(Oid messages, const Progress* progress);

}  // namespace chatopt::counters
