// Random tables, policies and clocks for the laws of planning.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "times.hpp"
#include "twin.hpp"
#include "tzif.hpp"

namespace chatopt::test {

using namespace core;

inline constexpr Axis kAxes[] = {{AxisKind::kTimestamptz, 0, 0},
                                 {AxisKind::kTimestamp, 0, 0},
                                 {AxisKind::kDate, 0, 0},
                                 {AxisKind::kEpochSeconds, 0, 0},
                                 {AxisKind::kEpochMilliseconds, 0, 0},
                                 {AxisKind::kUuidv7, 0, 0},
                                 {AxisKind::kSnowflake, 1'288'834'974'657, 22}};

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  const ZoneRules& one_of(const std::vector<ZoneRules>& zones) {
    return zones[static_cast<std::size_t>(from(0, static_cast<std::int64_t>(zones.size()) - 1))];
  }
  std::int64_t from(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
  }
  bool one_in(int n) { return from(1, n) == 1; }
  template <class T, std::size_t N>
  const T& one_of(const T (&all)[N]) {
    return all[static_cast<std::size_t>(from(0, N - 1))];
  }

 private:
  std::mt19937_64 random_;
};

inline std::int64_t days_of(Every every) {
  const std::int64_t days[] = {1, 7, 31, 92, 366};
  return days[static_cast<int>(every)];
}

inline Policy random_policy(Dice& dice, const ZoneRules& rules) {
  Policy policy;
  policy.scale = {dice.one_of(kAxes), rules.zone(), dice.one_of(kEveries)};
  policy.premake = static_cast<int>(dice.from(0, 6));
  const std::int64_t days = days_of(policy.scale.every);
  if (!dice.one_in(4))
    policy.keep = Span{dice.one_in(2) ? dice.from(0, 3 + days / 20) : 0, dice.from(0, 4 * days),
                       dice.one_in(3) ? dice.from(-30 * kHour, 30 * kHour) : 0};
  policy.after = static_cast<After>(dice.from(0, 2));
  policy.purges = dice.one_in(2);
  return policy;
}

inline Policy monthly_of(const Zone& zone, AxisKind kind) {
  Policy policy;
  policy.scale = {{kind, 0, 0}, zone, Every::kMonth};
  return policy;
}

// Whole periods, some missing, some cut at odd places; wide, default, held and other partitions.
inline Table random_table(Dice& dice, const Policy& policy, Instant now) {
  Table table;
  const Position unit = *position_of(policy.scale.axis, Zone(), Instant{now.micros + kMicrosPerDay}) -
                        *position_of(policy.scale.axis, Zone(), now);
  Period period = *period_at(policy.scale, now);
  for (std::int64_t back = dice.from(0, 12); back > 0; --back) period = *previous_period(policy.scale, period);
  const int kind = static_cast<int>(dice.from(1, 5));
  Position end = period.lower;
  for (std::int64_t left = dice.from(0, 20); left > 0; --left, period = *next_period(policy.scale, period)) {
    if (dice.one_in(1 + kind)) continue;
    const Position length = period.upper - period.lower;
    Position lower = std::max(end, dice.one_in(4) ? period.lower + dice.from(0, length - 1) : period.lower);
    Position upper = dice.one_in(4) ? lower + 1 + dice.from(0, 2 * length) : period.upper;
    if (dice.one_in(30)) upper += 3 * length + unit;
    if (lower >= upper) continue;
    Existing& added = table.add(lower, upper);
    end = upper;
    added.held = dice.one_in(8);
    added.blocked = dice.one_in(8);
    added.pending = dice.one_in(12);
    added.purge = dice.one_in(3) ? static_cast<Purge>(dice.from(0, 3)) : Purge::kNone;
    added.below = table.partitions().size() == 1 && dice.one_in(4);
  }
  if (dice.one_in(4)) table.add(end, end + unit).above = dice.one_in(2);
  if (dice.one_in(4)) table.add_default();
  return table;
}

inline Instant random_now(Dice& dice, const ZoneRules& rules) {
  Instant now{dice.from(at("1990-01-01 00:00+00").micros, at("2060-01-01 00:00+00").micros)};
  // Often near where the zone changes.
  if (dice.one_in(2) && !rules.transitions.empty()) {
    const auto i = static_cast<std::size_t>(dice.from(0, static_cast<std::int64_t>(rules.transitions.size()) - 1));
    const Instant change{(rules.transitions[i].at - kDaysTo2000 * kSecondsPerDay) * kMicrosPerSecond};
    if (change > at("1990-01-01 00:00+00") && change < at("2060-01-01 00:00+00"))
      now.micros = change.micros + dice.from(-26, 26) * kHour / 2 + dice.from(-1, 1);
  }
  return now;
}

}  // namespace chatopt::test
