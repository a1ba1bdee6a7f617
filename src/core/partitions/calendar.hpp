// The calendar that periods are cut by: proleptic Gregorian, without time zones; zone.hpp knows those.
//
// Times are int64 microseconds from 2000-01-01 00:00, as PostgreSQL's timestamps are: from 1970 its last years would
// not fit. A Local is what a clock on a wall shows (timestamp), an Instant is a moment, the same everywhere
// (timestamptz). Years count from 1 BC = 0. A week begins on Monday.
#pragma once

#include <compare>
#include <cstdint>

#include "core/partitions/result.hpp"

namespace chatopt::core {

struct Instant {
  std::int64_t micros;
  auto operator<=>(const Instant&) const = default;
};
struct Local {
  std::int64_t micros;
  auto operator<=>(const Local&) const = default;
};
// As PostgreSQL's interval: months first, then days, then microseconds.
struct Span {
  std::int64_t months;
  std::int64_t days;
  std::int64_t micros;
  bool operator==(const Span&) const = default;
};
struct Civil {
  std::int32_t year;
  std::int32_t month;  // 1 … 12
  std::int32_t day;    // 1 … 31
  auto operator<=>(const Civil&) const = default;
};
struct IsoWeek {
  std::int32_t year;
  std::int32_t week;  // 1 … 53
  auto operator<=>(const IsoWeek&) const = default;
};
enum class Every { kDay, kWeek, kMonth, kQuarter, kYear };

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kSecondsPerDay = 86'400;
inline constexpr std::int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;
inline constexpr std::int64_t kDaysTo2000 = 10'957;  // from 1970
// PostgreSQL's timestamps: 4714-11-24 BC up to before 294277-01-01; its infinities are beyond.
inline constexpr std::int64_t kLeastMicros = -211'813'488'000'000'000;
inline constexpr std::int64_t kEndMicros = 9'223'371'331'200'000'000;
[[nodiscard]] constexpr bool is_timestamp(std::int64_t micros) noexcept {
  return micros >= kLeastMicros && micros < kEndMicros;
}

// Days from 1970-01-01, of a valid date within ±300,000 years.
[[nodiscard]] std::int64_t days_from_civil(Civil civil) noexcept;
[[nodiscard]] Civil civil_from_days(std::int64_t days) noexcept;
[[nodiscard]] std::int32_t days_in_month(std::int32_t year, std::int32_t month) noexcept;
[[nodiscard]] IsoWeek iso_week(Civil civil) noexcept;

// The first day of the period that the day is in; of the period after, and of the one before, a period that begins on
// it.
[[nodiscard]] Civil period_start(Every every, Civil civil) noexcept;
[[nodiscard]] Civil next_period(Every every, Civil start) noexcept;
[[nodiscard]] Civil previous_period(Every every, Civil start) noexcept;

[[nodiscard]] Civil civil_of(Local local) noexcept;
// Microseconds since midnight.
[[nodiscard]] std::int64_t time_of_day(Local local) noexcept;
// Midnight at the beginning of the day.
[[nodiscard]] Result<Local> midnight(Civil civil) noexcept;

// local - span, as PostgreSQL subtracts an interval from a timestamp: a day that the month has not becomes its last.
[[nodiscard]] Result<Local> minus(Local local, const Span& span) noexcept;
// The least that minus gives for local or any time after it. The clamping above makes 30 March 01:00 less a month
// earlier than 29 March 23:00 less a month; what has once left a window that begins here never comes back.
[[nodiscard]] Result<Local> least_minus(Local local, const Span& span) noexcept;

}  // namespace chatopt::core
