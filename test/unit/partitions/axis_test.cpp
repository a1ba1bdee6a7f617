// Positions on the axes of partition keys.
#include "core/partitions/axis.hpp"

#include <random>

#include <gtest/gtest.h>

#include "times.hpp"
#include "tzif.hpp"

namespace {

using namespace chatopt::core;
using chatopt::test::at;
using chatopt::test::local;
using chatopt::test::zone_rules;
using chatopt::test::ZoneRules;

constexpr AxisKind kKinds[] = {AxisKind::kTimestamptz,  AxisKind::kTimestamp,         AxisKind::kDate,
                               AxisKind::kEpochSeconds, AxisKind::kEpochMilliseconds, AxisKind::kUuidv7,
                               AxisKind::kSnowflake};
constexpr Axis kTwitter = {AxisKind::kSnowflake, 1'288'834'974'657, 22};

Axis axis_of(AxisKind kind) { return kind == AxisKind::kSnowflake ? kTwitter : Axis{kind, 0, 0}; }

TEST(Axis, WhereATimeIs) {
  const ZoneRules berlin = zone_rules("Europe/Berlin");
  const Zone zone = berlin.zone();
  const Instant noon = at("2026-11-20 12:00:00.0015+00");
  const struct {
    Axis axis;
    Position position;
    const char* back;
  } cases[] = {
      {{AxisKind::kTimestamptz, 0, 0}, 848'491'200'001'500, "2026-11-20 12:00:00.0015+00"},
      {{AxisKind::kTimestamp, 0, 0}, 848'494'800'001'500, "2026-11-20 12:00:00.0015+00"},
      {{AxisKind::kDate, 0, 0}, 9'820, "2026-11-19 23:00+00"},
      {{AxisKind::kEpochSeconds, 0, 0}, 1'795'176'000, "2026-11-20 12:00+00"},
      {{AxisKind::kEpochMilliseconds, 0, 0}, 1'795'176'000'001, "2026-11-20 12:00:00.001+00"},
      {{AxisKind::kUuidv7, 0, 0}, 1'795'176'000'001, "2026-11-20 12:00:00.001+00"},
      {kTwitter, (1'795'176'000'001 - 1'288'834'974'657) * 4'194'304, "2026-11-20 12:00:00.001+00"},
      {{AxisKind::kSnowflake, 0, 0}, 1'795'176'000'001, "2026-11-20 12:00:00.001+00"},
  };
  for (const auto& [axis, position, back] : cases) {
    EXPECT_EQ(position_of(axis, zone, noon), position);
    EXPECT_EQ(instant_of(axis, zone, position), at(back));
    EXPECT_EQ(local_of(axis, zone, position), *zone.to_local(at(back)));
    EXPECT_EQ(position_of(axis, zone, local("2026-11-20 13:00:00.0015")), position);
  }
}

TEST(Axis, BitsBelowTheMillisecondOfASnowflake) {
  const Position first = *position_of(kTwitter, Zone(), at("2026-11-20 12:00+00"));
  EXPECT_EQ(first % (1 << 22), 0);
  EXPECT_EQ(instant_of(kTwitter, Zone(), first + (1 << 22) - 1), at("2026-11-20 12:00+00"));
  EXPECT_EQ(instant_of(kTwitter, Zone(), first + (1 << 22)), at("2026-11-20 12:00:00.001+00"));
  EXPECT_EQ(instant_of(kTwitter, Zone(), first - 1), at("2026-11-20 11:59:59.999+00"));
  EXPECT_EQ(instant_of(kTwitter, Zone(), -1), Instant{at("2010-11-04 01:42:54.656+00")});
  EXPECT_EQ(instant_of(kTwitter, Zone(), 0), Instant{at("2010-11-04 01:42:54.657+00")});
}

// A position's instant is at the position, and an instant lies at or behind its position's, before the next one's.
TEST(Axis, ThereAndBack) {
  const ZoneRules rules = zone_rules("Asia/Kolkata");
  const Zone zone = rules.zone();
  std::mt19937_64 random(5);
  for (const AxisKind kind : kKinds) {
    const Axis axis = axis_of(kind);
    // Two centuries from 1970: all axes reach that far but the snowflake, which ends in 2080.
    std::uniform_int_distribution<std::int64_t> pick(at("1970-01-02 00:00+00").micros,
                                                     at("2079-01-01 00:00+00").micros);
    for (int i = 0; i < 20'000; ++i) {
      const Instant instant{pick(random)};
      const Result<Position> position = position_of(axis, zone, instant);
      ASSERT_TRUE(position);
      const Result<Instant> first = instant_of(axis, zone, *position);
      ASSERT_LE(*first, instant);
      ASSERT_EQ(position_of(axis, zone, *first), *position);
      ASSERT_EQ(local_of(axis, zone, *position), *zone.to_local(*first));
      const Position step = Position{1} << axis.shift;
      ASSERT_GT(*instant_of(axis, zone, *position + step), instant);
    }
  }
}

TEST(Axis, WhatItCannotHold) {
  const Zone utc;
  for (const AxisKind kind : kKinds) {
    const Axis axis = axis_of(kind);
    EXPECT_EQ(position_of(axis, utc, Instant{INT64_MAX}), PartitionError::kOutOfRange);
    EXPECT_EQ(position_of(axis, utc, Instant{INT64_MIN}), PartitionError::kOutOfRange);
    EXPECT_EQ(position_of(axis, utc, Local{kEndMicros}), PartitionError::kOutOfRange);
    EXPECT_EQ(position_of(axis, utc, Local{kLeastMicros - 1}), PartitionError::kOutOfRange);
    if (kind == AxisKind::kSnowflake) continue;  // each bigint is a time
    for (const Position position : {INT64_MIN, INT64_MIN + 1, INT64_MAX - 1, INT64_MAX}) {
      EXPECT_EQ(instant_of(axis, utc, position), PartitionError::kOutOfRange);
      EXPECT_EQ(local_of(axis, utc, position), PartitionError::kOutOfRange);
    }
  }
  const Axis days{AxisKind::kDate, 0, 0};
  EXPECT_EQ(instant_of(days, utc, INT32_MAX), PartitionError::kOutOfRange);  // infinity
  EXPECT_EQ(instant_of(days, utc, INT32_MIN), PartitionError::kOutOfRange);
  const Axis uuid{AxisKind::kUuidv7, 0, 0};
  EXPECT_EQ(position_of(uuid, utc, at("1970-01-01 00:00+00")), Position{0});
  EXPECT_EQ(position_of(uuid, utc, at("1969-12-31 23:59:59.999+00")), PartitionError::kOutOfRange);
  EXPECT_EQ(position_of(uuid, utc, at("10889-08-02 05:31:50.655+00")), (Position{1} << 48) - 1);
  EXPECT_EQ(position_of(uuid, utc, at("10889-08-02 05:31:50.656+00")), PartitionError::kOutOfRange);
  EXPECT_TRUE(position_of(kTwitter, utc, at("2080-07-10 17:30:30+00")));
  EXPECT_EQ(position_of(kTwitter, utc, at("2080-07-10 17:30:31+00")), PartitionError::kOutOfRange);
  EXPECT_EQ(position_of({AxisKind::kSnowflake, INT64_MIN, 0}, utc, at("2026-01-01 00:00+00")),
            PartitionError::kOutOfRange);
  EXPECT_EQ(instant_of({AxisKind::kSnowflake, INT64_MAX, 0}, utc, 1), PartitionError::kOutOfRange);
  for (const int shift : {-1, 41, 64, 1000}) {
    EXPECT_EQ(position_of({AxisKind::kSnowflake, 0, shift}, utc, Instant{0}), PartitionError::kBadAxis);
    EXPECT_EQ(instant_of({AxisKind::kSnowflake, 0, shift}, utc, 0), PartitionError::kBadAxis);
  }
}

TEST(Axis, OnlyTheZoneItHas) {
  const ZoneRules berlin = zone_rules("Europe/Berlin");
  const Position from = at("2026-11-20 12:00+00").micros;
  const Axis axis{AxisKind::kTimestamptz, 0, 0};
  const Window window = window_around(axis, from, from);
  const Zone zone = berlin.zone(window);
  EXPECT_TRUE(local_of(axis, zone, from));
  EXPECT_TRUE(position_of(axis, zone, local("2026-11-20 12:00")));
  EXPECT_EQ(local_of(axis, zone, from + 5 * kMicrosPerDay), PartitionError::kOutsideZone);
  EXPECT_EQ(position_of(axis, zone, Local{from + 5 * kMicrosPerDay}), PartitionError::kOutsideZone);
  // Of wall clock axes only what time it is goes through the zone.
  const Axis days{AxisKind::kDate, 0, 0};
  EXPECT_EQ(position_of(days, zone, local("2226-11-20")), Position{82'868});
  EXPECT_EQ(position_of(days, zone, at("2226-11-20 00:00+00")), PartitionError::kOutsideZone);
  EXPECT_TRUE(window_around(axis, INT64_MIN, INT64_MAX).holds({kLeastMicros}));
  EXPECT_TRUE(window_around(axis, INT64_MIN, INT64_MAX).holds({kEndMicros}));
}

TEST(Axis, GuessesBigints) {
  const Zone utc;
  EXPECT_EQ(guess_axis(*position_of({AxisKind::kEpochSeconds, 0, 0}, utc, at("2026-11-20 12:00+00"))),
            AxisKind::kEpochSeconds);
  EXPECT_EQ(guess_axis(*position_of({AxisKind::kEpochMilliseconds, 0, 0}, utc, at("2026-11-20 12:00+00"))),
            AxisKind::kEpochMilliseconds);
  for (const std::int64_t value : {std::int64_t{1'000'000'000}, std::int64_t{40'000'000'000}})
    EXPECT_EQ(guess_axis(value), AxisKind::kEpochSeconds);
  for (const std::int64_t value : {std::int64_t{1'000'000'000'000}, std::int64_t{40'000'000'000'000}})
    EXPECT_EQ(guess_axis(value), AxisKind::kEpochMilliseconds);
  for (const std::int64_t value :
       {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, std::int64_t{999'999'999}, std::int64_t{40'000'000'001},
        std::int64_t{999'999'999'999}, std::int64_t{40'000'000'000'001},
        *position_of(kTwitter, utc, at("2026-11-20 12:00+00")), INT64_MAX})
    EXPECT_EQ(guess_axis(value), std::nullopt) << value;
}

TEST(Axis, UuidsBeginAtAMillisecond) {
  const Position now = *position_of({AxisKind::kUuidv7, 0, 0}, Zone(), at("2026-11-20 12:00+00"));
  const Uuid uuid = uuid_at(now);
  const Uuid wanted = {0x01, 0xA1, 0xF8, 0xD3, 0xEA, 0x00};
  EXPECT_EQ(uuid, wanted);
  EXPECT_EQ(position_of(uuid), now);
  EXPECT_EQ(position_of(uuid_at(0)), Position{0});
  EXPECT_EQ(position_of(uuid_at((Position{1} << 48) - 1)), (Position{1} << 48) - 1);
  for (std::size_t i = 6; i < uuid.size(); ++i) {
    Uuid other = uuid;
    other[i] = 1;
    EXPECT_EQ(position_of(other), PartitionError::kOutOfRange) << i;
  }
}

}  // namespace
