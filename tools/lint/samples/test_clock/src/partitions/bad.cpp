// A second clock.
#include "pg/postgres.hpp"

TimestampTz today() { return GetCurrentTimestamp(); }
