// What maintenance does, case by case.
#include "core/partitions/planner.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "times.hpp"
#include "twin.hpp"
#include "tzif.hpp"

namespace {

using namespace chatopt::core;
using chatopt::test::at;
using chatopt::test::kHour;
using chatopt::test::local;
using chatopt::test::Steps;
using chatopt::test::Table;
using chatopt::test::zone_rules;
using chatopt::test::ZoneRules;

const char* const kNow = "2026-11-20 12:00+00";

Policy monthly() {
  Policy policy;
  policy.scale.every = Every::kMonth;
  return policy;
}
Policy keeping(Span keep, After after = After::kDetach) {
  Policy policy = monthly();
  policy.keep = keep;
  policy.after = after;
  return policy;
}
Step created(const std::string& lower, const std::string& upper, Reason why, bool whole = true) {
  const std::int64_t from = at(lower + "+00").micros;
  return {Do::kCreate, why, After::kDetach, 0, from, at(upper + "+00").micros, whole, {from}};
}
std::vector<Step> four_months() {
  return {created("2026-11-01 00:00", "2026-12-01 00:00", Reason::kCurrent),
          created("2026-12-01 00:00", "2027-01-01 00:00", Reason::kAhead),
          created("2027-01-01 00:00", "2027-02-01 00:00", Reason::kAhead),
          created("2027-02-01 00:00", "2027-03-01 00:00", Reason::kAhead)};
}
Step retired(const Existing& partition, Do what, Reason why, After after = After::kDetach) {
  return {what, why, after, partition.id, partition.lower, partition.upper, false, {}};
}
// The months of 2026 and what is made ahead of November.
Table months_of_2026() {
  Table table;
  Policy policy = monthly();
  policy.premake = 13;
  table.take(table.plan(policy, at("2026-01-15 00:00+00")).steps);
  return table;
}

TEST(Planner, ANewTable) {
  const Steps plan = Table().plan(monthly(), at(kNow));
  EXPECT_EQ(plan.steps, four_months());
  EXPECT_FALSE(plan.more);
  EXPECT_TRUE(months_of_2026().plan(monthly(), at(kNow)).steps.empty());
}

TEST(Planner, NothingAheadButThePresent) {
  Policy policy = monthly();
  policy.premake = 0;
  EXPECT_EQ(Table().plan(policy, at(kNow)).steps, std::vector<Step>{four_months()[0]});
}

TEST(Planner, TheFirstAndTheLastMomentOfAMonth) {
  Table table;
  table.add("2026-11-01", "2026-12-01");
  Policy policy = monthly();
  policy.premake = 0;
  EXPECT_TRUE(table.plan(policy, at("2026-11-01 00:00+00")).steps.empty());
  EXPECT_TRUE(table.plan(policy, at("2026-11-30 23:59:59.999999+00")).steps.empty());
  EXPECT_EQ(table.plan(policy, at("2026-12-01 00:00+00")).steps,
            std::vector<Step>{created("2026-12-01 00:00", "2027-01-01 00:00", Reason::kCurrent)});
}

// One row of 2097, and all years between stay empty; a partition of it may be there already.
TEST(Planner, TheFarFutureMakesNothing) {
  Table table;
  table.add("2097-01-01", "2097-02-01");
  EXPECT_EQ(table.plan(monthly(), at(kNow)).steps, four_months());
}

TEST(Planner, TheDefaultPartitionCoversNothing) {
  Table table;
  table.add_default();
  EXPECT_EQ(table.plan(monthly(), at(kNow)).steps, four_months());
  Policy policy = keeping({1, 0, 0}, After::kDrop);
  EXPECT_EQ(table.plan(policy, at(kNow)).steps, four_months());
}

// A leaf cut in another zone, and one made by hand.
TEST(Planner, FillsAroundWhatIsThere) {
  Table table;
  table.add(at("2026-11-01 03:00+00").micros, at("2026-12-01 03:00+00").micros);
  table.add(at("2026-12-10 00:00+00").micros, at("2026-12-10 06:30+00").micros);
  const std::vector<Step> wanted = {
      created("2026-11-01 00:00", "2026-11-01 03:00", Reason::kCurrent, false),
      created("2026-12-01 03:00", "2026-12-10 00:00", Reason::kAhead, false),
      created("2026-12-10 06:30", "2027-01-01 00:00", Reason::kAhead, false),
      created("2027-01-01 00:00", "2027-02-01 00:00", Reason::kAhead),
      created("2027-02-01 00:00", "2027-03-01 00:00", Reason::kAhead),
  };
  EXPECT_EQ(table.plan(monthly(), at(kNow)).steps, wanted);
}

TEST(Planner, AWidePartitionCoversWhatItHolds) {
  Table table;
  table.add("2026-11-01", "2026-12-01").below = true;
  table.add("2026-12-01", "2027-01-01").above = true;
  EXPECT_TRUE(table.plan(monthly(), at(kNow)).steps.empty());
}

TEST(Planner, AServerThatWasDown) {
  Table table;
  table.add("2026-07-01", "2026-08-01");
  std::vector<Step> wanted = four_months();
  wanted.push_back(created("2026-08-01 00:00", "2026-09-01 00:00", Reason::kOlder));
  wanted.push_back(created("2026-09-01 00:00", "2026-10-01 00:00", Reason::kOlder));
  wanted.push_back(created("2026-10-01 00:00", "2026-11-01 00:00", Reason::kOlder));
  EXPECT_EQ(table.plan(monthly(), at(kNow)).steps, wanted);
  // Not what would go at once: September ends out of the window.
  wanted.erase(wanted.begin() + 4);
  EXPECT_EQ(table.plan(keeping({2, 0, 0}), at(kNow)).creates(), wanted);
  // Nor more than so many: the newest.
  Limits limits;
  limits.older = 1;
  const Steps limited = table.plan(monthly(), at(kNow), limits);
  EXPECT_EQ(limited.steps.back(), created("2026-10-01 00:00", "2026-11-01 00:00", Reason::kOlder));
  EXPECT_EQ(limited.steps.size(), 5U);
  EXPECT_FALSE(limited.more);
  table.take(limited.steps);
  EXPECT_TRUE(table.plan(monthly(), at(kNow), limits).steps.empty());
}

TEST(Planner, OlderGapsEndWhereSomethingBegins) {
  Table table;
  table.add("2026-09-10", "2026-09-20");
  table.add("2026-10-05", "2026-11-25");
  const std::vector<Step> creates = table.plan(monthly(), at(kNow)).creates();
  ASSERT_EQ(creates.size(), 6U);
  EXPECT_EQ(creates[0], created("2026-11-25 00:00", "2026-12-01 00:00", Reason::kCurrent, false));
  EXPECT_EQ(creates[4], created("2026-09-20 00:00", "2026-10-01 00:00", Reason::kOlder, false));
  EXPECT_EQ(creates[5], created("2026-10-01 00:00", "2026-10-05 00:00", Reason::kOlder, false));
  Limits none;
  none.older = 0;
  EXPECT_EQ(table.plan(monthly(), at(kNow), none).steps.size(), 4U);
}

// Somebody's partition for all that is broken must not make one for every day since.
TEST(Planner, AnAncientPartitionMakesAFewOlderOnesAndNoMore) {
  Policy policy = monthly();
  policy.scale.every = Every::kDay;
  Table table;
  table.add("1970-01-01", "1970-01-02").below = true;
  const Steps plan = table.plan(policy, at(kNow));
  EXPECT_EQ(plan.steps.size(), 4U + Limits{}.older);
  table.take(plan.steps);
  EXPECT_TRUE(table.plan(policy, at(kNow)).steps.empty());
}

TEST(Planner, RetiresByTheUpperBound) {
  Table table = months_of_2026();
  table.add("2025-11-01", "2026-01-01").below = true;
  table.sort();
  const auto& all = table.partitions();
  // Three months before is 20 August: July is the last that is out.
  const Steps plan = table.plan(keeping({3, 0, 0}, After::kDrop), at(kNow));
  std::vector<Step> wanted;
  for (std::size_t i = 0; i < 8; ++i) wanted.push_back(retired(all[i], Do::kDrop, Reason::kOutOfWindow, After::kDrop));
  EXPECT_EQ(plan.steps, wanted);
  EXPECT_TRUE(table.plan(monthly(), at(kNow)).steps.empty());
  // The moment August ends out of the window.
  EXPECT_EQ(table.plan(keeping({3, 0, 0}), at("2026-11-30 23:59:59+00")).others().size(), 8U);
  EXPECT_EQ(table.plan(keeping({3, 0, 0}), at("2026-12-01 00:00+00")).others().size(), 9U);
}

TEST(Planner, WhatBecomesOfIt) {
  Table table;
  const Existing old = table.add("2026-01-01", "2026-02-01");
  const struct {
    After after;
    Do what;
  } cases[] = {{After::kDetach, Do::kDetach}, {After::kDrop, Do::kDrop}, {After::kArchive, Do::kArchive}};
  for (const auto& [after, what] : cases) {
    Policy policy = keeping({3, 0, 0}, after);
    EXPECT_EQ(table.plan(policy, at(kNow)).others(),
              std::vector<Step>{retired(old, what, Reason::kOutOfWindow, after)});
    policy.purges = true;
    EXPECT_EQ(table.plan(policy, at(kNow)).others(),
              std::vector<Step>{retired(old, Do::kPurge, Reason::kOutOfWindow, after)});
  }
}

TEST(Planner, APartitionIsEmptiedFirst) {
  Table table;
  Existing& old = table.add("2026-01-01", "2026-02-01");
  Policy policy = keeping({3, 0, 0}, After::kDrop);
  policy.purges = true;
  const auto plan = [&](Purge purge) {
    old.purge = purge;
    return table.plan(policy, at(kNow)).others();
  };
  const auto step = [&](Do what, Reason why) { return std::vector<Step>{retired(old, what, why, After::kDrop)}; };
  EXPECT_EQ(plan(Purge::kNone), step(Do::kPurge, Reason::kOutOfWindow));
  EXPECT_EQ(plan(Purge::kRetiring), step(Do::kPurge, Reason::kOutOfWindow));
  EXPECT_EQ(plan(Purge::kRetired), step(Do::kDrop, Reason::kOutOfWindow));
  EXPECT_EQ(plan(Purge::kReturning), step(Do::kBlocked, Reason::kReturning));
  policy.purges = false;
  EXPECT_EQ(plan(Purge::kNone), step(Do::kDrop, Reason::kOutOfWindow));
  EXPECT_EQ(plan(Purge::kReturning), step(Do::kBlocked, Reason::kReturning));
  // What is in the window, or has no window, is not emptied further.
  policy.purges = true;
  policy.keep = std::nullopt;
  EXPECT_EQ(plan(Purge::kRetiring), step(Do::kBlocked, Reason::kHalfPurged));
  EXPECT_TRUE(plan(Purge::kRetired).empty());
  EXPECT_TRUE(plan(Purge::kReturning).empty());
}

TEST(Planner, HeldAndBlocked) {
  Table table;
  Existing& old = table.add("2026-01-01", "2026-02-01");
  const Policy policy = keeping({3, 0, 0}, After::kDrop);
  const auto plan = [&](bool held, bool blocked) {
    old.held = held;
    old.blocked = blocked;
    return table.plan(policy, at(kNow)).others();
  };
  const auto step = [&](Reason why) { return std::vector<Step>{retired(old, Do::kBlocked, why, After::kDrop)}; };
  EXPECT_EQ(plan(true, false), step(Reason::kHeld));
  EXPECT_EQ(plan(true, true), step(Reason::kHeld));
  EXPECT_EQ(plan(false, true), step(Reason::kBlocked));
  old.pending = true;  // it is half detached: that is finished, and it is kept
  for (const bool held : {false, true})
    for (const bool blocked : {false, true})
      EXPECT_EQ(plan(held, blocked), std::vector<Step>{retired(old, Do::kFinishDetach, Reason::kOutOfWindow,
                                                               held || blocked ? After::kDetach : After::kDrop)});
}

TEST(Planner, ADetachHalfDoneIsFinished) {
  Table table = months_of_2026();
  Existing& march = table.find(3);
  march.pending = true;
  EXPECT_EQ(table.plan(monthly(), at(kNow)).steps,
            std::vector<Step>{retired(march, Do::kFinishDetach, Reason::kDetachPending)});
  EXPECT_EQ(table.plan(keeping({9, 0, 0}, After::kDrop), at(kNow)).others().back(),
            retired(march, Do::kFinishDetach, Reason::kDetachPending));
  Policy policy = keeping({7, 0, 0}, After::kDrop);
  EXPECT_EQ(table.plan(policy, at(kNow)).others().back(),
            retired(march, Do::kFinishDetach, Reason::kOutOfWindow, After::kDrop));
  // Not emptied before it was detached: it is not dropped.
  policy.purges = true;
  EXPECT_EQ(table.plan(policy, at(kNow)).others().back(), retired(march, Do::kFinishDetach, Reason::kOutOfWindow));
  march.purge = Purge::kRetired;
  EXPECT_EQ(table.plan(policy, at(kNow)).others().back(),
            retired(march, Do::kFinishDetach, Reason::kOutOfWindow, After::kDrop));
  // As long as it is there nothing else can be where it is.
  Existing& november = table.find(11);
  november.pending = true;
  EXPECT_TRUE(table.plan(monthly(), at(kNow)).creates().empty());
}

TEST(Planner, WhatHasNoEndStays) {
  Table table;
  table.add("2020-01-01", "2020-02-01").above = true;
  EXPECT_TRUE(table.plan(keeping({1, 0, 0}), at(kNow)).steps.empty());
}

TEST(Planner, WindowsThatAreNone) {
  Table table;
  const Existing old = table.add("2026-10-01", "2026-11-01");
  const Existing present = table.add("2026-11-01", "2026-12-01");
  (void)present;
  const std::vector<Step> only_old = {retired(old, Do::kDetach, Reason::kOutOfWindow)};
  for (const Span keep : {Span{0, 0, 0}, Span{-5, 0, 0}, Span{0, -400, 0}, Span{0, 0, -kHour}, Span{1, -60, 0}})
    EXPECT_EQ(table.plan(keeping(keep), at(kNow)).others(), only_old) << keep.months << ' ' << keep.days;
  for (const Span keep : {Span{12 * 10'000, 0, 0}, Span{INT64_MAX, 0, 0}, Span{0, INT64_MAX, 0}, Span{0, 0, INT64_MAX},
                          Span{INT64_MIN, 0, 0}, Span{0, INT64_MIN, INT64_MIN}}) {
    EXPECT_TRUE(table.plan(keeping(keep), at(kNow)).others().empty()) << keep.months << ' ' << keep.days;
    EXPECT_EQ(oldest_kept(keeping(keep), at(kNow)), chatopt::test::kMinimum);
  }
}

TEST(Planner, AClockThatJumped) {
  Table table = months_of_2026();
  Policy policy = keeping({6, 0, 0});
  policy.last_run = at("2026-11-20 00:00+00");
  const Instant wrong = at("2126-11-20 12:00+00");
  const Steps doubted = table.plan(policy, wrong);
  EXPECT_EQ(doubted.others().size(), 14U);
  for (const Step& step : doubted.others()) EXPECT_EQ(step.why, Reason::kClock);
  table.find(1).held = true;
  table.find(2).pending = true;
  const std::vector<Step> others = table.plan(policy, wrong).others();
  EXPECT_EQ(others[0].why, Reason::kHeld);
  EXPECT_EQ(others[1].what, Do::kFinishDetach);
  EXPECT_EQ(others[1].after, After::kDetach);
  // 400 days and no more, or half of them and no more, are believed; so is who does not ask.
  policy.last_run = Instant{wrong.micros - kClockJump};
  EXPECT_EQ(table.plan(policy, wrong).others().back().what, Do::kDetach);
  policy.last_run->micros -= 1;
  EXPECT_EQ(table.plan(policy, wrong).others().back().what, Do::kBlocked);
  policy.last_run = std::nullopt;
  EXPECT_EQ(table.plan(policy, wrong).others().back().what, Do::kDetach);
  policy.last_run = at("2020-01-01 00:00+00");
  EXPECT_EQ(table.plan(policy, at("2027-02-10 00:00+00")).others().back().what, Do::kDetach);   // 7 of 14
  EXPECT_EQ(table.plan(policy, at("2027-03-10 00:00+00")).others().back().what, Do::kBlocked);  // 8 of 14
  table.add_default();                                                                          // does not count
  EXPECT_EQ(table.plan(policy, at("2027-03-10 00:00+00")).others().back().what, Do::kBlocked);
}

TEST(Planner, LimitsLeaveTheRestForLater) {
  Table table;
  for (int year = 2000; year < 2020; ++year) {
    Existing& added = table.add(std::to_string(year) + "-01-01", std::to_string(year + 1) + "-01-01");
    added.held = year % 2 == 1;
  }
  Policy policy = keeping({1, 0, 0});
  const Limits limits = {2, 400, 3, 4};
  const Steps plan = table.plan(policy, at(kNow), limits);
  EXPECT_TRUE(plan.more);
  EXPECT_EQ(plan.creates()[0], four_months()[0]);
  EXPECT_EQ(plan.creates()[1], four_months()[1]);
  const std::vector<Step> others = plan.others();
  std::vector<std::uint32_t> ids;
  for (const Step& step : others) ids.push_back(step.id);
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{1, 2, 3, 4, 5, 6, 8}));
  // What is held does not keep the rest from going.
  for (int i = 0; i < 3; ++i) table.take(table.plan(policy, at(kNow), limits).steps);
  const Steps last = table.plan(policy, at(kNow), limits);
  EXPECT_EQ(last.others().size(), 5U);
  EXPECT_EQ(last.others()[4].id, 19U);
  EXPECT_TRUE(last.more);  // more that are held than are told
}

TEST(Planner, WritesNoFurtherThanThereIsRoom) {
  std::vector<Step> room(3);
  const Result<Planned> planned = plan({}, monthly(), at(kNow), Limits{}, std::span<Step>(room).first(2));
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->steps, 2U);
  EXPECT_TRUE(planned->more);
  EXPECT_EQ(room[1], four_months()[1]);
  EXPECT_EQ(room[2], Step{});
  EXPECT_TRUE(plan({}, monthly(), at(kNow), Limits{}, {})->more);
}

TEST(Planner, WhatItRefuses) {
  Table table;
  table.add("2026-11-01", "2026-10-01");
  EXPECT_EQ(table.plan(monthly(), at(kNow)).error, PartitionError::kNotInOrder);
  table = Table();
  table.add("2026-11-01", "2026-12-01");
  table.add("2026-10-01", "2026-11-01");
  EXPECT_EQ(table.plan(monthly(), at(kNow)).error, PartitionError::kNotInOrder);
  for (const int premake : {-1, kMostPremake + 1, INT32_MAX, INT32_MIN}) {
    Policy policy = monthly();
    policy.premake = premake;
    EXPECT_EQ(Table().plan(policy, at(kNow)).error, PartitionError::kBadPremake);
  }
  for (const std::int64_t now : {INT64_MIN, INT64_MAX, kEndMicros, kLeastMicros - 1})
    EXPECT_EQ(Table().plan(monthly(), {now}).error, PartitionError::kOutOfRange);
  const ZoneRules berlin = zone_rules("Europe/Berlin");
  Policy policy = keeping({24, 0, 0});
  policy.scale.zone = berlin.zone({at("2026-01-01 00:00+00"), at("2030-01-01 00:00+00")});
  EXPECT_EQ(Table().plan(policy, at(kNow)).error, PartitionError::kOutsideZone);
  policy.keep = std::nullopt;
  EXPECT_EQ(Table().plan(policy, at(kNow)).error, PartitionError::kNone);
  policy.scale.zone = berlin.zone({at("2026-01-01 00:00+00"), at("2027-01-15 00:00+00")});
  EXPECT_EQ(Table().plan(policy, at(kNow)).error, PartitionError::kOutsideZone);
}

// 1000 years ahead a snowflake has no ids.
TEST(Planner, WhereTheAxisEnds) {
  Policy policy;
  policy.scale.axis = {AxisKind::kSnowflake, 1'288'834'974'657, 22};
  policy.scale.every = Every::kYear;
  policy.premake = kMostPremake;
  const Steps plan = Table().plan(policy, at(kNow), Limits{2000, 0, 0, 0});
  EXPECT_EQ(plan.error, PartitionError::kNone);
  EXPECT_EQ(plan.steps.size(), 54U);
  EXPECT_EQ(plan.steps.back().named, local("2079-01-01"));
}

// The same months on every axis.
TEST(Planner, OnEachAxis) {
  const ZoneRules berlin = zone_rules("Europe/Berlin");
  const Axis axes[] = {{AxisKind::kTimestamptz, 0, 0},
                       {AxisKind::kTimestamp, 0, 0},
                       {AxisKind::kDate, 0, 0},
                       {AxisKind::kEpochSeconds, 0, 0},
                       {AxisKind::kEpochMilliseconds, 0, 0},
                       {AxisKind::kUuidv7, 0, 0},
                       {AxisKind::kSnowflake, 1'288'834'974'657, 22}};
  for (const Axis& axis : axes) {
    Policy policy = keeping({1, 0, 0}, After::kDrop);
    policy.scale.axis = axis;
    policy.scale.zone = berlin.zone();
    Table table;
    // It is November already in Berlin.
    const Steps plan = table.plan(policy, at("2026-10-31 23:30+00"));
    ASSERT_EQ(plan.steps.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
      const Civil month{i < 2 ? 2026 : 2027, static_cast<std::int32_t>(i < 2 ? 11 + i : i - 1), 1};
      EXPECT_EQ(plan.steps[i].named, *midnight(month));
      EXPECT_EQ(plan.steps[i].lower, *position_of(axis, berlin.zone(), *midnight(month)));
      EXPECT_TRUE(plan.steps[i].whole);
    }
    table.take(plan.steps);
    // It ends on 1 December at midnight, and a month later goes.
    EXPECT_TRUE(table.plan(policy, at("2026-12-31 22:59:59+00")).others().empty());
    EXPECT_EQ(table.plan(policy, at("2026-12-31 23:00+00")).others().size(), 1U);
  }
}

TEST(Planner, PeriodsThatAZoneLeavesOut) {
  const ZoneRules apia = zone_rules("Pacific/Apia");
  Policy policy;
  policy.scale = {{}, apia.zone(), Every::kDay};
  policy.premake = 2;
  const std::vector<Step> steps = Table().plan(policy, at("2011-12-29 12:00+00")).steps;
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].named, local("2011-12-29"));
  EXPECT_EQ(steps[1].named, local("2011-12-31"));
  EXPECT_EQ(steps[2].named, local("2012-01-01"));
  EXPECT_EQ(steps[0].upper, steps[1].lower);
}

}  // namespace
