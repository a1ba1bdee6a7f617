// Periods and names of partitions for SQL; what the core cannot do is an error.
#pragma once

#include <string_view>

#include "core/partitions/calendar.hpp"
#include "core/partitions/naming.hpp"
#include "pg/postgres.hpp"

namespace chatopt::partitions {

// Raises 22023 for what is no period.
core::Every every_of(std::string_view text);
const char* word_for(core::Every every);

// In the current memory context; raises 22023 or 42622 where there is none.
char* named(const core::Result<core::PartitionName>& name, const char* base);

}  // namespace chatopt::partitions
