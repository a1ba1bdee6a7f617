#include "partitions/zone.hpp"

namespace chatopt::partitions {
namespace {

constexpr int64 kSecondsTo2000 = core::kDaysTo2000 * core::kSecondsPerDay;

// Seconds from 1970. Beyond what PostgreSQL can hold nothing is asked.
int64 seconds_of(core::Instant instant) {
  const int64 micros = Min(Max(instant.micros, core::kLeastMicros), core::kEndMicros - 1);
  return micros / core::kMicrosPerSecond + kSecondsTo2000 - (micros % core::kMicrosPerSecond < 0 ? 1 : 0);
}

}  // namespace

core::Zone load_zone(const char* name, core::Window window) {
  pg_tz* const zone = pg_tzset(name);
  if (zone == nullptr)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("time zone \"%s\" does not exist", name),
                    errhint("The server's time zones have changed; name another with chatopt.partition.")));
  pg_time_t at = seconds_of(window.from);
  const pg_time_t end = seconds_of(window.to);
  int room = 64;
  int count = 0;
  auto* transitions = static_cast<core::Transition*>(palloc(sizeof(core::Transition) * room));
  long before;
  long after;
  int before_is_dst;
  int after_is_dst;
  pg_time_t boundary;
  int32 first = 0;
  // The offset before the first boundary is told in any case.
  for (bool begun = false;; begun = true) {
    const int found = pg_next_dst_boundary(&at, &before, &before_is_dst, &boundary, &after, &after_is_dst, zone);
    if (found < 0) elog(ERROR, "time zone \"%s\" cannot be read", name);
    if (!begun) first = static_cast<int32>(before);
    if (found == 0 || boundary > end) break;
    if (count == room)
      transitions = static_cast<core::Transition*>(repalloc(transitions, sizeof(core::Transition) * (room *= 2)));
    transitions[count++] = {boundary, static_cast<int32>(after)};
    at = boundary;
  }
  return core::Zone(first, {transitions, static_cast<size_t>(count)}, window);
}

}  // namespace chatopt::partitions
