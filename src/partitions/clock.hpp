// The clock of maintenance: what day it is for partitions.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::partitions {

// The only clock of src/partitions: now, or what chatopt.clock says it is.
TimestampTz maintenance_now();

// The setting chatopt.clock as it was written; empty: the real time.
const char* maintenance_clock();

void define_clock_setting();

}  // namespace chatopt::partitions
