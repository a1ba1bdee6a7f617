// The windows of time that planning looks at.
#include "core/partitions/planner.hpp"

#include <algorithm>
#include <limits>

#include "core/partitions/checked.hpp"

namespace chatopt::core {
namespace {

constexpr Position kKeepsAll = std::numeric_limits<Position>::min();

// The greatest number of days in one.
std::int64_t days_of(Every every) noexcept {
  switch (every) {
    case Every::kDay:
      return 1;
    case Every::kWeek:
      return 7;
    case Every::kMonth:
      return 31;
    case Every::kQuarter:
      return 92;
    case Every::kYear:
      break;
  }
  return 366;
}

// instant and so many days, not far beyond PostgreSQL's times.
Instant plus_days(Instant instant, std::int64_t days) noexcept {
  constexpr std::int64_t kLeast = kLeastMicros - 8 * kMicrosPerDay;
  constexpr std::int64_t kGreatest = kEndMicros + 8 * kMicrosPerDay;
  std::int64_t micros;
  if (multiply_overflows(days, kMicrosPerDay, micros) || add_overflows(instant.micros, micros, micros))
    return {days < 0 ? kLeast : kGreatest};
  return {std::clamp(micros, kLeast, kGreatest)};
}

// Between which days, counted from now, now - keep is by the calendar; 0 is in between. The rest of keep is real time,
// of which no zone is asked.
struct Reach {
  std::int64_t from;
  std::int64_t to;
};
Reach reach_of(const Span& keep) noexcept {
  // Beyond PostgreSQL's times either way.
  constexpr std::int64_t kMost = 300'000'000;
  const std::int64_t months = std::clamp(keep.months, -kMost, kMost);
  const std::int64_t days = std::clamp(keep.days, -kMost, kMost);
  const auto [fewest, most] = std::minmax({28 * months, 31 * months});
  return {std::min(-most - days, std::int64_t{0}), std::max(-fewest - days, std::int64_t{0})};
}

// The policy's window: see oldest_kept; each step gives the least for all later times.
Result<Position> least_kept(const Scale& scale, const Span& keep, Local now) noexcept {
  const auto& [axis, zone, every] = scale;
  if (axis.is_local()) {
    const Result<Local> local = least_minus(now, keep);
    if (!local) return local.error();
    return position_of(axis, zone, *local);
  }
  // As PostgreSQL subtracts an interval from a timestamptz: months and days by the calendar, the rest in real time.
  const Result<Local> local = least_minus(now, {keep.months, keep.days, 0});
  if (!local) return local.error();
  Result<Instant> instant = zone.least_utc(*local);
  if (!instant) return instant.error();
  Instant least;
  if (subtract_overflows(instant->micros, keep.micros, least.micros)) return PartitionError::kOutOfRange;
  return position_of(axis, zone, least);
}

}  // namespace

Window needed_window(std::span<const Existing> existing, const Policy& policy, Instant now) noexcept {
  constexpr std::int64_t kMarginDays = 4;
  const std::int64_t period = days_of(policy.scale.every);
  const std::int64_t periods = std::clamp(policy.premake, 0, kMostPremake) + 2;
  const Reach reach = policy.keep ? reach_of(*policy.keep) : Reach{0, 0};
  Instant from = plus_days(now, reach.from);
  const Result<Position> end = position_of(policy.scale.axis, Zone(), plus_days(now, 1));
  for (const Existing& partition : existing) {
    if (partition.is_default || partition.above || !end || partition.upper > *end) continue;
    const Result<Instant> upper = instant_of(policy.scale.axis, Zone(), partition.upper);
    from = std::min(from, upper ? *upper : Instant{kLeastMicros});
  }
  return {plus_days(from, -period - kMarginDays), plus_days(now, std::max(period * periods, reach.to) + kMarginDays)};
}

Result<Position> oldest_kept(const Policy& policy, Instant now) noexcept {
  if (!policy.keep) return kKeepsAll;
  const auto& [axis, zone, every] = policy.scale;
  const Result<Local> local = zone.least_local(now);
  if (!local) return local.error();
  const Result<Position> here = axis.is_local() ? position_of(axis, zone, *local) : position_of(axis, zone, now);
  if (!here) return here;
  const Result<Position> kept = least_kept(policy.scale, *policy.keep, *local);
  // A window that begins before all times keeps everything.
  if (!kept) return kept.error() == PartitionError::kOutOfRange ? Result<Position>(kKeepsAll) : kept;
  return std::min(*here, *kept);
}

}  // namespace chatopt::core
