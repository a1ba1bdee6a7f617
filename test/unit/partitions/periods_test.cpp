// Periods in all zones: they cut the axis into parts, each beginning at its midnight.
#include "core/partitions/periods.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "times.hpp"
#include "tzif.hpp"

namespace {

using namespace chatopt::core;
using chatopt::test::all_zones;
using chatopt::test::at;
using chatopt::test::kEveries;
using chatopt::test::kHour;
using chatopt::test::local;
using chatopt::test::zone_rules;
using chatopt::test::ZoneRules;

constexpr Axis kMoments = {AxisKind::kTimestamptz, 0, 0};

// What has to hold of the period of a position.
void check(const Scale& scale, Position position, const std::string& name) {
  const Result<Period> period = period_at(scale, position);
  ASSERT_TRUE(period) << name << ' ' << position;
  ASSERT_LE(period->lower, position) << name;
  ASSERT_GT(period->upper, position) << name;
  ASSERT_EQ(period_start(scale.every, period->start), period->start);
  ASSERT_EQ(period_at(scale, period->lower), *period) << name;
  ASSERT_EQ(period_at(scale, period->upper - 1), *period) << name;
  ASSERT_EQ(position_of(scale.axis, scale.zone, *midnight(period->start)), period->lower) << name;
  const Result<Period> next = next_period(scale, *period);
  const Result<Period> previous = previous_period(scale, *period);
  ASSERT_TRUE(next && previous) << name;
  ASSERT_EQ(next->lower, period->upper) << name;
  ASSERT_EQ(previous->upper, period->lower) << name;
  ASSERT_EQ(period_at(scale, next->lower), *next) << name;
  ASSERT_EQ(period_at(scale, previous->lower), *previous) << name;
  ASSERT_EQ(next_period(scale, *previous), *period) << name;
  ASSERT_EQ(previous_period(scale, *next), *period) << name;
}

TEST(Periods, OfAllZonesAroundTheirTransitions) {
  for (const ZoneRules& rules : all_zones(2040)) {
    Scale scale{kMoments, rules.zone(), Every::kDay};
    for (const auto& [second, offset] : rules.transitions) {
      if (second < -3'000'000'000) continue;
      const std::int64_t change = (second - kDaysTo2000 * kSecondsPerDay) * kMicrosPerSecond;
      for (const std::int64_t away : {-25 * kHour, -kHour, std::int64_t{-1}, std::int64_t{0}, kHour, 25 * kHour}) {
        scale.every = kEveries[(second + away) & 1 ? 0 : (second / 7200 + away) % 5 & 3];
        check(scale, change + away, rules.name);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(Periods, OfAllZonesAndAxesAnywhere) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int64_t> pick(at("1972-01-01 00:00+00").micros, at("2078-01-01 00:00+00").micros);
  const Axis axes[] = {kMoments,
                       {AxisKind::kTimestamp, 0, 0},
                       {AxisKind::kDate, 0, 0},
                       {AxisKind::kEpochSeconds, 0, 0},
                       {AxisKind::kEpochMilliseconds, 0, 0},
                       {AxisKind::kUuidv7, 0, 0},
                       {AxisKind::kSnowflake, 1'288'834'974'657, 22}};
  for (const ZoneRules& rules : all_zones())
    for (const Axis& axis : axes)
      for (const Every every : kEveries) {
        const Scale scale{axis, rules.zone(), every};
        check(scale, *position_of(axis, scale.zone, Instant{pick(random)}), rules.name);
        if (HasFatalFailure()) return;
      }
}

TEST(Periods, ADayThatIsNot) {
  const ZoneRules apia = zone_rules("Pacific/Apia");
  const Scale scale{kMoments, apia.zone(), Every::kDay};
  const Period before{at("2011-12-29 10:00+00").micros, at("2011-12-30 10:00+00").micros, {2011, 12, 29}};
  const Period after{at("2011-12-30 10:00+00").micros, at("2011-12-31 10:00+00").micros, {2011, 12, 31}};
  EXPECT_EQ(period_at(scale, at("2011-12-30 09:59:59+00")), before);
  EXPECT_EQ(period_at(scale, at("2011-12-30 10:00+00")), after);
  EXPECT_EQ(next_period(scale, before), after);
  EXPECT_EQ(previous_period(scale, after), before);
}

TEST(Periods, AMidnightThatComesTwice) {
  // At 00:01 clocks went back to 23:01.
  const ZoneRules rules = zone_rules("America/St_Johns");
  const Scale scale{kMoments, rules.zone(), Every::kMonth};
  const Scale days{kMoments, rules.zone(), Every::kDay};
  EXPECT_EQ(days.zone.to_local(at("2010-11-07 02:30:30+00")), local("2010-11-07 00:00:30"));
  EXPECT_EQ(period_at(days, at("2010-11-07 02:30:30+00"))->start, (Civil{2010, 11, 6}));
  EXPECT_EQ(period_at(days, at("2010-11-07 03:29:59+00"))->start, (Civil{2010, 11, 6}));
  EXPECT_EQ(period_at(days, at("2010-11-07 03:30+00"))->start, (Civil{2010, 11, 7}));
  EXPECT_EQ(period_at(scale, at("2010-11-07 02:30:30+00"))->start, (Civil{2010, 11, 1}));
}

TEST(Periods, MonthsInAZone) {
  const ZoneRules berlin = zone_rules("Europe/Berlin");
  const Scale scale{kMoments, berlin.zone(), Every::kMonth};
  EXPECT_EQ(period_at(scale, at("2026-10-31 23:30+00")),
            (Period{at("2026-10-31 23:00+00").micros, at("2026-11-30 23:00+00").micros, {2026, 11, 1}}));
  EXPECT_EQ(period_at(scale, at("2026-03-31 21:59+00")),
            (Period{at("2026-02-28 23:00+00").micros, at("2026-03-31 22:00+00").micros, {2026, 3, 1}}));
  const Scale seconds{{AxisKind::kEpochSeconds, 0, 0}, berlin.zone(), Every::kQuarter};
  EXPECT_EQ(period_at(seconds, at("2026-11-20 12:00+00")), (Period{1'790'805'600, 1'798'758'000, {2026, 10, 1}}));
  const Scale days{{AxisKind::kDate, 0, 0}, berlin.zone(), Every::kWeek};
  EXPECT_EQ(period_at(days, at("2026-11-22 23:30+00"))->start, (Civil{2026, 11, 23}));
}

TEST(Periods, AtTheEndsOfAnAxis) {
  const Scale uuids{{AxisKind::kUuidv7, 0, 0}, Zone(), Every::kMonth};
  const Result<Period> first = period_at(uuids, 0);
  EXPECT_EQ(first, (Period{0, 31LL * 86'400'000, {1970, 1, 1}}));
  EXPECT_EQ(previous_period(uuids, *first), PartitionError::kOutOfRange);
  EXPECT_EQ(period_at(uuids, (Position{1} << 48) - 1), PartitionError::kOutOfRange);
  const Scale last{kMoments, Zone(), Every::kYear};
  EXPECT_EQ(period_at(last, Position{kEndMicros - 1}), PartitionError::kOutOfRange);
  EXPECT_EQ(period_at(last, INT64_MIN), PartitionError::kOutOfRange);
  EXPECT_EQ(previous_period(last, {INT64_MIN, 0, {2000, 1, 1}}), PartitionError::kOutOfRange);
}

}  // namespace
