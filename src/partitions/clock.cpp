#include "partitions/clock.hpp"

#include "core/partitions/text.hpp"
#include "pg/postgres.hpp"

namespace chatopt::partitions {
namespace {

constinit char* clock_setting = nullptr;
constinit bool is_set = false;  // what it says
constinit TimestampTz set_time = 0;

// Hooks of settings must not raise: PostgreSQL's own reading of times does.
bool check_clock(char** value, void**, GucSource) {
  if (**value == '\0') return true;
  const auto time = core::parse_instant(*value);
  if (time) return true;
  if (time.error() == core::PartitionError::kOutOfRange)
    GUC_check_errdetail("The time is out of range.");
  else
    GUC_check_errdetail("It is a time with an offset, such as 2026-11-20 12:00:00+00, or empty.");
  return false;
}

void assign_clock(const char* value, void*) {
  is_set = value != nullptr && *value != '\0';
  if (is_set) set_time = (*core::parse_instant(value)).micros;
}

}  // namespace

TimestampTz maintenance_now() { return is_set ? set_time : GetCurrentTimestamp(); }

const char* maintenance_clock() { return clock_setting; }

void define_clock_setting() {
  DefineCustomStringVariable("chatopt.clock", "What time maintenance of partitions takes for now.",
                             "For tests and rehearsals: a time with an offset. Empty: the real time.", &clock_setting,
                             "", PGC_SUSET, GUC_NOT_IN_SAMPLE, check_clock, assign_clock, nullptr);
}

}  // namespace chatopt::partitions
