#include "reads/state_row.hpp"

#include "pg/row_finder.hpp"
#include "reads/read_log.hpp"

namespace chatopt::reads {
namespace {

int64 number_at(TupleTableSlot* slot, AttrNumber column, bool* null) {
  const Datum value = slot_getattr(slot, column, null);
  return *null ? 0 : DatumGetInt64(value);
}

// The changed columns; how many.
int changes(const StateRow& row, int64 delivered, int64 read, pg::ColumnValue* values) {
  int count = 0;
  if (delivered > row.delivered) values[count++] = {state::kDelivered, Int64GetDatum(delivered), false};
  if (read > row.read) {
    values[count++] = {state::kRead, Int64GetDatum(read), false};
    values[count++] = {state::kUpdatedAt, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false};
  }
  return count;
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

Raised raise_positions(const Reads& reads, Relation table, const StateKey& key, int64 delivered, int64 read,
                       StateRow* row) {
  const Datum keys[] = {key.member, key.conversation};
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  bool found = false;
  bool done = false;
  while (!done && (found = pg::find_row(reads.open_state, table, keys, slot))) {
    *row = read_state_row(slot);
    pg::ColumnValue values[3];
    const int count = changes(*row, Max(delivered, read), read, values);
    if (count == 0) break;
    ItemPointerData place = slot->tts_tid;
    pg::RowWriter writer = pg::open_writer(table);
    done = pg::write_row(&writer, &place, values, count, slot);
    pg::close_writer(&writer);
    CHECK_FOR_INTERRUPTS();
  }
  if (done) {
    if (read > row->read && OidIsValid(reads.read_log))
      log_read(reads, key, row->read, read, GetCurrentTransactionStartTimestamp());
    row->delivered = Max(row->delivered, Max(delivered, read));
    row->read = Max(row->read, read);
    // A second mark in the same statement is to meet this one.
    CommandCounterIncrement();
  }
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
