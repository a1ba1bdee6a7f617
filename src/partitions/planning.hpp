// What is to be done to a set now: the core's plan over what the catalogues have.
#pragma once

#include <span>

#include "core/partitions/planner.hpp"
#include "partitions/bounds.hpp"
#include "partitions/sets.hpp"
#include "pg/postgres.hpp"

namespace chatopt::partitions {

// One thing to do, in words and literals that last longer than the transaction
// they were found in, if the memory context does.
struct Task {
  core::Do what;
  core::Reason why;
  core::After after;
  Oid leaf;           // of what retires
  const char* name;   // of the partition
  const char* lower;  // NULL: none
  const char* upper;
  const char* because;  // a blocked one: what the caller of the core knows; else NULL
};

struct Tasks {
  Task* first;
  int count;
  bool more;  // plan again when these are done
  std::span<const Task> all() const { return {first, static_cast<size_t>(count)}; }
};

// Opens the table ACCESS SHARE until the end of the transaction.
Tasks plan_set(const Set& set, TimestampTz now);

// What is next for a partition that goes by hand, whatever the retention says.
// Raises 42809 where it is no partition of the set, 55006 where it is held, 55000
// where it holds the present or times to come.
Task retirement_of(const Set& set, Oid leaf, core::After after, TimestampTz now);

// 'create', 'detach', 'drop', …, as chatopt.maintenance_plan names it.
const char* word_for(const Task& task);
// Why, in a sentence.
const char* reason_for(const Set& set, const Task& task);

}  // namespace chatopt::partitions
