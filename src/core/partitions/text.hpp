// What people write: periods and times.
#pragma once

#include <string_view>

#include "core/partitions/calendar.hpp"

namespace chatopt::core {

// day, week, month, quarter or year, also with s, also after the number that makes it one: 1 month, 3 mons, 7 days, as
// PostgreSQL writes such intervals. Upper and lower case, white space around. Anything else is kSyntax.
[[nodiscard]] Result<Every> parse_every(std::string_view text) noexcept;

// An ISO 8601 time with an offset, such as 2026-11-20 12:00:00.5+00 or 2026-11-20T12:00Z: kSyntax, or kOutOfRange of
// what PostgreSQL cannot hold. Without offset it would depend on whose zone is meant.
[[nodiscard]] Result<Instant> parse_instant(std::string_view text) noexcept;

}  // namespace chatopt::core
