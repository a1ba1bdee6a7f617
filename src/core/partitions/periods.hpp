// The periods of a calendar on the axis of a partition key.
//
// Periods follow one another without gap or overlap, whatever a zone does: one that its zone leaves out (Samoa's 30
// December 2011) is passed over, one that it has twice is one.
#pragma once

#include "core/partitions/axis.hpp"

namespace chatopt::core {

struct Scale {
  Axis axis;
  Zone zone;
  Every every = Every::kMonth;
};

struct Period {
  Position lower;
  Position upper;  // > lower, not in it
  Civil start;     // its first day
  bool operator==(const Period&) const = default;
};

// The period that holds the position. Whether a bound begins a period is whether it is its own period's lower; the
// first period that begins at a position or after it begins at the position or at its period's upper.
[[nodiscard]] Result<Period> period_at(const Scale& scale, Position position) noexcept;
[[nodiscard]] Result<Period> period_at(const Scale& scale, Instant instant) noexcept;
[[nodiscard]] Result<Period> next_period(const Scale& scale, const Period& period) noexcept;
[[nodiscard]] Result<Period> previous_period(const Scale& scale, const Period& period) noexcept;

}  // namespace chatopt::core
