// The values of a partition key: from a bound in the catalogue to a position of
// the core, and back to a literal.
#pragma once

#include "core/partitions/axis.hpp"
#include "pg/postgres.hpp"

namespace chatopt::partitions {

// kind as chatopt.partition_set has it; NULL: as the type of the column says,
// good for positions and literals, not for times. Raises 22023 for a type or
// kind that is none.
core::Axis axis_of(const char* kind, Oid type, TimestampTz snowflake_epoch, int snowflake_shift);

// Raises 22023 where a uuid is not the beginning of a millisecond.
core::Position position_of(const core::Axis& axis, Datum bound);

// As it is written in FOR VALUES, the same whatever DateStyle and TimeZone are.
char* literal_of(const core::Axis& axis, core::Position position);

}  // namespace chatopt::partitions
