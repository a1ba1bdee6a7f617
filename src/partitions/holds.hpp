// Partitions that must not be retired, as chatopt.partition_hold has them.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::partitions {

struct Hold {
  Oid table;
  const char* reason;
};

struct Holds {
  const char* of_all;  // the table itself is held; NULL: it is not
  Hold* first;
  int count;

  // NULL: it may go.
  const char* reason_for(Oid leaf) const {
    for (int i = 0; i < count; ++i)
      if (first[i].table == leaf) return first[i].reason;
    return of_all;
  }
};

Holds load_holds(Oid parent);

}  // namespace chatopt::partitions
