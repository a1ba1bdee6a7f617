#include "core/partitions/periods.hpp"

#include "core/partitions/checked.hpp"

namespace chatopt::core {
namespace {

// Offsets are less than a day, so that few periods lie between what a clock shows and where the axis is.
constexpr int kTries = 4;

Result<Position> start_of(const Scale& scale, Civil start) noexcept {
  const Result<Local> local = midnight(start);
  if (!local) return local.error();
  return position_of(scale.axis, scale.zone, *local);
}

// The first period from this one on that ends beyond position. Its lower bound is where the one before it ends.
Result<Period> forward(const Scale& scale, Period period, Position position) noexcept {
  for (int i = 0; i < kTries; ++i) {
    const Civil next = next_period(scale.every, period.start);
    const Result<Position> upper = start_of(scale, next);
    if (!upper) return upper.error();
    if (*upper > position && *upper > period.lower) return Period{period.lower, *upper, period.start};
    if (*upper > period.lower) period.lower = *upper;
    period.start = next;
  }
  return PartitionError::kOutOfRange;
}

// The last period before or at start that begins at or below position.
Result<Period> backward(const Scale& scale, Civil start, Position position) noexcept {
  for (int i = 0; i < kTries; ++i) {
    const Result<Position> lower = start_of(scale, start);
    if (!lower) return lower.error();
    if (*lower <= position) return Period{*lower, *lower, start};
    start = previous_period(scale.every, start);
  }
  return PartitionError::kOutOfRange;
}

}  // namespace

Result<Period> period_at(const Scale& scale, Position position) noexcept {
  const Result<Local> local = local_of(scale.axis, scale.zone, position);
  if (!local) return local.error();
  const Result<Period> from = backward(scale, period_start(scale.every, civil_of(*local)), position);
  if (!from) return from;
  return forward(scale, *from, position);
}

Result<Period> period_at(const Scale& scale, Instant instant) noexcept {
  const Result<Position> position = position_of(scale.axis, scale.zone, instant);
  if (!position) return position.error();
  return period_at(scale, *position);
}

Result<Period> next_period(const Scale& scale, const Period& period) noexcept {
  return forward(scale, {period.upper, period.upper, next_period(scale.every, period.start)}, period.upper);
}

Result<Period> previous_period(const Scale& scale, const Period& period) noexcept {
  Position below;
  if (subtract_overflows(period.lower, 1, below)) return PartitionError::kOutOfRange;
  const Result<Period> from = backward(scale, previous_period(scale.every, period.start), below);
  if (!from) return from;
  return Period{from->lower, period.lower, from->start};
}

}  // namespace chatopt::core
