// Partitions that were retired and still exist, as chatopt.retired_partition has
// them, and how they come back.
#pragma once

#include "partitions/sets.hpp"
#include "pg/lock_ladder.hpp"

namespace chatopt::partitions {

struct Retired {
  Oid table;
  Oid parent;
  const char* lower;  // NULL: none
  const char* upper;
};

void remember_retired(const Retired& retired, const char* how);
void forget_retired(Oid table);

// Raises 55000 where the table is not one.
Retired load_retired(Oid table);

// Makes it a partition again, in its parent's schema, as the table's owner. Its
// rows are looked at before anything is locked that others use. Raises 55P03 where
// the locks are not to be had, 42P17 where another partition has its place, 23514
// where it has rows that are not its own any more.
void attach_retired(const Set& set, const Retired& retired, pg::Patience patience);

}  // namespace chatopt::partitions
