// PostgreSQL's time zones as the core takes them.
#pragma once

#include "core/partitions/zone.hpp"
#include "pg/postgres.hpp"

namespace chatopt::partitions {

// The offset changes of a zone in the window, in the current memory context.
// Raises 22023 where there is no such zone.
core::Zone load_zone(const char* name, core::Window window);

}  // namespace chatopt::partitions
