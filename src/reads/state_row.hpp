// The read state of one member in one conversation.
#pragma once

#include "pg/row_writer.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

struct StateRow {
  int64 joined;
  int64 left;
  bool open;  // no left yet
  int64 delivered;
  int64 read;
  TimestampTz updated_at;
  bool updated_at_null;
  int32 slot;
  bool read_moved;  // by raise_positions
};

// From a row of <members>_read_state.
StateRow read_state_row(TupleTableSlot* slot);

struct StateKey {
  Datum member;
  Datum conversation;
};

// Up to which numbers messages are delivered and read; 0: not.
struct Mark {
  int64 delivered;
  int64 read;
  int64* last;  // where given: the conversation's last number, which the mark goes no further than; set by raise_positions
};

// Moves the positions of the open interval up to these; they never go back, and
// read implies delivered. Writes nothing where nothing moves. Waits for another
// transaction that has moved them, never for a counter. Raises 40001 under
// REPEATABLE READ and SERIALIZABLE where the row has changed since the snapshot.
enum class Raised { kNoMember, kUnmoved, kMoved };
Raised raise_positions(const Reads& reads, Relation table, const StateKey& key, Mark mark, StateRow* row);

// Is the row held by another transaction? If not, and it is there, it is locked.
bool is_busy(const Reads& reads, Relation table, const StateKey& key);

// The open interval, its row locked. False: there is none.
bool lock_state(const Reads& reads, Relation table, const StateKey& key, StateRow* row);

}  // namespace chatopt::reads
