#include "core/partitions/zone.hpp"

#include <algorithm>

#include "core/partitions/checked.hpp"

namespace chatopt::core {
namespace {

constexpr std::int64_t kSecondsTo2000 = kDaysTo2000 * kSecondsPerDay;  // from 1970
// No offset is greater than a day, so that much later no clock shows less than now.
constexpr std::int64_t kMostSetBack = 2 * kMicrosPerDay;

// Seconds from 1970.
std::int64_t second_of(std::int64_t micros) noexcept { return floor_divide(micros, kMicrosPerSecond) + kSecondsTo2000; }

Result<Local> to_local_by(Instant instant, std::int32_t offset) noexcept {
  Local local;
  if (add_overflows(instant.micros, offset * kMicrosPerSecond, local.micros)) return PartitionError::kOutOfRange;
  return local;
}
Result<Instant> to_utc_by(Local local, std::int32_t offset) noexcept {
  Instant instant;
  if (subtract_overflows(local.micros, offset * kMicrosPerSecond, instant.micros)) return PartitionError::kOutOfRange;
  return instant;
}

}  // namespace

// What the first transition later than a day before the time says of it.
struct Zone::Around {
  std::int32_t offset;
  bool in_gap;
  std::int64_t at;  // of the gap
};

// The number of transitions at or before the second.
std::size_t Zone::count_upto(std::int64_t second) const noexcept {
  const auto after = std::upper_bound(transitions_.begin(), transitions_.end(), second,
                                      [](std::int64_t at, const Transition& transition) { return at < transition.at; });
  return static_cast<std::size_t>(after - transitions_.begin());
}

std::int32_t Zone::offset_after(std::size_t transitions) const noexcept {
  return transitions == 0 ? first_offset_ : transitions_[transitions - 1].offset;
}

Result<Local> Zone::to_local(Instant instant) const noexcept {
  if (!window_.holds(instant)) return PartitionError::kOutsideZone;
  return to_local_by(instant, offset_after(count_upto(second_of(instant.micros))));
}

// PostgreSQL's own way (DetermineTimeZoneOffset), which takes it that there are two days between transitions.
Result<Zone::Around> Zone::around(Local local) const noexcept {
  Instant from;
  Instant to;
  if (subtract_overflows(local.micros, kMicrosPerDay, from.micros)) return PartitionError::kOutOfRange;
  if (add_overflows(local.micros, kMicrosPerDay, to.micros)) return PartitionError::kOutOfRange;
  if (!window_.holds(from) || !window_.holds(to)) return PartitionError::kOutsideZone;
  const std::int64_t second = second_of(local.micros);
  const std::size_t passed = count_upto(second - kSecondsPerDay);
  const std::int32_t before = offset_after(passed);
  if (passed == transitions_.size()) return Around{before, false, 0};
  const auto [at, after] = transitions_[passed];
  if (second - before < at && second - after < at) return Around{before, false, 0};
  if (second - before > at && second - after >= at) return Around{after, false, 0};
  if (before < after) return Around{before, true, at};
  return Around{after, false, 0};
}

Result<Instant> Zone::to_utc(Local local) const noexcept {
  const Result<Around> found = around(local);
  if (!found) return found.error();
  return to_utc_by(local, found->offset);
}

Result<Instant> Zone::least_utc(Local local) const noexcept {
  const Result<Around> found = around(local);
  if (!found) return found.error();
  if (found->in_gap) return Instant{(found->at - kSecondsTo2000) * kMicrosPerSecond};
  return to_utc_by(local, found->offset);
}

Result<Local> Zone::least_local(Instant instant) const noexcept {
  Instant until;
  if (add_overflows(instant.micros, kMostSetBack, until.micros)) return PartitionError::kOutOfRange;
  if (!window_.holds(until)) return PartitionError::kOutsideZone;
  const Result<Local> shown = to_local(instant);
  if (!shown) return shown.error();
  Local least = *shown;
  for (std::size_t i = count_upto(second_of(instant.micros)); i < transitions_.size(); ++i) {
    const auto [at, offset] = transitions_[i];
    if (at > second_of(until.micros)) break;
    const Result<Local> then = to_local_by({(at - kSecondsTo2000) * kMicrosPerSecond}, offset);
    if (then) least = std::min(least, *then);
  }
  return least;
}

}  // namespace chatopt::core
