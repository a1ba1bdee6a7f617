// Messages acknowledged out of order: the chunks of <members>_read_marks.
#pragma once

#include "core/reads/acks.hpp"
#include "reads/reads.hpp"
#include "reads/state_row.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

core::Positions positions_of(const StateRow& row);

// Notes one message as delivered or read, and moves the positions on where all
// before it are marked too. The read state row is locked; row becomes what it
// then is. Cost: one row of marks, and one look at the skipped numbers.
void acknowledge(const Reads& reads, Relation states, const StateKey& key, core::Mark mark, int64 number, int64 last,
                 StateRow* row);

// After the positions have moved: takes along what follows them without a gap and
// drops what they passed. The row is locked. For a member who has such marks.
void settle_acks(const Reads& reads, Relation states, const StateKey& key, int64 last, StateRow* row);

// Has just these numbers acknowledged, ascending, those read among those delivered: for an import that has worked them out
// anew. The row is locked. Returns whether that changed anything.
struct AckNumbers {
  const int64* numbers;
  int count;
};
bool replace_acks(const Reads& reads, const StateKey& key, const AckNumbers& delivered, const AckNumbers& read);

// How many counted messages after this number are acknowledged as read: not
// unread, though above the position.
int64 count_acknowledged(const Reads& reads, Relation marks, Relation skipped, const StateKey& key, int64 last,
                         int64 after, Snapshot snapshot);


// Asks of many numbers, ascending, whether they are acknowledged as read.
struct AckLookup {
  const Reads* reads;
  Relation marks;
  TupleTableSlot* slot;
  StateKey key;
  Snapshot snapshot;
  int64 index;  // of the chunk; -1: none yet
  core::AckChunk chunk;
};
AckLookup begin_acks(const Reads& reads, Relation marks, const StateKey& key, Snapshot snapshot);
bool holds_ack(AckLookup* lookup, int64 number);
void end_acks(AckLookup* lookup);

}  // namespace chatopt::reads
