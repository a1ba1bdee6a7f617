// What a position cannot say, a row each in <members>_read_marks: an unread mark
// (chunk -1), and messages acknowledged out of order (chunks of 4,096 numbers).
// The lock of the read state row guards them.
#pragma once

#include "reads/reads.hpp"
#include "reads/state_row.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

constexpr int64 kUnreadMark = -1;  // the chunk that holds it

// A mark came up to this number: an unread mark moves there, or goes where the
// position is reached; of what is acknowledged the positions take along what
// follows them without a gap, and row becomes what it then is. last is the
// conversation's last number.
// Cost where there are no marks, the ordinary case: one descent of their index.
void settle_marks(const Reads& reads, const StateKey& key, int64 upto, int64 last, StateRow* row);

// Counts messages after this number as unread; the row is locked.
void set_unread_mark(const Reads& reads, const StateKey& key, int64 position);
void clear_unread_mark(const Reads& reads, const StateKey& key);

// What there is beside a position, as a snapshot sees it.
struct Marks {
  bool unread;
  int64 unread_position;
  bool acks;  // messages acknowledged out of order
};
Marks find_marks(const Reads& reads, Relation table, const StateKey& key, Snapshot snapshot);

}  // namespace chatopt::reads
