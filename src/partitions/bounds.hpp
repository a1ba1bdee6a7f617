// The partitions of a table and their bounds, as the catalogues have them now.
#pragma once

#include "core/partitions/axis.hpp"
#include "pg/postgres.hpp"

namespace chatopt::partitions {

struct Leaf {
  Oid oid;
  core::Position lower;  // in it
  core::Position upper;  // not in it
  bool below;            // from MINVALUE
  bool above;            // to MAXVALUE
  bool is_default;
  bool pending;  // DETACH CONCURRENTLY has been begun
};

struct Leaves {
  Leaf* first;  // by lower bound, a default partition last
  int count;
};

// Type of the one column that the table is partitioned by range by; raises 42809
// or 0A000 where it is not.
Oid control_type(Relation parent);

Leaves read_bounds(Relation parent, const core::Axis& axis);

}  // namespace chatopt::partitions
