#include "counters/progress.hpp"

#include "counters/config.hpp"

namespace chatopt::counters {
namespace {

constexpr int kReportEveryMilliseconds = 5000;

}  // namespace

void start_progress(Progress* progress, int64 total) {
  progress->total = total;
  progress->started = progress->reported = GetCurrentTimestamp();
}

void save_progress(Oid messages, const Progress* progress) {
  Oid types[] = {OIDOID, TEXTOID, INT8OID, INT8OID, INT4OID, NAMEOID, TIMESTAMPTZOID};
  NameData role;
  namestrcpy(&role, GetUserNameFromId(GetUserId(), false));
  Datum values[] = {ObjectIdGetDatum(messages), CStringGetTextDatum(progress->task), Int64GetDatum(progress->done),
                    Int64GetDatum(progress->total), Int32GetDatum(MyProcPid), NameGetDatum(&role),
                    TimestampTzGetDatum(progress->started)};
  (void)run_as_config_owner(
      "INSERT INTO chatopt.progress_log AS p (messages, task, done, total, pid, username, started_at) VALUES ($1, $2, "
      "$3, $4, $5, $6, $7) ON CONFLICT (messages, task) DO UPDATE SET done = excluded.done, total = excluded.total, pid "
      "= excluded.pid, username = excluded.username, started_at = excluded.started_at, updated_at = clock_timestamp()",
      7, types, values, nullptr);
}

void report_progress(Progress* progress) {
  const TimestampTz now = GetCurrentTimestamp();
  if (!TimestampDifferenceExceeds(progress->reported, now, kReportEveryMilliseconds)) return;
  progress->reported = now;
  ereport(NOTICE, (errmsg("%s: %lld of %lld done", progress->task, static_cast<long long>(progress->done),
                          static_cast<long long>(progress->total))));
}

void end_progress(Oid messages, const Progress* progress) {
  Oid types[] = {OIDOID, TEXTOID};
  Datum values[] = {ObjectIdGetDatum(messages), CStringGetTextDatum(progress->task)};
  (void)run_as_config_owner("DELETE FROM chatopt.progress_log WHERE messages = $1 AND task = $2", 2, types, values,
                            nullptr);
}

}  // namespace chatopt::counters
