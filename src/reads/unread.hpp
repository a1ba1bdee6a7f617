// How many messages a member has not read, from positions and counters alone.
#pragma once

#include "reads/reads.hpp"
#include "reads/state_row.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// The tables an answer comes from, open and with a slot each, for many answers
// under one snapshot.
struct UnreadTables {
  Snapshot snapshot;
  Relation counters;
  Relation heads;
  Relation skipped;
  Relation marks;
  Relation mentions;  // NULL: not kept
  TupleTableSlot* counter_slot;
  TupleTableSlot* head_slot;
  TupleTableSlot* skipped_slot;
};
UnreadTables open_unread_tables(const Reads& reads, Snapshot snapshot);
void close_unread_tables(UnreadTables* tables);

struct Unread {
  bool known;     // false: the conversation is not filled in yet
  int64 count;
  int64 position;  // what it is counted from
  int64 last;      // of the conversation
  bool skips;      // numbers of it may be skipped
  bool acks;       // some after the position may be acknowledged out of order
};
// Of an open membership. Cost: at most eight look-ups; a count by index of the
// member's own messages where they are not read by sending.
Unread count_unread(const Reads& reads, const UnreadTables& tables, const StateKey& key, const StateRow& row);


struct Call;
// The open membership, if the caller may see it, under the active snapshot.
bool find_open_state(const Call* call, const StateKey& key, StateRow* row);

}  // namespace chatopt::reads
