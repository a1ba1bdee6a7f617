#include "core/partitions/axis.hpp"

#include <limits>

#include "core/partitions/checked.hpp"

namespace chatopt::core {
namespace {

constexpr std::int64_t kMillisTo2000 = kDaysTo2000 * kSecondsPerDay * 1000;  // from 1970
constexpr std::int64_t kSecondsTo2000 = kDaysTo2000 * kSecondsPerDay;
constexpr std::int64_t kEndUuidMillis = std::int64_t{1} << 48;
constexpr int kMostShift = 40;
constexpr std::int64_t kLeastInt64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kGreatestInt64 = std::numeric_limits<std::int64_t>::max();

bool is_sound(const Axis& axis) noexcept {
  return axis.kind != AxisKind::kSnowflake || (axis.shift >= 0 && axis.shift <= kMostShift);
}

// micros is of the axis' own clock: an Instant's or a Local's.
Result<Position> from_micros(const Axis& axis, std::int64_t micros) noexcept {
  if (!is_timestamp(micros)) return PartitionError::kOutOfRange;
  if (!is_sound(axis)) return PartitionError::kBadAxis;
  const std::int64_t millis = floor_divide(micros, 1000) + kMillisTo2000;
  switch (axis.kind) {
    case AxisKind::kTimestamptz:
    case AxisKind::kTimestamp:
      return micros;
    case AxisKind::kDate:
      return floor_divide(micros, kMicrosPerDay);
    case AxisKind::kEpochSeconds:
      return floor_divide(micros, kMicrosPerSecond) + kSecondsTo2000;
    case AxisKind::kEpochMilliseconds:
      return millis;
    case AxisKind::kUuidv7:
      if (millis < 0 || millis >= kEndUuidMillis) return PartitionError::kOutOfRange;
      return millis;
    case AxisKind::kSnowflake:
      break;
  }
  std::int64_t position;
  if (subtract_overflows(millis, axis.epoch_ms, position) ||
      multiply_overflows(position, std::int64_t{1} << axis.shift, position))
    return PartitionError::kOutOfRange;
  return position;
}

Result<std::int64_t> scaled(Position position, std::int64_t origin, std::int64_t unit) noexcept {
  std::int64_t micros;
  if (subtract_overflows(position, origin, micros) || multiply_overflows(micros, unit, micros) || !is_timestamp(micros))
    return PartitionError::kOutOfRange;
  return micros;
}

Result<std::int64_t> to_micros(const Axis& axis, Position position) noexcept {
  if (!is_sound(axis)) return PartitionError::kBadAxis;
  switch (axis.kind) {
    case AxisKind::kTimestamptz:
    case AxisKind::kTimestamp:
      return scaled(position, 0, 1);
    case AxisKind::kDate:
      return scaled(position, 0, kMicrosPerDay);
    case AxisKind::kEpochSeconds:
      return scaled(position, kSecondsTo2000, kMicrosPerSecond);
    case AxisKind::kEpochMilliseconds:
    case AxisKind::kUuidv7:
      return scaled(position, kMillisTo2000, 1000);
    case AxisKind::kSnowflake:
      break;
  }
  std::int64_t millis;
  if (add_overflows(position >> axis.shift, axis.epoch_ms, millis)) return PartitionError::kOutOfRange;
  return scaled(millis, kMillisTo2000, 1000);
}

std::int64_t clamped_add(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum;
  if (!add_overflows(a, b, sum)) return sum;
  return b < 0 ? kLeastInt64 : kGreatestInt64;
}

}  // namespace

Result<Position> position_of(const Axis& axis, const Zone& zone, Instant instant) noexcept {
  if (!axis.is_local()) return from_micros(axis, instant.micros);
  const Result<Local> local = zone.to_local(instant);
  if (!local) return local.error();
  return from_micros(axis, local->micros);
}

Result<Position> position_of(const Axis& axis, const Zone& zone, Local local) noexcept {
  if (axis.is_local()) return from_micros(axis, local.micros);
  const Result<Instant> instant = zone.to_utc(local);
  if (!instant) return instant.error();
  return from_micros(axis, instant->micros);
}

Result<Instant> instant_of(const Axis& axis, const Zone& zone, Position position) noexcept {
  const Result<std::int64_t> micros = to_micros(axis, position);
  if (!micros) return micros.error();
  if (!axis.is_local()) return Instant{*micros};
  return zone.to_utc({*micros});
}

Result<Local> local_of(const Axis& axis, const Zone& zone, Position position) noexcept {
  const Result<std::int64_t> micros = to_micros(axis, position);
  if (!micros) return micros.error();
  if (axis.is_local()) return Local{*micros};
  return zone.to_local({*micros});
}

Window window_around(const Axis& axis, Position least, Position greatest) noexcept {
  // A day to a clock's offset, a day beyond that, and two for clocks that are put back.
  constexpr std::int64_t kMargin = 4 * kMicrosPerDay;
  const Result<std::int64_t> from = to_micros(axis, least);
  const Result<std::int64_t> to = to_micros(axis, greatest);
  return {{clamped_add(from ? *from : kLeastMicros, -kMargin)}, {clamped_add(to ? *to : kEndMicros, kMargin)}};
}

std::optional<AxisKind> guess_axis(std::int64_t value) noexcept {
  constexpr std::int64_t kLeastSecond = 1'000'000'000;
  constexpr std::int64_t kGreatestSecond = 40'000'000'000;
  constexpr std::int64_t kLeastMilli = 1'000'000'000'000;
  constexpr std::int64_t kGreatestMilli = 40'000'000'000'000;
  if (value >= kLeastSecond && value <= kGreatestSecond) return AxisKind::kEpochSeconds;
  if (value >= kLeastMilli && value <= kGreatestMilli) return AxisKind::kEpochMilliseconds;
  return std::nullopt;
}

Uuid uuid_at(Position position) noexcept {
  Uuid uuid{};
  for (std::size_t i = 0; i < 6; ++i) uuid[i] = static_cast<std::uint8_t>(position >> (8 * (5 - i)));
  return uuid;
}

Result<Position> position_of(const Uuid& uuid) noexcept {
  Position position = 0;
  for (std::size_t i = 0; i < 6; ++i) position = position << 8 | uuid[i];
  for (std::size_t i = 6; i < uuid.size(); ++i)
    if (uuid[i] != 0) return PartitionError::kOutOfRange;
  return position;
}

}  // namespace chatopt::core
