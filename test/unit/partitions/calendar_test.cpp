// The calendar, day by day through 1,000 years, against one that only knows how to add a day.
#include "core/partitions/calendar.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "times.hpp"

namespace {

using namespace chatopt::core;
using chatopt::test::kEveries;
using chatopt::test::kHour;
using chatopt::test::local;

bool is_leap(std::int32_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }
std::int32_t length(std::int32_t year, std::int32_t month) {
  const std::int32_t days[] = {31, is_leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[month - 1];
}
Civil day_after(Civil civil) {
  if (++civil.day <= length(civil.year, civil.month)) return civil;
  civil.day = 1;
  if (++civil.month <= 12) return civil;
  return {civil.year + 1, 1, 1};
}
bool begins(Every every, Civil civil, int weekday) {
  switch (every) {
    case Every::kDay:
      return true;
    case Every::kWeek:
      return weekday == 0;
    case Every::kMonth:
      return civil.day == 1;
    case Every::kQuarter:
      return civil.day == 1 && civil.month % 3 == 1;
    case Every::kYear:
      break;
  }
  return civil.day == 1 && civil.month == 1;
}

struct Walk {
  Civil civil;
  std::int64_t days;
  int weekday;  // Monday 0
  void step() {
    civil = day_after(civil);
    ++days;
    weekday = (weekday + 1) % 7;
  }
};
constexpr Walk kFrom1600 = {{1600, 1, 1}, -135'140, 5};  // a Saturday

TEST(Calendar, CountsDaysOfAThousandYears) {
  Walk walk = kFrom1600;
  for (; walk.civil.year < 2600; walk.step()) {
    ASSERT_EQ(days_from_civil(walk.civil), walk.days) << walk.civil;
    ASSERT_EQ(civil_from_days(walk.days), walk.civil);
    ASSERT_TRUE((walk.civil == Civil{1970, 1, 1}) == (walk.days == 0));
    ASSERT_TRUE((walk.civil == Civil{2000, 1, 1}) == (walk.days == kDaysTo2000));
    ASSERT_TRUE(walk.civil != (Civil{2026, 11, 20}) || walk.weekday == 4);
    ASSERT_EQ(days_in_month(walk.civil.year, walk.civil.month), length(walk.civil.year, walk.civil.month));
  }
}

TEST(Calendar, IsTheSameEvery400Years) {
  for (std::int64_t days = -110'000'000; days < 110'000'000; days += 99'991) {
    const Civil civil = civil_from_days(days);
    ASSERT_EQ(days_from_civil(civil), days);
    ASSERT_EQ(civil_from_days(days + 146'097), (Civil{civil.year + 400, civil.month, civil.day}));
  }
  EXPECT_EQ(civil_from_days(days_from_civil({0, 2, 29}) + 1), (Civil{0, 3, 1}));  // 1 BC was a leap year
  EXPECT_EQ(civil_from_days(days_from_civil({-1, 12, 31}) + 1), (Civil{0, 1, 1}));
}

TEST(Calendar, PeriodsOfAThousandYears) {
  for (const Every every : kEveries) {
    Walk walk = kFrom1600;
    Civil before{};
    Civil start{};
    for (; walk.civil.year < 2600; walk.step()) {
      if (begins(every, walk.civil, walk.weekday)) {
        before = start;
        start = walk.civil;
        if (before.year != 0) {
          ASSERT_EQ(next_period(every, before), start);
          ASSERT_EQ(previous_period(every, start), before);
        }
      }
      if (start.year != 0) {
        ASSERT_EQ(period_start(every, walk.civil), start) << walk.civil;
      }
    }
  }
}

TEST(Calendar, WeeksOfAThousandYears) {
  // The first week of a year has its first Thursday.
  Walk walk = kFrom1600;
  IsoWeek week{1599, 52};
  for (; walk.civil.year < 2600; walk.step()) {
    if (walk.weekday == 0) {
      Walk thursday = walk;
      for (int i = 0; i < 3; ++i) thursday.step();
      week = thursday.civil.month == 1 && thursday.civil.day <= 7 ? IsoWeek{thursday.civil.year, 1}
                                                                  : IsoWeek{week.year, week.week + 1};
    }
    if (walk.civil.year > 1600) {
      ASSERT_EQ(iso_week(walk.civil), week) << walk.civil;
    }
  }
  EXPECT_EQ(iso_week({2027, 1, 1}), (IsoWeek{2026, 53}));
}

// What PostgreSQL says to the same subtraction.
TEST(Calendar, SubtractsAsPostgres) {
  constexpr std::int64_t kMinute = kHour / 60;
  const struct {
    const char* from;
    Span span;
    const char* to;
  } cases[] = {
      {"2026-03-31 10:00", {1, 0, 0}, "2026-02-28 10:00"},
      {"2024-03-31 10:00", {1, 0, 0}, "2024-02-29 10:00"},
      {"2024-02-29 23:59:59.999999", {12, 0, 0}, "2023-02-28 23:59:59.999999"},
      {"2024-02-29 00:00", {48, 0, 0}, "2020-02-29 00:00"},
      {"2026-05-31 00:00", {3, 1, 0}, "2026-02-27 00:00"},
      {"2026-03-31 01:00", {1, 0, 2 * kHour}, "2026-02-27 23:00"},
      {"2026-01-30 05:30", {-1, 0, 0}, "2026-02-28 05:30"},
      {"2026-01-15 00:00", {13, 14, kMinute}, "2024-11-30 23:59"},
      {"2026-03-01 00:00", {1, -1, 0}, "2026-02-02 00:00"},
      {"2000-01-01 00:00", {0, 0, 1}, "1999-12-31 23:59:59.999999"},
  };
  for (const auto& [from, span, to] : cases) EXPECT_EQ(minus(local(from), span), local(to)) << from;
}

TEST(Calendar, SubtractsMonthsByClampingTheDay) {
  Walk walk = kFrom1600;
  walk.civil.year = 2000;
  walk.days = kDaysTo2000;
  for (; walk.civil.year < 3000; walk.step()) {
    const std::int64_t today = (walk.days - kDaysTo2000) * kMicrosPerDay + 7 * kHour;
    for (const std::int64_t months : {1, 2, 6, 11, 12, 13, 48, -1, -11}) {
      std::int32_t year = walk.civil.year;
      std::int32_t month = walk.civil.month;
      for (std::int64_t i = 0; i < months; ++i)
        if (--month == 0) month = 12, --year;
      for (std::int64_t i = 0; i > months; --i)
        if (++month == 13) month = 1, ++year;
      const std::int32_t day = walk.civil.day < length(year, month) ? walk.civil.day : length(year, month);
      const Result<Local> got = minus({today}, {months, 0, 0});
      ASSERT_TRUE(got);
      ASSERT_EQ(civil_of(*got), (Civil{year, month, day})) << walk.civil << " less " << months;
      ASSERT_EQ(time_of_day(*got), 7 * kHour);
    }
  }
}

// A time subtracted from later never gives less than least_minus, and at some time gives just that.
TEST(Calendar, TheLeastOfSubtractingFromLater) {
  const Span spans[] = {{0, 1, 0}, {1, 0, 0}, {1, 1, 5 * kHour}, {6, 0, 0}, {12, -3, 0}, {1, 0, -kHour}, {-1, 0, 0}};
  for (const Span& span : spans) {
    for (std::int64_t hour = 0; hour < 24 * 366 * 2; hour += 5) {
      const Local from{local("2023-01-01").micros + hour * kHour};
      Result<Local> least = minus(from, span);
      for (int day = 1; day < 5; ++day) {
        const Result<Local> later = minus(Local{(from.micros / kMicrosPerDay + day) * kMicrosPerDay}, span);
        if (*later < *least) least = later;
      }
      ASSERT_EQ(least_minus(from, span), *least) << from;
    }
  }
}

TEST(Calendar, TellsWhatIsOutOfRange) {
  const Span far[] = {{1'000'000, 0, 0}, {-4'000'000, 0, 0}, {INT64_MAX, 0, 0},  {INT64_MIN, 0, 0},
                      {0, INT64_MAX, 0}, {0, INT64_MIN, 0},  {0, 0, INT64_MAX},  {0, 0, INT64_MIN},
                      {0, 3'000'000, 0}, {7'000 * 12, 0, 0}, {0, 0, kEndMicros}, {0, -110'000'000, 0}};
  for (const Span& span : far) {
    EXPECT_EQ(minus(local("2026-11-20"), span), PartitionError::kOutOfRange) << span.months << ' ' << span.days;
    EXPECT_EQ(least_minus(local("2026-11-20"), span), PartitionError::kOutOfRange);
  }
  EXPECT_EQ(minus({kLeastMicros + 5}, {0, 0, 5}), Local{kLeastMicros});
  EXPECT_EQ(minus({kLeastMicros + 5}, {0, 0, 6}), PartitionError::kOutOfRange);
  EXPECT_EQ(minus({kEndMicros - 5}, {0, 0, -4}), Local{kEndMicros - 1});
  EXPECT_EQ(minus({kEndMicros - 5}, {0, 0, -5}), PartitionError::kOutOfRange);
  // Each of the three steps has to end within the range, as in PostgreSQL.
  EXPECT_EQ(minus({kLeastMicros + 1}, {1, -60, 0}), PartitionError::kOutOfRange);
  EXPECT_EQ(minus({kLeastMicros + 1}, {0, 1, -2 * kMicrosPerDay}), PartitionError::kOutOfRange);
  for (const std::int64_t micros : {INT64_MIN, INT64_MAX})
    for (const Span& span : far) (void)minus({micros}, span);
  EXPECT_EQ(midnight({294'277, 1, 1}), PartitionError::kOutOfRange);
  EXPECT_EQ(midnight({294'276, 12, 31}), Local{kEndMicros - kMicrosPerDay});
  EXPECT_EQ(midnight({-4713, 11, 24}), Local{kLeastMicros});
  EXPECT_EQ(midnight({-4713, 11, 23}), PartitionError::kOutOfRange);
  EXPECT_EQ(midnight({299'999, 1, 1}), PartitionError::kOutOfRange);
}

}  // namespace
