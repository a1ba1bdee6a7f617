// Times for tests to write and to read.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/partitions/planner.hpp"
#include "core/partitions/text.hpp"

namespace chatopt::core {

inline std::ostream& operator<<(std::ostream& out, Civil civil) {
  return out << civil.year << '-' << civil.month << '-' << civil.day;
}
inline std::ostream& operator<<(std::ostream& out, Every every) {
  const char* const names[] = {"day", "week", "month", "quarter", "year"};
  return out << names[static_cast<int>(every)];
}
inline std::ostream& operator<<(std::ostream& out, Local local) {
  return out << civil_of(local) << " and " << time_of_day(local) / 1e6 << " s";
}
inline std::ostream& operator<<(std::ostream& out, Instant instant) { return out << Local{instant.micros} << " UTC"; }
inline std::ostream& operator<<(std::ostream& out, const Period& period) {
  return out << '[' << period.lower << ", " << period.upper << ") of " << period.start;
}
template <class T>
std::ostream& operator<<(std::ostream& out, const Result<T>& result) {
  if (!result) return out << "error " << static_cast<int>(result.error());
  return out << *result;
}
template <class T>
bool operator==(const Result<T>& result, const T& value) {
  return result && *result == value;
}
template <class T>
bool operator==(const Result<T>& result, PartitionError error) {
  return result.error() == error;
}

}  // namespace chatopt::core

namespace chatopt::test {

// 2026-11-20 12:00:00+00
inline core::Instant at(const std::string& text) {
  const core::Result<core::Instant> result = core::parse_instant(text);
  EXPECT_TRUE(result) << text;
  return *result;
}
// 2026-11-20 12:00:00, or 2026-11-20
inline core::Local local(const std::string& text) {
  return {at(text + (text.find(':') == std::string::npos ? " 00:00+00" : "+00")).micros};
}

inline constexpr std::int64_t kHour = 3600 * core::kMicrosPerSecond;
inline constexpr core::Every kEveries[] = {core::Every::kDay, core::Every::kWeek, core::Every::kMonth,
                                           core::Every::kQuarter, core::Every::kYear};

}  // namespace chatopt::test
