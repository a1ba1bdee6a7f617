// Names of partitions: the table's name, cut where it is too long, and what tells the period.
//
// A pattern is literal text with tokens YYYY MM DD Q (quarter), IYYY IW (ISO week), and text in double quotes as it
// is, as in to_char. Years before 1 are 0001bc and so on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/partitions/calendar.hpp"

namespace chatopt::core {

inline constexpr std::size_t kMostNameBytes = 63;

struct PartitionName {
  char text[kMostNameBytes + 1];  // ends in NUL
  std::size_t size;
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, size}; }
};

// _YYYY_MM_DD of days and weeks, _YYYY_MM, _YYYY_qQ, _YYYY.
[[nodiscard]] std::string_view default_pattern(Every every) noexcept;
// kNone where the pattern gives every period a name of its own; else kBadPattern, or kNameTooLong where a name would
// have less than a byte of the table's.
[[nodiscard]] PartitionError check_pattern(std::string_view pattern, Every every) noexcept;

// base is valid UTF-8, or text of a one-byte encoding. Cut at the beginning of a character, so that the name has at
// most kMostNameBytes.

// Of a whole period, by its first day.
[[nodiscard]] Result<PartitionName> period_name(std::string_view base, std::string_view pattern, Civil start) noexcept;
// Of a part of a period, by its lower bound: _YYYY_MM_DD, and behind it _HHMMSS unless it is midnight.
[[nodiscard]] Result<PartitionName> piece_name(std::string_view base, Local lower) noexcept;
// Of the partition that holds all before a period, by that period's first day: _before and the pattern.
[[nodiscard]] Result<PartitionName> wide_name(std::string_view base, std::string_view pattern, Civil start) noexcept;

}  // namespace chatopt::core
