#include "reads/marks.hpp"

#include "pg/row_finder.hpp"
#include "pg/row_writer.hpp"
#include "reads/acks.hpp"

namespace chatopt::reads {
namespace {

bool has_marks(const Reads& reads, Relation table, const StateKey& key) {
  const Datum keys[] = {key.member, key.conversation};
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  pg::RowScan scan = pg::begin_scan(reads.mark, table, keys, 2, snapshot);
  const bool found = pg::next_row(&scan);
  pg::end_scan(&scan);
  UnregisterSnapshot(snapshot);
  return found;
}

int64 number_at(TupleTableSlot* slot, AttrNumber column) {
  bool null;
  return DatumGetInt64(slot_getattr(slot, column, &null));
}

void write_unread(Relation table, TupleTableSlot* slot, int64 position) {
  const pg::ColumnValue value = {mark::kUnread, Int64GetDatum(position), false};
  ItemPointerData place = slot->tts_tid;
  pg::RowWriter writer = pg::open_writer(table);
  if (!pg::write_row(&writer, &place, &value, 1, slot))
    elog(ERROR, "mark in table \"%s\" was changed under its lock", RelationGetRelationName(table));
  pg::close_writer(&writer);
}

void drop(Relation table, TupleTableSlot* slot) {
  if (!pg::delete_row(table, slot))
    elog(ERROR, "mark in table \"%s\" was changed under its lock", RelationGetRelationName(table));
}

// An unread mark, given how far marks and positions have come.
void settle_unread(Relation table, TupleTableSlot* slot, int64 upto, const StateRow& row) {
  if (upto >= row.read)
    drop(table, slot);
  else if (upto > number_at(slot, mark::kUnread))
    write_unread(table, slot, upto);
}

bool find_mark(const Reads& reads, Relation table, const StateKey& key, int64 chunk, TupleTableSlot* slot) {
  const Datum keys[] = {key.member, key.conversation, Int64GetDatum(chunk)};
  return pg::find_row(reads.mark, table, keys, slot);
}

}  // namespace

void settle_marks(const Reads& reads, const StateKey& key, int64 upto, int64 last, StateRow* row) {
  Relation table = table_open(reads.read_marks, RowExclusiveLock);
  Relation states = table_open(reads.read_state, RowExclusiveLock);
  if (has_marks(reads, table, key) && lock_state(reads, states, key, row)) {
    TupleTableSlot* slot = table_slot_create(table, nullptr);
    if (find_mark(reads, table, key, kUnreadMark, slot)) settle_unread(table, slot, upto, *row);
    ExecDropSingleTupleTableSlot(slot);
    CommandCounterIncrement();
    settle_acks(reads, states, key, last, row);
  }
  table_close(states, NoLock);
  table_close(table, NoLock);
}

void set_unread_mark(const Reads& reads, const StateKey& key, int64 position) {
  Relation table = table_open(reads.read_marks, RowExclusiveLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  if (find_mark(reads, table, key, kUnreadMark, slot)) {
    write_unread(table, slot, position);
  } else {
    pg::RowWriter writer = pg::open_writer(table);
    pg::RowValues row = pg::new_row(table);
    row.set(mark::kMember, key.member);
    row.set(mark::kConversation, key.conversation);
    row.set(mark::kChunk, Int64GetDatum(kUnreadMark));
    row.set(mark::kUnread, Int64GetDatum(position));
    pg::insert_row(&writer, row);
    pg::close_writer(&writer);
  }
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  CommandCounterIncrement();
}

void clear_unread_mark(const Reads& reads, const StateKey& key) {
  Relation table = table_open(reads.read_marks, RowExclusiveLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  if (find_mark(reads, table, key, kUnreadMark, slot)) {
    drop(table, slot);
    CommandCounterIncrement();
  }
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
}

Marks find_marks(const Reads& reads, Relation table, const StateKey& key, Snapshot snapshot) {
  Marks marks = {};
  const Datum keys[] = {key.member, key.conversation};
  pg::RowScan scan = pg::begin_scan(reads.mark, table, keys, 2, snapshot);
  while (pg::next_row(&scan)) {
    if (number_at(scan.slot, mark::kChunk) != kUnreadMark) {
      marks.acks = true;
      break;
    }
    marks.unread = true;
    marks.unread_position = number_at(scan.slot, mark::kUnread);
  }
  pg::end_scan(&scan);
  return marks;
}

}  // namespace chatopt::reads
