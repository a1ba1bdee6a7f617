// Receipts of many members and conversations at once.
#pragma once

#include "reads/reads.hpp"
#include "reads/state_row.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// Delivered, and read, up to these numbers; 0: not.
struct Receipt {
  StateKey key;
  int64 delivered;
  int64 read;
  TimestampTz queued_at;  // the earliest; of the queue's entries
};

enum class Caller {
  kTrusted,   // sees every row
  kChecked,   // row-level security decides which rows they may move
  kPatient    // trusted, and waits for nobody: what is busy is handed back
};

// Moves positions, each row once, in the order of conversations and members;
// unknown ones are passed over. Receipts are sorted and folded; those handed back
// are the first *busy of them. How many positions moved.
// Cost: O(n log n) comparisons, a look-up and at most one row version a member.
int64 apply_receipts(const Reads& reads, Receipt* receipts, uint64 count, Caller caller, uint64* busy);

}  // namespace chatopt::reads
