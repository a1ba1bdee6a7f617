#include "reads/state_row.hpp"

#include "pg/row_finder.hpp"
#include "reads/conversation_row.hpp"
#include "reads/read_log.hpp"

namespace chatopt::reads {
namespace {

int64 number_at(TupleTableSlot* slot, AttrNumber column, bool* null) {
  const Datum value = slot_getattr(slot, column, null);
  return *null ? 0 : DatumGetInt64(value);
}

StateRow moved(const StateRow& row, const Mark& mark) {
  StateRow after = row;
  after.read = Max(row.read, mark.read);
  after.delivered = Max(Max(row.delivered, mark.delivered), after.read);
  after.read_moved = after.read > row.read;
  if (after.read_moved) {
    after.updated_at = GetCurrentTransactionStartTimestamp();
    after.updated_at_null = false;
  }
  return after;
}

// The changed columns; how many.
int changes(const StateRow& before, const StateRow& after, pg::ColumnValue* values) {
  int count = 0;
  if (after.delivered > before.delivered)
    values[count++] = {state::kDelivered, Int64GetDatum(after.delivered), false};
  if (after.read_moved) {
    values[count++] = {state::kRead, Int64GetDatum(after.read), false};
    values[count++] = {state::kUpdatedAt, TimestampTzGetDatum(after.updated_at), false};
  }
  return count;
}

// A client may be ahead of what is stored: a mark goes no further than the last
// message. False: no such conversation.
bool clamp(const Reads& reads, Datum conversation, Mark* mark) {
  if (!newest_last_number(*reads.chat, conversation, mark->last)) return false;
  mark->delivered = Min(mark->delivered, *mark->last);
  mark->read = Min(mark->read, *mark->last);
  return true;
}

}  // namespace

StateRow read_state_row(TupleTableSlot* slot) {
  StateRow row = {};
  bool null;
  row.joined = number_at(slot, state::kJoined, &null);
  row.left = number_at(slot, state::kLeft, &row.open);
  row.delivered = number_at(slot, state::kDelivered, &null);
  row.read = number_at(slot, state::kRead, &null);
  row.updated_at = number_at(slot, state::kUpdatedAt, &row.updated_at_null);
  row.slot = DatumGetInt32(slot_getattr(slot, state::kSlot, &null));
  return row;
}

Raised raise_positions(const Reads& reads, Relation table, const StateKey& key, Mark mark, StateRow* row) {
  const Datum keys[] = {key.member, key.conversation};
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  bool found = false;
  bool done = false;
  while (!done && (found = pg::find_row(reads.open_state, table, keys, slot))) {
    *row = read_state_row(slot);
    // Looked at after the row was found: should the conversation have been made anew meanwhile, the row has gone with
    // the old one, and is not written.
    if (mark.last != nullptr && !clamp(reads, key.conversation, &mark)) {
      found = false;
      break;
    }
    const StateRow after = moved(*row, mark);
    pg::ColumnValue values[3];
    const int count = changes(*row, after, values);
    if (count == 0) break;
    ItemPointerData place = slot->tts_tid;
    pg::RowWriter writer = pg::open_writer(table);
    done = pg::write_row(&writer, &place, values, count, slot);
    pg::close_writer(&writer);
    if (done) {
      if (after.read_moved && OidIsValid(reads.read_log)) log_read(reads, key, row->read, after.read, after.updated_at);
      *row = after;
    }
    CHECK_FOR_INTERRUPTS();
  }
  // A second mark in the same statement is to meet this one.
  if (done) CommandCounterIncrement();
  ExecDropSingleTupleTableSlot(slot);
  return done ? Raised::kMoved : found ? Raised::kUnmoved : Raised::kNoMember;
}

bool is_busy(const Reads& reads, Relation table, const StateKey& key) {
  const Datum keys[] = {key.member, key.conversation};
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const pg::RowLock lock = pg::find_and_lock(reads.open_state, table, keys, LockWaitSkip, slot);
  ExecDropSingleTupleTableSlot(slot);
  return lock == pg::RowLock::kBusy;
}

bool lock_state(const Reads& reads, Relation table, const StateKey& key, StateRow* row) {
  const Datum keys[] = {key.member, key.conversation};
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const bool found = pg::find_and_lock(reads.open_state, table, keys, LockWaitBlock, slot) == pg::RowLock::kLocked;
  if (found) *row = read_state_row(slot);
  ExecDropSingleTupleTableSlot(slot);
  return found;
}

}  // namespace chatopt::reads
