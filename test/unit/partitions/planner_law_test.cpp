// The laws of planner.hpp, for random tables, policies, zones and clocks.
#include "core/partitions/planner.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "times.hpp"
#include "twin.hpp"
#include "tzif.hpp"

namespace {

using namespace chatopt::core;
using chatopt::test::all_zones;
using chatopt::test::at;
using chatopt::test::kEveries;
using chatopt::test::kHour;
using chatopt::test::kMaximum;
using chatopt::test::lower_of;
using chatopt::test::Steps;
using chatopt::test::Table;
using chatopt::test::upper_of;
using chatopt::test::ZoneRules;

constexpr Axis kAxes[] = {{AxisKind::kTimestamptz, 0, 0},
                          {AxisKind::kTimestamp, 0, 0},
                          {AxisKind::kDate, 0, 0},
                          {AxisKind::kEpochSeconds, 0, 0},
                          {AxisKind::kEpochMilliseconds, 0, 0},
                          {AxisKind::kUuidv7, 0, 0},
                          {AxisKind::kSnowflake, 1'288'834'974'657, 22}};

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
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

std::int64_t days_of(Every every) {
  const std::int64_t days[] = {1, 7, 31, 92, 366};
  return days[static_cast<int>(every)];
}

Policy random_policy(Dice& dice, const ZoneRules& rules) {
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

// Whole periods, some missing, some cut at odd places; wide, default, held and other partitions.
Table random_table(Dice& dice, const Policy& policy, Instant now) {
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

// Ascending; overlaps is set where two have a position in common.
struct Covered {
  std::vector<std::pair<Position, Position>> parts;
  void add(Position lower, Position upper) { parts.emplace_back(lower, upper); }
  [[nodiscard]] bool overlaps() {
    std::sort(parts.begin(), parts.end());
    for (std::size_t i = 1; i < parts.size(); ++i)
      if (parts[i].first < parts[i - 1].second) return true;
    return false;
  }
  [[nodiscard]] bool covers(Position from, Position to) {
    std::sort(parts.begin(), parts.end());
    for (const auto& [lower, upper] : parts)
      if (lower <= from && upper > from) from = upper;
    return from >= to;
  }
};
Covered covered_by(const Table& table) {
  Covered covered;
  for (const Existing& partition : table.partitions())
    if (!partition.is_default) covered.add(lower_of(partition), upper_of(partition));
  return covered;
}

// now - keep as a DBA would write it; a window that begins before all times, or after now, is at its end.
Position naive_kept(const Policy& policy, Instant now) {
  const auto& [axis, zone, every] = policy.scale;
  const Position here = *position_of(axis, zone, now);
  const Local local = *zone.to_local(now);
  if (axis.is_local()) return std::min(here, *position_of(axis, zone, *minus(local, *policy.keep)));
  const Local by_calendar = *minus(local, {policy.keep->months, policy.keep->days, 0});
  const Instant from{zone.to_utc(by_calendar)->micros - policy.keep->micros};
  return std::min(here, *position_of(axis, zone, from));
}

void check_creates(const Table& table, const Policy& policy, Instant now, const Steps& plan) {
  const Period current = *period_at(policy.scale, now);
  Period last = current;
  for (int i = 0; i < policy.premake; ++i) last = *next_period(policy.scale, last);
  Covered all = covered_by(table);
  const Position kept = policy.keep ? naive_kept(policy, now) : chatopt::test::kMinimum;
  Position past = kMaximum;
  const Position here = *position_of(policy.scale.axis, policy.scale.zone, now);
  for (const auto& [lower, upper] : all.parts)
    if (upper <= here) past = past == kMaximum ? upper : std::max(past, upper);
  ASSERT_FALSE(all.overlaps());
  bool older = false;
  for (const Step& step : plan.creates()) {
    all.add(step.lower, step.upper);
    ASSERT_LT(step.lower, step.upper);
    const Period period = *period_at(policy.scale, step.lower);
    ASSERT_LE(step.upper, period.upper) << step;
    ASSERT_EQ(step.whole, step.lower == period.lower && step.upper == period.upper) << step;
    ASSERT_EQ(step.named,
              step.whole ? *midnight(period.start) : *local_of(policy.scale.axis, policy.scale.zone, step.lower));
    ASSERT_EQ(step.why == Reason::kCurrent, period == current && !(older |= step.why == Reason::kOlder)) << step;
    if (step.why == Reason::kOlder) {
      ASSERT_TRUE(past <= step.lower && step.upper <= current.lower && step.upper > kept) << step;
    } else {
      ASSERT_TRUE(!older && current.lower <= step.lower && step.upper <= last.upper) << step;
    }
  }
  ASSERT_FALSE(all.overlaps());
  ASSERT_TRUE(all.covers(std::max(current.lower, kept), last.upper));
  if (past < current.lower) {
    ASSERT_TRUE(all.covers(std::max(past, kept), current.lower));
  }
}

void check_others(const Table& table, const Policy& policy, Instant now, const Steps& plan) {
  const Position naive = policy.keep ? naive_kept(policy, now) : chatopt::test::kMinimum;
  const Position kept = *oldest_kept(policy, now);
  ASSERT_LE(kept, naive);
  std::vector<Step> steps = plan.others();
  std::reverse(steps.begin(), steps.end());
  for (const Existing& partition : table.partitions()) {
    const bool due = policy.keep && !partition.is_default && !partition.above && partition.upper <= kept;
    const bool said = partition.pending || due || partition.purge == Purge::kRetiring;
    if (partition.is_default || !said) continue;
    ASSERT_FALSE(steps.empty());
    const Step step = steps.back();
    steps.pop_back();
    ASSERT_EQ(step.id, partition.id);
    const bool goes =
        step.what == Do::kPurge || step.what == Do::kDetach || step.what == Do::kDrop || step.what == Do::kArchive;
    if (goes) {
      ASSERT_TRUE(due && !partition.held && !partition.blocked && !partition.pending) << step;
      ASSERT_LE(partition.upper, naive);
      ASSERT_EQ(step.what == Do::kPurge, policy.purges && partition.purge != Purge::kRetired);
    }
    ASSERT_EQ(step.what == Do::kFinishDetach, partition.pending) << step;
    ASSERT_TRUE(goes || partition.pending || step.what == Do::kBlocked);
    // Nothing is lost that is held, or that its messages are not uncounted of.
    const bool keeps = partition.held || !due || (policy.purges && partition.purge != Purge::kRetired);
    ASSERT_TRUE(!partition.pending || !keeps || step.after == After::kDetach);
  }
  ASSERT_TRUE(steps.empty());
}

std::set<std::uint32_t> due_of(const Table& table, const Policy& policy, Instant now) {
  std::set<std::uint32_t> ids;
  const Steps plan = table.plan(policy, now);
  for (const Step& step : plan.others())
    if (step.why == Reason::kOutOfWindow || step.why == Reason::kHeld || step.why == Reason::kBlocked ||
        step.why == Reason::kReturning)
      ids.insert(step.id);
  return ids;
}

Instant random_now(Dice& dice, const ZoneRules& rules) {
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

TEST(PlannerLaws, OfRandomTables) {
  Dice dice(11);
  const std::vector<ZoneRules> zones = all_zones(2080);
  for (int round = 0; round < 20'000; ++round) {
    const ZoneRules& rules = zones[static_cast<std::size_t>(dice.from(0, static_cast<std::int64_t>(zones.size()) - 1))];
    const Policy policy = random_policy(dice, rules);
    const Instant now = random_now(dice, rules);
    Table table = random_table(dice, policy, now);
    const Steps plan = table.plan(policy, now);
    ASSERT_EQ(plan.error, PartitionError::kNone) << rules.name;
    ASSERT_FALSE(plan.more);
    check_creates(table, policy, now, plan);
    check_others(table, policy, now, plan);
    ASSERT_FALSE(HasFatalFailure()) << round << ' ' << rules.name << ' ' << now << ' ' << policy.scale.every;

    // The same again, also when the zone is told no more than was asked for.
    Policy told = policy;
    told.scale.zone = Zone();
    const Window window = needed_window(table.partitions(), told, now);
    told.scale.zone = rules.zone(window);
    ASSERT_EQ(table.plan(told, now).error, PartitionError::kNone) << rules.name;
    ASSERT_EQ(table.plan(told, now).steps, plan.steps) << rules.name;

    // What it makes is made once; what goes is gone later too.
    table.take(plan.creates());
    ASSERT_TRUE(table.plan(policy, now).creates().empty()) << round << ' ' << rules.name << ' ' << now;
    ASSERT_EQ(table.plan(policy, now).others(), plan.others());
    std::set<std::uint32_t> before = due_of(table, policy, now);
    Instant later = now;
    for (int i = 0; i < 6; ++i) {
      later.micros += dice.from(0, 40) * kHour / 2 + dice.from(0, 3);
      const std::set<std::uint32_t> after = due_of(table, policy, later);
      ASSERT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()))
          << rules.name << ' ' << now << " and " << later;
      before = after;
    }
  }
}

// A cut that only ever takes the end of what would have been said.
TEST(PlannerLaws, OfLimits) {
  Dice dice(12);
  const std::vector<ZoneRules> zones = all_zones(2080);
  for (int round = 0; round < 3'000; ++round) {
    const ZoneRules& rules = zones[static_cast<std::size_t>(dice.from(0, static_cast<std::int64_t>(zones.size()) - 1))];
    const Policy policy = random_policy(dice, rules);
    const Instant now = random_now(dice, rules);
    const Table table = random_table(dice, policy, now);
    const auto limit = [&] { return static_cast<std::uint32_t>(dice.from(0, 5)); };
    const Limits limits = {limit(), 400, limit(), limit()};
    const Steps all = table.plan(policy, now);
    const Steps plan = table.plan(policy, now, limits);
    std::vector<Step> wanted;
    Limits left = limits;
    bool more = false;
    for (const Step& step : all.steps) {
      std::uint32_t& room = step.what == Do::kBlocked    ? left.blocked
                            : step.what != Do::kCreate   ? left.retires
                            : step.why == Reason::kOlder ? left.older
                                                         : left.creates;
      more |= room == 0;
      if (room == 0) continue;
      --room;
      wanted.push_back(step);
    }
    ASSERT_EQ(plan.steps, wanted) << rules.name;
    ASSERT_EQ(plan.more, more);
  }
}

// Partitions that there cannot be: an answer or an error, and no more than that.
TEST(PlannerLaws, OfNonsense) {
  Dice dice(13);
  const ZoneRules rules = chatopt::test::zone_rules("America/St_Johns");
  const Position odd[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, kLeastMicros, kEndMicros, INT64_MAX - 1, INT64_MAX};
  int planned = 0;
  for (int round = 0; round < 50'000; ++round) {
    Policy policy = random_policy(dice, rules);
    policy.scale.axis.epoch_ms = dice.one_in(3) ? dice.one_of(odd) : policy.scale.axis.epoch_ms;
    policy.scale.axis.shift = dice.one_in(3) ? static_cast<int>(dice.from(-2, 70)) : policy.scale.axis.shift;
    if (dice.one_in(3)) policy.keep = Span{dice.one_of(odd), dice.one_of(odd), dice.one_of(odd)};
    if (dice.one_in(3)) policy.last_run = Instant{dice.one_of(odd)};
    const Instant now = dice.one_in(3) ? Instant{dice.one_of(odd)} : random_now(dice, rules);
    Table table;
    for (std::int64_t left = dice.from(0, 8); left > 0; --left) {
      const auto position = [&] {
        return dice.one_in(2) ? dice.one_of(odd) : now.micros / 2 + dice.from(-9, 9) * kHour;
      };
      const Position a = position();
      const Position b = position();
      Existing& added = table.add(dice.one_in(20) ? a : std::min(a, b), std::max(a, b));
      added.below = dice.one_in(9);
      added.above = dice.one_in(9);
      added.is_default = dice.one_in(9);
      added.pending = dice.one_in(9);
    }
    if (!dice.one_in(20)) table.sort();
    const Window window = needed_window(table.partitions(), policy, now);
    ASSERT_LE(window.from, window.to);
    Policy told = policy;
    told.scale.zone = rules.zone(window);
    const Limits few = {7, 7, 7, 7};
    const Steps plan = table.plan(policy, now, few);
    const Steps same = table.plan(told, now, few);
    ASSERT_EQ(plan.error, same.error) << round;
    ASSERT_EQ(plan.steps, same.steps);
    ASSERT_LE(plan.steps.size(), few.steps());
    for (const Step& step : plan.creates()) ASSERT_LT(step.lower, step.upper);
    planned += plan.error == PartitionError::kNone ? 1 : 0;
  }
  EXPECT_GT(planned, 10'000);
}

// Maintenance at odd times through some years of a zone, with clocks that jump forwards and a little back.
TEST(PlannerLaws, OfARandomWalkOfClocks) {
  Dice dice(14);
  const std::vector<ZoneRules> zones = all_zones(2080);
  for (int walk = 0; walk < 300; ++walk) {
    const ZoneRules& rules = zones[static_cast<std::size_t>(dice.from(0, static_cast<std::int64_t>(zones.size()) - 1))];
    Policy policy = random_policy(dice, rules);
    const std::int64_t days = days_of(policy.scale.every);
    // At least what set_retention asks for: no shorter than a partition.
    if (policy.keep) policy.keep = Span{0, days + dice.from(0, 5 * days), 0};
    Instant now{dice.from(at("1995-01-01 00:00+00").micros, at("2030-01-01 00:00+00").micros)};
    Table table;
    const Instant first = now;
    Instant greatest = now;
    for (int run = 0; run < 60; ++run) {
      const Steps plan = table.plan(policy, now);
      ASSERT_EQ(plan.error, PartitionError::kNone);
      check_creates(table, policy, now, plan);
      check_others(table, policy, now, plan);
      ASSERT_FALSE(HasFatalFailure()) << walk << ' ' << run << ' ' << rules.name << ' ' << now;
      table.take(plan.steps);
      table.take(table.plan(policy, now).others());  // those that had to be emptied first
      Covered all = covered_by(table);
      ASSERT_FALSE(all.overlaps());
      // All that the greatest now kept is there without a gap, and so is all that is to come.
      greatest = std::max(greatest, now);
      const Position kept = policy.keep ? naive_kept(policy, greatest) : all.parts.front().first;
      ASSERT_TRUE(all.covers(std::max(kept, all.parts.front().first), all.parts.back().second));
      ASSERT_GT(all.parts.back().second, *position_of(policy.scale.axis, policy.scale.zone, greatest));
      if (policy.keep) {
        ASSERT_GT(all.parts.front().second,
                  naive_kept(policy, now) - (all.parts.front().second - all.parts.front().first));
      }
      now.micros += dice.one_in(5) ? -dice.from(0, 3 * kMicrosPerDay) : dice.from(0, days * kMicrosPerDay * 3 / 2);
      now = std::max(now, first);
    }
  }
}

}  // namespace
