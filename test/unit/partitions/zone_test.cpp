// Zones: all of the system's, around each of their transitions, against what follows from the offsets alone.
#include "core/partitions/zone.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <gtest/gtest.h>

#include "times.hpp"
#include "tzif.hpp"

namespace {

using namespace chatopt::core;
using chatopt::test::all_zones;
using chatopt::test::at;
using chatopt::test::kHour;
using chatopt::test::local;
using chatopt::test::zone_rules;
using chatopt::test::ZoneRules;

constexpr std::int64_t kSecondsTo2000 = kDaysTo2000 * kSecondsPerDay;
constexpr std::int64_t kMinute = kHour / 60;

Instant instant_at(std::int64_t second) { return {(second - kSecondsTo2000) * kMicrosPerSecond}; }

// The offset at an instant, by looking at one transition after the other.
std::int32_t offset_at(const ZoneRules& rules, Instant instant) {
  std::int32_t offset = rules.first_offset;
  for (const auto& [second, after] : rules.transitions) {
    if (instant_at(second) > instant) break;
    offset = after;
  }
  return offset;
}

// All instants at which clocks show the time, ascending.
std::vector<Instant> instants_of(const ZoneRules& rules, Local shown) {
  std::vector<std::int32_t> offsets = {rules.first_offset};
  for (const auto& [second, after] : rules.transitions)
    if (std::abs(instant_at(second).micros - shown.micros) < 3 * kMicrosPerDay) {
      offsets.push_back(offset_at(rules, {instant_at(second).micros - 1}));
      offsets.push_back(after);
    }
  offsets.push_back(offset_at(rules, {shown.micros}));
  std::vector<Instant> result;
  for (const std::int32_t offset : offsets) {
    const Instant instant{shown.micros - offset * kMicrosPerSecond};
    if (offset_at(rules, instant) == offset) result.push_back(instant);
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

// What there is of the rules around a transition: to look for an offset the slow way is quick there.
ZoneRules around(const ZoneRules& rules, std::size_t i) {
  const std::size_t from = i < 4 ? 0 : i - 4;
  const std::size_t to = std::min(i + 5, rules.transitions.size());
  const auto at = [&](std::size_t n) { return rules.transitions.begin() + static_cast<std::ptrdiff_t>(n); };
  return {rules.name, from == 0 ? rules.first_offset : at(from - 1)->offset, {at(from), at(to)}};
}

// PostgreSQL looks at the transition that follows a day before; where another is nearer than that, it is not asked
// here.
bool has_a_neighbour(const std::vector<Transition>& all, std::size_t i) {
  constexpr std::int64_t kNear = 3 * kSecondsPerDay;
  return (i > 0 && all[i].at - all[i - 1].at < kNear) || (i + 1 < all.size() && all[i + 1].at - all[i].at < kNear);
}

TEST(Zones, OfTheSystemAreThere) {
  const std::vector<ZoneRules> zones = all_zones();
  EXPECT_GT(zones.size(), 200U);
  for (const ZoneRules& rules : zones) {
    for (std::size_t i = 1; i < rules.transitions.size(); ++i)
      ASSERT_LT(rules.transitions[i - 1].at, rules.transitions[i].at) << rules.name;
    for (const auto& [second, offset] : rules.transitions) ASSERT_LT(std::abs(offset), kSecondsPerDay) << rules.name;
  }
}

TEST(Zones, RulesGoOnBehindTheFiles) {
  const ZoneRules europe = zone_rules("Europe/Berlin");
  const Zone berlin = europe.zone();
  EXPECT_EQ(berlin.to_local(at("2026-03-29 00:59:59+00")), local("2026-03-29 01:59:59"));
  EXPECT_EQ(berlin.to_local(at("2026-03-29 01:00+00")), local("2026-03-29 03:00"));
  EXPECT_EQ(berlin.to_local(at("2099-10-25 00:59+00")), local("2099-10-25 02:59"));
  EXPECT_EQ(berlin.to_local(at("2099-10-25 01:00+00")), local("2099-10-25 02:00"));
  const ZoneRules america = zone_rules("America/Santiago");
  const Zone santiago = america.zone();
  EXPECT_EQ(santiago.to_local(at("2098-07-01 12:00+00")), local("2098-07-01 08:00"));
  EXPECT_EQ(santiago.to_local(at("2098-12-01 12:00+00")), local("2098-12-01 09:00"));
}

// What PostgreSQL's timestamp AT TIME ZONE says.
TEST(Zones, GapsAndOverlapsAsPostgres) {
  const struct {
    const char* zone;
    const char* local;
    const char* utc;
  } cases[] = {
      {"America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04 03:00+00"},    // gap at midnight
      {"America/Sao_Paulo", "2018-11-04 00:30", "2018-11-04 03:30+00"},    //
      {"America/Sao_Paulo", "2018-02-17 23:30", "2018-02-18 02:30+00"},    // twice
      {"Pacific/Apia", "2011-12-30 00:00", "2011-12-30 10:00+00"},         // a day left out
      {"Pacific/Apia", "2011-12-30 12:00", "2011-12-30 22:00+00"},         //
      {"Pacific/Apia", "2011-12-31 00:00", "2011-12-30 10:00+00"},         //
      {"America/St_Johns", "2010-11-07 00:00", "2010-11-07 03:30+00"},     // midnight twice
      {"America/St_Johns", "2010-11-06 23:30", "2010-11-07 03:00+00"},     //
      {"Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:30+00"},        //
      {"Europe/Berlin", "2026-10-25 02:30", "2026-10-25 01:30+00"},        //
      {"Europe/Berlin", "2026-10-25 02:00", "2026-10-25 01:00+00"},        //
      {"Europe/Dublin", "2026-10-25 01:30", "2026-10-25 01:30+00"},        // its winter is the exception
      {"Asia/Kolkata", "2026-11-01 00:00", "2026-10-31 18:30+00"},         //
      {"Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:45+00"},  // half an hour
      {"Africa/Cairo", "2026-04-24 00:00", "2026-04-23 22:00+00"},         //
      {"Europe/Moscow", "2014-10-26 01:30", "2014-10-25 22:30+00"},        //
      {"Asia/Manila", "1844-12-31 12:00", "1845-01-01 03:56:08+00"},       //
  };
  for (const auto& [name, shown, utc] : cases) {
    const ZoneRules rules = zone_rules(name);
    EXPECT_EQ(rules.zone().to_utc(local(shown)), at(utc)) << name << ' ' << shown;
  }
}

TEST(Zones, AroundEachTransition) {
  for (const ZoneRules& rules : all_zones(2045)) {
    const Zone zone = rules.zone();
    for (std::size_t i = 0; i < rules.transitions.size(); ++i) {
      const std::int64_t second = rules.transitions[i].at;
      const ZoneRules near = around(rules, i);
      if (second < -100'000'000'000) continue;  // the beginning of time
      const Instant change = instant_at(second);
      for (std::int64_t minutes = -26 * 60; minutes <= 26 * 60; minutes += minutes % 60 == 0 ? 29 : 31) {
        const Instant instant{change.micros + minutes * kMinute};
        ASSERT_EQ(zone.to_local(instant), Local{instant.micros + offset_at(near, instant) * kMicrosPerSecond});
      }
      if (has_a_neighbour(rules.transitions, i)) continue;
      const std::int32_t before = offset_at(near, {change.micros - 1});
      const std::int64_t offsets[] = {before, rules.transitions[i].offset};
      for (const std::int64_t offset : offsets)
        for (const std::int64_t away : {-25 * kHour, -kHour, -kMinute, std::int64_t{-1}, std::int64_t{0},
                                        std::int64_t{1}, kMinute, kHour, 25 * kHour}) {
          const Local shown{change.micros + offset * kMicrosPerSecond + away};
          const std::vector<Instant> instants = instants_of(near, shown);
          const Instant in_gap{shown.micros - before * kMicrosPerSecond};
          ASSERT_EQ(zone.to_utc(shown), instants.empty() ? in_gap : instants.back()) << rules.name << ' ' << shown;
          ASSERT_EQ(zone.least_utc(shown), instants.empty() ? change : instants.back()) << rules.name << ' ' << shown;
        }
    }
  }
}

// What holds of the least: it is reached, and nothing later is below it. Only clocks put back and gaps make it differ.
TEST(Zones, TheLeastOfAllThatFollows) {
  constexpr std::int64_t kStep = 30 * kMinute;
  for (const ZoneRules& rules : all_zones(2030)) {
    const Zone zone = rules.zone();
    for (std::size_t i = 0; i < rules.transitions.size(); ++i) {
      if (rules.transitions[i].at < -1'000'000'000 || has_a_neighbour(rules.transitions, i)) continue;
      const std::int64_t change = instant_at(rules.transitions[i].at).micros;
      Result<Local> least = zone.to_local({change + 3 * kMicrosPerDay});
      Result<Instant> least_utc = zone.to_utc({change + 3 * kMicrosPerDay});
      for (std::int64_t at = change + 3 * kMicrosPerDay; at > change - 2 * kMicrosPerDay; at -= kStep) {
        // Where the clocks are put back is itself a time to look at.
        if (at < change && at + kStep >= change) least = std::min(*least, *zone.to_local({change}));
        least = std::min(*least, *zone.to_local({at}));
        ASSERT_EQ(zone.least_local({at}), *least) << rules.name;
        least_utc = std::min(*least_utc, *zone.to_utc({at}));
        const Result<Instant> got = zone.least_utc({at});
        ASSERT_LE(*got, *least_utc) << rules.name;
        ASSERT_GT(got->micros, least_utc->micros - kStep) << rules.name;
      }
    }
  }
}

TEST(Zones, AWindowIsEnoughAndNoMore) {
  const ZoneRules rules = zone_rules("Europe/Berlin");
  const Window window = {at("2026-01-01 00:00+00"), at("2027-01-01 00:00+00")};
  const Zone part = rules.zone(window);
  const Zone whole = rules.zone();
  for (std::int64_t at = window.from.micros - 5 * kMicrosPerDay; at < window.to.micros + 5 * kMicrosPerDay;
       at += kHour) {
    const bool inside = window.from.micros <= at && at <= window.to.micros;
    ASSERT_EQ(part.to_local({at}).error(), inside ? PartitionError::kNone : PartitionError::kOutsideZone);
    ASSERT_TRUE(!inside || part.to_local({at}) == *whole.to_local({at}));
    const bool ahead = inside && at + 2 * kMicrosPerDay <= window.to.micros;
    ASSERT_EQ(part.least_local({at}).error(), ahead ? PartitionError::kNone : PartitionError::kOutsideZone);
    const bool around = at - kMicrosPerDay >= window.from.micros && at + kMicrosPerDay <= window.to.micros;
    ASSERT_EQ(part.to_utc({at}).error(), around ? PartitionError::kNone : PartitionError::kOutsideZone);
    ASSERT_EQ(part.least_utc({at}).error(), around ? PartitionError::kNone : PartitionError::kOutsideZone);
    ASSERT_TRUE(!around || part.to_utc({at}) == *whole.to_utc({at}));
  }
}

TEST(Zones, TheEndsOfTime) {
  const Zone utc;
  EXPECT_EQ(utc.to_local({7}), Local{7});
  EXPECT_EQ(utc.to_utc({7}), Instant{7});
  EXPECT_EQ(utc.least_local({7}), Local{7});
  const Zone east(3600, {}, kAllTime);
  const Zone west(-3600, {}, kAllTime);
  EXPECT_EQ(east.to_local({INT64_MAX}), PartitionError::kOutOfRange);
  EXPECT_EQ(west.to_local({INT64_MIN}), PartitionError::kOutOfRange);
  EXPECT_EQ(east.to_utc({INT64_MIN}), PartitionError::kOutOfRange);
  EXPECT_EQ(west.to_utc({INT64_MAX}), PartitionError::kOutOfRange);
  EXPECT_EQ(east.least_local({INT64_MAX}), PartitionError::kOutOfRange);
  EXPECT_EQ(west.least_utc({INT64_MAX}), PartitionError::kOutOfRange);
}

}  // namespace
