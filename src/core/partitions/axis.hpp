// How the values of a partition key stand for time: every kind of key is an int64 axis, and bounds are positions on it.
//
//   kTimestamptz         microseconds from 2000-01-01 UTC, PostgreSQL's own value (Instant)
//   kTimestamp           the same of the wall clock in the set's zone (Local)
//   kDate                days from 2000-01-01, PostgreSQL's own value, of the wall clock
//   kEpochSeconds        seconds from 1970
//   kEpochMilliseconds   milliseconds from 1970
//   kUuidv7              the first 48 bits: milliseconds from 1970
//   kSnowflake           (milliseconds - epoch_ms) << shift
// A time between two positions is at the lower one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/partitions/zone.hpp"

namespace chatopt::core {

using Position = std::int64_t;

enum class AxisKind { kTimestamptz, kTimestamp, kDate, kEpochSeconds, kEpochMilliseconds, kUuidv7, kSnowflake };

struct Axis {
  AxisKind kind = AxisKind::kTimestamptz;
  std::int64_t epoch_ms = 0;  // of a snowflake: from 1970
  int shift = 0;              // of a snowflake: 0 … 40
  bool operator==(const Axis&) const = default;

  // Positions are wall clock times and not moments.
  [[nodiscard]] constexpr bool is_local() const noexcept {
    return kind == AxisKind::kTimestamp || kind == AxisKind::kDate;
  }
};

// Between times and positions, in a zone; what lies outside the type's or PostgreSQL's range is kOutOfRange.
[[nodiscard]] Result<Position> position_of(const Axis& axis, const Zone& zone, Instant instant) noexcept;
[[nodiscard]] Result<Position> position_of(const Axis& axis, const Zone& zone, Local local) noexcept;
[[nodiscard]] Result<Instant> instant_of(const Axis& axis, const Zone& zone, Position position) noexcept;
[[nodiscard]] Result<Local> local_of(const Axis& axis, const Zone& zone, Position position) noexcept;

// What is to be told of a zone before positions from least to greatest are asked about: a few days more on either side.
[[nodiscard]] Window window_around(const Axis& axis, Position least, Position greatest) noexcept;

// Is this bigint seconds or milliseconds of an ordinary time, 2001 … 3237? Never a snowflake: its value does not tell.
[[nodiscard]] std::optional<AxisKind> guess_axis(std::int64_t value) noexcept;

// A bound of kUuidv7 as a uuid: what follows the milliseconds is 0, so that it is below all that were made then.
using Uuid = std::array<std::uint8_t, 16>;
[[nodiscard]] Uuid uuid_at(Position position) noexcept;
// kOutOfRange where the uuid does not begin a millisecond.
[[nodiscard]] Result<Position> position_of(const Uuid& uuid) noexcept;

}  // namespace chatopt::core
