#include "core/partitions/calendar.hpp"

#include <algorithm>

#include "core/partitions/checked.hpp"

namespace chatopt::core {
namespace {

constexpr std::int64_t kDaysPerEra = 146'097;    // 400 years
constexpr std::int64_t kDaysToMarch0 = 719'468;  // from 0000-03-01 to 1970-01-01

// Monday 0 … Sunday 6; 1970-01-01 was a Thursday.
std::int64_t weekday(std::int64_t days) noexcept { return floor_remainder(days + 3, 7); }

Civil add_months(Civil civil, std::int64_t months) noexcept {
  const std::int64_t month = std::int64_t{civil.year} * 12 + civil.month - 1 + months;
  const auto year = static_cast<std::int32_t>(floor_divide(month, 12));
  const auto month_of_year = static_cast<std::int32_t>(floor_remainder(month, 12) + 1);
  return {year, month_of_year, std::min(civil.day, days_in_month(year, month_of_year))};
}

Civil add_days(Civil civil, std::int64_t days) noexcept { return civil_from_days(days_from_civil(civil) + days); }

Civil step(Every every, Civil start, int direction) noexcept {
  switch (every) {
    case Every::kDay:
      return add_days(start, direction);
    case Every::kWeek:
      return add_days(start, 7 * direction);
    case Every::kMonth:
      return add_months(start, direction);
    case Every::kQuarter:
      return add_months(start, 3 * direction);
    case Every::kYear:
      break;
  }
  return add_months(start, 12 * direction);
}

Result<Local> checked(std::int64_t micros) noexcept {
  if (!is_timestamp(micros)) return PartitionError::kOutOfRange;
  return Local{micros};
}

// The day, as days from 1970, less the months.
Result<std::int64_t> minus_months(std::int64_t day, std::int64_t months) noexcept {
  // More would end before PostgreSQL's first timestamp or behind its last, wherever it began.
  constexpr std::int64_t kMostMonths = 12 * 300'000;
  if (months == 0) return day;
  if (months > kMostMonths || months < -kMostMonths) return PartitionError::kOutOfRange;
  return days_from_civil(add_months(civil_from_days(day), -months));
}

std::int64_t day_of(Local local) noexcept { return floor_divide(local.micros, kMicrosPerDay) + kDaysTo2000; }

// The time of day on a day from 1970, less the days and then the microseconds; each has to be a timestamp.
Result<Local> finish_minus(std::int64_t day, std::int64_t time, const Span& span) noexcept {
  std::int64_t micros;
  std::int64_t days;
  if (multiply_overflows(day - kDaysTo2000, kMicrosPerDay, micros) || add_overflows(micros, time, micros) ||
      !is_timestamp(micros) || multiply_overflows(span.days, kMicrosPerDay, days) ||
      subtract_overflows(micros, days, micros) || !is_timestamp(micros) ||
      subtract_overflows(micros, span.micros, micros))
    return PartitionError::kOutOfRange;
  return checked(micros);
}

}  // namespace

// Howard Hinnant's: years that begin in March have their leap day last.
std::int64_t days_from_civil(Civil civil) noexcept {
  const std::int64_t year = std::int64_t{civil.year} - (civil.month <= 2 ? 1 : 0);
  const std::int64_t era = floor_divide(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t month = (civil.month + 9) % 12;  // from March
  const std::int64_t day_of_year = (153 * month + 2) / 5 + civil.day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * kDaysPerEra + day_of_era - kDaysToMarch0;
}

Civil civil_from_days(std::int64_t days) noexcept {
  days += kDaysToMarch0;
  const std::int64_t era = floor_divide(days, kDaysPerEra);
  const std::int64_t day_of_era = days - era * kDaysPerEra;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / (kDaysPerEra - 1)) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<std::int32_t>(day_of_year - (153 * month + 2) / 5 + 1);
  const auto civil_month = static_cast<std::int32_t>(month < 10 ? month + 3 : month - 9);
  return {static_cast<std::int32_t>(year_of_era + era * 400 + (civil_month <= 2 ? 1 : 0)), civil_month, day};
}

std::int32_t days_in_month(std::int32_t year, std::int32_t month) noexcept {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// A week is of the year that its Thursday is in.
IsoWeek iso_week(Civil civil) noexcept {
  const std::int64_t day = days_from_civil(civil);
  const std::int64_t thursday = day - weekday(day) + 3;
  const std::int32_t year = civil_from_days(thursday).year;
  return {year, static_cast<std::int32_t>((thursday - days_from_civil({year, 1, 1})) / 7 + 1)};
}

Civil period_start(Every every, Civil civil) noexcept {
  switch (every) {
    case Every::kDay:
      return civil;
    case Every::kWeek:
      return add_days(civil, -weekday(days_from_civil(civil)));
    case Every::kMonth:
      return {civil.year, civil.month, 1};
    case Every::kQuarter:
      return {civil.year, (civil.month - 1) / 3 * 3 + 1, 1};
    case Every::kYear:
      break;
  }
  return {civil.year, 1, 1};
}

Civil next_period(Every every, Civil start) noexcept { return step(every, start, 1); }
Civil previous_period(Every every, Civil start) noexcept { return step(every, start, -1); }

Civil civil_of(Local local) noexcept { return civil_from_days(day_of(local)); }

std::int64_t time_of_day(Local local) noexcept { return floor_remainder(local.micros, kMicrosPerDay); }

Result<Local> midnight(Civil civil) noexcept {
  std::int64_t micros;
  if (multiply_overflows(days_from_civil(civil) - kDaysTo2000, kMicrosPerDay, micros))
    return PartitionError::kOutOfRange;
  return checked(micros);
}

Result<Local> minus(Local local, const Span& span) noexcept {
  const Result<std::int64_t> day = minus_months(day_of(local), span.months);
  if (!day) return day.error();
  return finish_minus(*day, time_of_day(local), span);
}

Result<Local> least_minus(Local local, const Span& span) noexcept {
  const std::int64_t today = day_of(local);
  const Result<std::int64_t> day = minus_months(today, span.months);
  const Result<std::int64_t> next = minus_months(today + 1, span.months);
  if (!day) return day.error();
  // Where tomorrow becomes the same day, its midnight is still to come.
  return finish_minus(*day, next && *next == *day ? 0 : time_of_day(local), span);
}

}  // namespace chatopt::core
