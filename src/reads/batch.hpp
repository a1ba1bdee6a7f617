// Receipts of many members and conversations at once.
#pragma once

#include "pg/postgres.hpp"
#include "reads/reads.hpp"
#include "reads/state_row.hpp"

namespace chatopt::reads {

// Delivered, and read, up to these numbers; 0: not.
struct Receipt {
  StateKey key;
  int64 delivered;
  int64 read;
};

// Moves positions, each row once, in the order of conversations and members;
// unknown ones are passed over. Sorts the receipts. How many positions moved.
// check_caller: the caller's policies decide which rows they may move.
// Cost: O(n log n) comparisons, a look-up and at most one row version a member.
int64 apply_receipts(const Reads& reads, Receipt* receipts, uint64 count, bool check_caller);

}  // namespace chatopt::reads
