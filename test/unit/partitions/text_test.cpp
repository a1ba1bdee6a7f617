// Periods and times as people write them.
#include "core/partitions/text.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "times.hpp"

namespace {

using namespace chatopt::core;

TEST(PeriodText, IsRead) {
  const struct {
    Every every;
    std::vector<const char*> texts;
  } cases[] = {
      {Every::kDay, {"day", "days", "1 day", "DAY", " day ", "1day", "01 day", "1 days"}},
      {Every::kWeek, {"week", "weeks", "1 week", "7 days", "7 day"}},
      {Every::kMonth, {"month", "months", "1 month", "1 mon", "mon", "Month", "\t1\n month"}},
      {Every::kQuarter, {"quarter", "quarters", "1 quarter", "3 months", "3 mons", "3 mon"}},
      {Every::kYear, {"year", "years", "1 year", "12 months", "12 mons", "4 quarters"}},
  };
  for (const auto& [every, texts] : cases)
    for (const char* text : texts) EXPECT_EQ(parse_every(text), every) << text;
}

TEST(PeriodText, AnythingElseIsNot) {
  for (const char* text : {"",
                           " ",
                           "10",
                           "1",
                           "3 days",
                           "2 months",
                           "0 month",
                           "-1 month",
                           "+1 month",
                           "month 1",
                           "1 hour",
                           "hour",
                           "1.0 day",
                           "s",
                           "monthss",
                           "monday",
                           "da",
                           "1 month 0 days",
                           "P1M",
                           "daily",
                           "1  month1",
                           "100 days",
                           "12 mon ths",
                           "month;",
                           "99999999999999999999 day",
                           "2 years",
                           "month\n.",
                           "6 months",
                           "24:00:00",
                           "7",
                           "mons s",
                           "12",
                           "year_",
                           "1 decade"})
    EXPECT_EQ(parse_every(text), PartitionError::kSyntax) << text;
  EXPECT_EQ(parse_every(std::string_view("day\0", 4)), PartitionError::kSyntax);
  EXPECT_EQ(parse_every(std::string_view("\0day", 4)), PartitionError::kSyntax);
}

TEST(TimeText, IsRead) {
  constexpr std::int64_t kNoon =
      848'491'200'000'000;  // SELECT extract(epoch FROM '2026-11-20 12:00+00' - '2000-01-01+00')
  const struct {
    const char* text;
    std::int64_t micros;
  } cases[] = {
      {"2026-11-20 12:00:00+00", kNoon},
      {"2026-11-20 12:00:00 +00", kNoon},
      {"2026-11-20T12:00Z", kNoon},
      {"2026-11-20t12:00z", kNoon},
      {" 2026-11-20 12:00+00:00 ", kNoon},
      {"2026-11-20 12:00:00.5+00", kNoon + 500'000},
      {"2026-11-20 12:00:00.000001+00", kNoon + 1},
      {"2026-11-20 12:00:00.123456+00", kNoon + 123'456},
      {"2026-11-20 17:30:00+05:30", kNoon},
      {"2026-11-20 17:30:00+0530", kNoon},
      {"2026-11-20 07:00:00-05", kNoon},
      {"2026-11-20 12:53:28+00:53:28", kNoon},
      {"2026-11-20 23:59:59.999999-00", kNoon + 43'199'999'999},
      {"2000-01-01 00:00:00+00", 0},
      {"1999-12-31 23:59:59.999999+00", -1},
      {"2024-02-29 00:00+00", 762'480'000'000'000},
      {"0001-01-01 00:00+00", -63'082'281'600'000'000},
      {"294276-12-31 23:59:59.999999+00", kEndMicros - 1},
      {"294277-01-01 00:59:59.999999+01", kEndMicros - 1},
  };
  for (const auto& [text, micros] : cases) EXPECT_EQ(parse_instant(text), Instant{micros}) << text;
}

TEST(TimeText, AnythingElseIsNot) {
  for (const char* text : {"",
                           "now",
                           "infinity",
                           "2026-11-20",
                           "2026-11-20 12:00:00",
                           "2026-11-20 12+00",
                           "2026-11-2012:00:00+00",
                           "2026-13-01 00:00+00",
                           "2026-00-01 00:00+00",
                           "2026-02-29 00:00+00",
                           "2026-04-31 00:00+00",
                           "2026-04-00 00:00+00",
                           "0000-01-01 00:00+00",
                           "-2026-01-01 00:00+00",
                           "2026-11-20 24:00+00",
                           "2026-11-20 12:60+00",
                           "2026-11-20 12:00:60+00",
                           "2026-11-20 12:00:00.+00",
                           "2026-11-20 12:00:00.1234567+00",
                           "2026-11-20 12:00:0+00",
                           "2026-11-20 12:00:00+0",
                           "2026-11-20 12:00:00+053",
                           "2026-11-20 12:00:00+05:3",
                           "2026-11-20 12:00:00+16",
                           "2026-11-20 12:00:00+05:60",
                           "2026-11-20 12:00:00+05:30:60",
                           "2026-11-20 12:00:00+053000",
                           "2026-11-20 12:00:00+00 x",
                           "2026-11-20 12:00:00 UTC",
                           "2026-11-20 12:00:00++00",
                           "2026/11/20 12:00+00",
                           "26-11-20 12:00+00",
                           "2026-11-20  12:00+00",
                           "1234567-01-01 00:00+00"})
    EXPECT_EQ(parse_instant(text), PartitionError::kSyntax) << text;
  for (const char* text : {"294277-01-01 00:00+00", "294276-12-31 23:59:59-01", "999999-01-01 00:00+00"})
    EXPECT_EQ(parse_instant(text), PartitionError::kOutOfRange) << text;
  // Its every beginning is none either.
  const std::string whole = "2026-11-20 12:00:00.5+05:30:15";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const bool ends = size == 24 || size == 27;
    EXPECT_EQ(static_cast<bool>(parse_instant(whole.substr(0, size))), ends) << size;
  }
}

}  // namespace
