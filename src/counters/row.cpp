#include "counters/row.hpp"

#include <cstring>

#include "counters/follower.hpp"
#include "counters/last_message.hpp"
#include "counters/ledgers.hpp"
#include "counters/location.hpp"
#include "counters/queue.hpp"
#include "pg/boundary.hpp"
#include "pg/row_writer.hpp"

namespace chatopt::counters {
namespace {

// A place in the queue is an entry of the lock table. A transaction that has
// touched more conversations than this leaves each queue as soon as it has the row.
constexpr std::size_t kPlacesKept = 16;

[[noreturn]] void raise_serialization() {
  ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                  errmsg("could not serialize access due to concurrent update"),
                  errdetail("The counters of the conversation were changed by a concurrent transaction."),
                  errhint("The transaction might succeed if retried.")));
  pg_unreachable();
}

// Under a transaction snapshot a row that somebody else changed since is not ours to change.
void check_snapshot(TupleTableSlot* slot) {
  if (!IsolationUsesXactSnapshot()) return;
  bool null;
  const auto xmin = DatumGetTransactionId(slot_getsysattr(slot, MinTransactionIdAttributeNumber, &null));
  if (TransactionIdIsNormal(xmin) && !TransactionIdIsCurrentTransactionId(xmin) &&
      XidInMVCCSnapshot(xmin, GetTransactionSnapshot()))
    raise_serialization();
}

int64 integer_at(TupleTableSlot* slot, AttrNumber column, bool* null) {
  const Datum value = slot_getattr(slot, column, null);
  if (*null) return 0;
  return TupleDescAttr(slot->tts_tupleDescriptor, column - 1)->atttypid == INT4OID ? DatumGetInt32(value)
                                                                                     : DatumGetInt64(value);
}

void tell_ledger(const Chat& chat, core::Ledger& ledger, core::Counter& counter, TupleTableSlot* slot) {
  bool null;
  const int64 last = integer_at(slot, chat.last_sequence_number, &null);
  const core::RowLocation place = location_of(chat.counters, slot->tts_tid);
  pg::cpp_zone([&] { ledger.row_locked(counter, place, !null, last); });
}

// The new value of an integer counter, in the column's own type.
Datum counter_datum(TupleTableSlot* slot, AttrNumber column, int64 value) {
  if (TupleDescAttr(slot->tts_tupleDescriptor, column - 1)->atttypid != INT4OID) return Int64GetDatum(value);
  if (value > PG_INT32_MAX || value < PG_INT32_MIN)
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                    errmsg("integer out of range"),
                    errdetail("Counter column \"%s\" cannot hold %lld.",
                              NameStr(TupleDescAttr(slot->tts_tupleDescriptor, column - 1)->attname),
                              static_cast<long long>(value)),
                    errhint("Change the column's type to bigint.")));
  return Int32GetDatum(static_cast<int32>(value));
}

struct Changes {
  pg::ColumnValue values[5];
  int count = 0;
  void add(AttrNumber column, Datum value, bool null = false) { values[count++] = {column, value, null}; }
};

void add_delta(Changes* changes, TupleTableSlot* slot, AttrNumber column, int64 delta) {
  if (column == 0 || delta == 0) return;
  bool null;
  const int64 now = integer_at(slot, column, &null);
  changes->add(column, counter_datum(slot, column, now + delta));
}

void add_last_message(Changes* changes, const Chat& chat, const LastMessage& last) {
  if (!last.known) return;
  if (chat.last_message_id != 0) changes->add(chat.last_message_id, last.id, last.id_null);
  if (chat.last_message_at != 0) changes->add(chat.last_message_at, last.at, last.at_null);
}

// What the notes come to, given the row as it stands.
Changes changes_of(const Chat& chat, const core::Counter& counter, TupleTableSlot* slot) {
  Changes changes;
  const core::Notes& notes = counter.notes();
  bool null;
  const int64 stored_last = integer_at(slot, chat.last_sequence_number, &null);
  if (counter.last() > stored_last)
    changes.add(chat.last_sequence_number, counter_datum(slot, chat.last_sequence_number, counter.last()));
  add_delta(&changes, slot, chat.message_count, notes.messages);
  add_delta(&changes, slot, chat.member_count, notes.members);
  if (chat.last_message_id != 0 || chat.last_message_at != 0)
    add_last_message(&changes, chat, last_message_after(chat, counter, slot, stored_last));
  return changes;
}

}  // namespace

bool lock_counter(const Chat& chat, core::Ledger& ledger, core::Counter& counter) {
  return lock_counter_unless_busy(chat, ledger, counter, true) == CounterLock::kLocked;
}

CounterLock lock_counter_unless_busy(const Chat& chat, core::Ledger& ledger, core::Counter& counter, bool wait) {
  Relation counters = table_open(chat.counters, RowExclusiveLock);
  TupleTableSlot* slot = table_slot_create(counters, nullptr);
  const Datum key = pg::datum_of(counter.key(), chat.key_type);
  Queue queue = Queue::of(chat, counter.key());
  // Whoever holds the row already, by a lock or an UPDATE of its own, must not wait behind those who wait for it; and
  // has a transaction id.
  if (wait && queue.was_busy() && !TransactionIdIsValid(GetTopTransactionIdIfAny())) queue.join();
  CounterLock locked =
      pg::find_and_lock(chat.finder, counters, &key, queue.joined() ? LockWaitBlock : LockWaitSkip, slot);
  if (locked == CounterLock::kBusy && wait) {
    queue.join();
    locked = pg::find_and_lock(chat.finder, counters, &key, LockWaitBlock, slot);
  }
  if (queue.joined() && (locked != CounterLock::kLocked || ledger.size() > kPlacesKept)) queue.leave();
  if (locked == CounterLock::kLocked) {
    check_snapshot(slot);
    tell_ledger(chat, ledger, counter, slot);
  }
  ExecDropSingleTupleTableSlot(slot);
  table_close(counters, NoLock);
  return locked;
}

bool refresh_counter(const Chat& chat, core::Ledger& ledger, core::Counter& counter) {
  if (!counter.row().known()) return lock_counter(chat, ledger, counter);
  Relation counters = table_open(chat.counters, RowExclusiveLock);
  TupleTableSlot* slot = table_slot_create(counters, nullptr);
  const Datum key = pg::datum_of(counter.key(), chat.key_type);
  const bool same = pg::fetch_newest(counters, place_of(counter.row()), slot) && pg::has_key(chat.finder, slot, &key);
  if (same) tell_ledger(chat, ledger, counter, slot);
  ExecDropSingleTupleTableSlot(slot);
  table_close(counters, NoLock);
  if (same) return true;
  // The row is gone; another one may have its key. Nothing is left to write to it.
  pg::cpp_zone([&] { ledger.row_gone(counter); });
  return lock_counter(chat, ledger, counter);
}

void write_recount(const Chat& chat, core::Ledger& ledger, core::Counter& counter, const Recount& count,
                   const LastMessage& last) {
  CommandCounterIncrement();
  Relation counters = table_open(chat.counters, RowExclusiveLock);
  TupleTableSlot* slot = table_slot_create(counters, nullptr);
  // The ledger may have forgotten where the row is, not that it is locked.
  ItemPointerData place;
  if (!refresh_counter(chat, ledger, counter) ||
      (place = place_of(counter.row()), !table_tuple_fetch_row_version(counters, &place, SnapshotSelf, slot)))
    elog(ERROR, "locked counter row of table \"%s\" is gone", RelationGetRelationName(counters));
  Changes changes;
  changes.add(chat.last_sequence_number, counter_datum(slot, chat.last_sequence_number, count.last));
  if (chat.message_count != 0)
    changes.add(chat.message_count, counter_datum(slot, chat.message_count, count.messages));
  if (chat.member_count != 0) changes.add(chat.member_count, counter_datum(slot, chat.member_count, count.members));
  add_last_message(&changes, chat, last);
  pg::RowWriter writer = pg::open_writer(counters);
  if (!pg::write_row(&writer, &place, changes.values, changes.count, slot))
    elog(ERROR, "locked counter row of table \"%s\" was changed", RelationGetRelationName(counters));
  const core::RowLocation written = location_of(chat.counters, place);
  const int64 number = count.last;
  pg::cpp_zone([&] {
    ledger.drop_notes(counter);
    ledger.row_locked(counter, written, true, number);
  });
  pg::close_writer(&writer);
  ExecDropSingleTupleTableSlot(slot);
  table_close(counters, NoLock);
}

void set_counter_unfilled(const Chat& chat, core::Ledger& ledger, core::Counter& counter) {
  CommandCounterIncrement();
  Relation counters = table_open(chat.counters, RowExclusiveLock);
  TupleTableSlot* slot = table_slot_create(counters, nullptr);
  ItemPointerData place = place_of(counter.row());
  const pg::ColumnValue null = {chat.last_sequence_number, Datum{0}, true};
  pg::RowWriter writer = pg::open_writer(counters);
  if (!table_tuple_fetch_row_version(counters, &place, SnapshotSelf, slot) ||
      !pg::write_row(&writer, &place, &null, 1, slot))
    elog(ERROR, "new counter row of table \"%s\" has changed", RelationGetRelationName(counters));
  const core::RowLocation written = location_of(chat.counters, place);
  pg::cpp_zone([&] { ledger.row_locked(counter, written, false, 0); });
  pg::close_writer(&writer);
  ExecDropSingleTupleTableSlot(slot);
  table_close(counters, NoLock);
}

void write_counter(const Chat& chat, core::Ledger& ledger, core::Counter& counter) {
  Relation counters = table_open(chat.counters, RowExclusiveLock);
  TupleTableSlot* slot = table_slot_create(counters, nullptr);
  pg::RowWriter writer = pg::open_writer(counters);
  bool there = true;
  for (bool written = false; there && !written;) {
    ItemPointerData place = place_of(counter.row());
    if (!counter.row().known() || !table_tuple_fetch_row_version(counters, &place, SnapshotSelf, slot)) {
      // The statement itself made a newer version, or deleted the row.
      there = refresh_counter(chat, ledger, counter) && counter.notes().any;
      continue;
    }
    bool null;
    const int64 stored_last = integer_at(slot, chat.last_sequence_number, &null);
    const Changes changes = changes_of(chat, counter, slot);
    written = changes.count == 0 || pg::write_row(&writer, &place, changes.values, changes.count, slot);
    if (written) {
      if (chat.reads != nullptr) follower()->written(chat, counter, stored_last);
      const core::RowLocation location = location_of(chat.counters, place);
      pg::cpp_zone([&] { ledger.written(counter, location); });
    } else {
      there = refresh_counter(chat, ledger, counter) && counter.notes().any;
    }
  }
  pg::close_writer(&writer);
  ExecDropSingleTupleTableSlot(slot);
  table_close(counters, NoLock);
  pg::cpp_zone([&] { ledger.drop_notes(counter); });
}

}  // namespace chatopt::counters
