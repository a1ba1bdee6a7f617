// The partitioned tables chatopt looks after, as chatopt.partition_set has them.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::partitions {

// One row, with what the catalogues add. In the memory context it was read in.
struct Set {
  Oid parent;
  Oid owner;
  Oid schema;
  const char* name;
  const char* kind;
  const char* every;
  int premake;
  const char* time_zone;
  bool has_epoch;
  TimestampTz snowflake_epoch;
  int snowflake_shift;
  const char* name_format;
  const Interval* keep;  // NULL: for ever
  const char* action;
  const char* archive_schema;  // NULL: none
  bool paused;
  int failures;
  bool has_retry;
  TimestampTz retry_at;
};

struct Sets {
  Set* first;
  int count;
};

// All sets, or that of one table; those whose table is gone are left out. One
// query of our own table, no lock on anybody's.
Sets load_sets(Oid parent);

// The set of a table; raises 55000 where there is none.
Set load_set(Oid parent);

// Has the current user the rights of the table's owner?
bool may_maintain(const Set& set);

// How a run ended for a set: NULL problem: well. Counts the failures and says
// when to try again.
void save_outcome(Oid parent, const char* problem, bool has_retry, TimestampTz retry_at);

}  // namespace chatopt::partitions
