#include "reads/acks.hpp"

#include <cstring>

#include "core/reads/unread.hpp"
#include "pg/row_finder.hpp"
#include "pg/row_writer.hpp"
#include "pg/varlena.hpp"
#include "reads/skip_rows.hpp"

namespace chatopt::reads {
namespace {

[[noreturn]] void raise_damaged(Relation table) {
  ereport(ERROR,
          (errcode(ERRCODE_DATA_CORRUPTED), errmsg("a row of table \"%s\" is damaged", RelationGetRelationName(table)),
           errhint("Delete it: what it holds is marked anew by the next read.")));
  pg_unreachable();
}

core::Bytes set_at(TupleTableSlot* slot, AttrNumber column) {
  bool null;
  const Datum value = slot_getattr(slot, column, &null);
  return null ? core::Bytes{} : pg::varlena_bytes(value);
}

void unpack(Relation table, TupleTableSlot* slot, core::AckChunk& chunk) {
  if (!core::ack_from_bitmaps(set_at(slot, mark::kDelivered), set_at(slot, mark::kRead), chunk)) raise_damaged(table);
}

Datum pack(const uint64 (&words)[core::kSkipWords]) {
  const pg::VarlenaResult result(core::kSkipBitmapBound);
  return result.finish(core::skip_write_bitmap(words, result.payload()));
}

// The newest rows; the lock of the read state row keeps others away.
class AckStore {
 public:
  // noexcept here and below as no exception comes out; errors are jumps.
  AckStore(const Reads& reads, const StateKey& key) noexcept
      : reads_(&reads),
        key_(key),
        table_(table_open(reads.read_marks, RowExclusiveLock)),
        slot_(table_slot_create(table_, nullptr)) {}
  void close() {
    ExecDropSingleTupleTableSlot(slot_);
    table_close(table_, NoLock);
    CommandCounterIncrement();
  }
  bool load(int64 index, core::AckChunk& chunk) {
    const bool found = find(index);
    if (found) unpack(table_, slot_, chunk);
    return found;
  }
  // Written, or taken away where nothing is left in it.
  void save(int64 index, const core::AckChunk& chunk);

 private:
  bool find(int64 index) {
    const Datum keys[] = {key_.member, key_.conversation, Int64GetDatum(index)};
    return pg::find_row(reads_->mark, table_, keys, slot_);
  }
  void insert(int64 index, Datum delivered, Datum read);

  const Reads* reads_;
  StateKey key_;
  Relation table_;
  TupleTableSlot* slot_;
};

void AckStore::insert(int64 index, Datum delivered, Datum read) {
  pg::RowWriter writer = pg::open_writer(table_);
  pg::RowValues row = pg::new_row(table_);
  row.set(mark::kMember, key_.member);
  row.set(mark::kConversation, key_.conversation);
  row.set(mark::kChunk, Int64GetDatum(index));
  row.set(mark::kDelivered, delivered);
  row.set(mark::kRead, read);
  pg::insert_row(&writer, row);
  pg::close_writer(&writer);
}

void AckStore::save(int64 index, const core::AckChunk& chunk) {
  const bool found = find(index);
  bool written = true;
  if (core::ack_is_empty(chunk)) {
    if (found) written = pg::delete_row(table_, slot_);
  } else if (found) {
    const pg::ColumnValue values[] = {{mark::kDelivered, pack(chunk.delivered), false},
                                      {mark::kRead, pack(chunk.read), false}};
    ItemPointerData place = slot_->tts_tid;
    pg::RowWriter writer = pg::open_writer(table_);
    written = pg::write_row(&writer, &place, values, lengthof(values), slot_);
    pg::close_writer(&writer);
  } else {
    insert(index, pack(chunk.delivered), pack(chunk.read));
  }
  if (!written) elog(ERROR, "mark in table \"%s\" was changed under its lock", RelationGetRelationName(table_));
  CommandCounterIncrement();
}

// Where the positions come to, given what is acknowledged and what is removed.
void absorb(const Reads& reads, Relation states, const StateKey& key, AckStore* store, int64 last, StateRow* row) {
  core::Positions positions = positions_of(*row);
  Relation table = table_open(reads.skipped_numbers, AccessShareLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  SkipLookup lookup(reads, table, slot, key.conversation, snapshot);
  const unsigned changed = core::absorb(positions, *store, lookup, last);
  UnregisterSnapshot(snapshot);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  if (changed != 0) (void)raise_positions(reads, states, key, {positions.delivered, positions.read, nullptr}, row);
}

// The chunks that a member has, ascending; in the current memory context.
struct Chunks {
  int64* index;
  int count;
};

Chunks chunks_of(const Reads& reads, const StateKey& key) {
  constexpr int kAtFirst = 16;
  Chunks chunks = {static_cast<int64*>(palloc(kAtFirst * sizeof(int64))), 0};
  int room = kAtFirst;
  Relation table = table_open(reads.read_marks, RowExclusiveLock);
  const Datum keys[] = {key.member, key.conversation};
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  pg::RowScan scan = pg::begin_scan(reads.mark, table, keys, 2, snapshot);
  while (pg::next_row(&scan)) {
    bool null;
    const int64 index = DatumGetInt64(slot_getattr(scan.slot, mark::kChunk, &null));
    if (index < 0) continue;  // an unread mark
    if (chunks.count == room) {
      room *= 2;
      chunks.index = static_cast<int64*>(repalloc_huge(chunks.index, static_cast<Size>(room) * sizeof(int64)));
    }
    chunks.index[chunks.count++] = index;
  }
  pg::end_scan(&scan);
  UnregisterSnapshot(snapshot);
  table_close(table, NoLock);
  return chunks;
}

// What the positions have passed. Ascending: what they have not reached is as it was.
void drop_passed(const Reads& reads, const StateKey& key, AckStore* store, const StateRow& row) {
  const core::Positions positions = positions_of(row);
  const Chunks chunks = chunks_of(reads, key);
  for (int i = 0; i < chunks.count && core::skip_first(0, chunks.index[i]) <= row.delivered; ++i) {
    if (core::skip_last(0, chunks.index[i]) <= row.joined) continue;  // an earlier membership's
    core::AckChunk chunk;
    if (store->load(chunks.index[i], chunk) && core::ack_drop(chunk, chunks.index[i], positions))
      store->save(chunks.index[i], chunk);
  }
  pfree(chunks.index);
}

}  // namespace

core::Positions positions_of(const StateRow& row) {
  return {row.joined, row.open ? core::kStillMember : row.left, row.delivered, row.read};
}

void acknowledge(const Reads& reads, Relation states, const StateKey& key, core::Mark mark, int64 number, int64 last,
                 StateRow* row) {
  if (!core::ack_is_news(positions_of(*row), mark, number, last)) return;
  AckStore store(reads, key);
  const int64 index = core::skip_chunk(0, number);
  core::AckChunk chunk;
  if (!store.load(index, chunk)) chunk = {};
  if (core::ack(chunk, mark, number)) {
    store.save(index, chunk);
    absorb(reads, states, key, &store, last, row);
    drop_passed(reads, key, &store, *row);
  }
  store.close();
}

void settle_acks(const Reads& reads, Relation states, const StateKey& key, int64 last, StateRow* row) {
  AckStore store(reads, key);
  absorb(reads, states, key, &store, last, row);
  drop_passed(reads, key, &store, *row);
  store.close();
}

bool replace_acks(const Reads& reads, const StateKey& key, const AckNumbers& delivered, const AckNumbers& read) {
  AckStore store(reads, key);
  const Chunks present = chunks_of(reads, key);
  bool changed = false;
  int d = 0;
  int r = 0;
  for (int p = 0; d < delivered.count || p < present.count;) {
    int64 index = d < delivered.count ? core::skip_chunk(0, delivered.numbers[d]) : present.index[p];
    if (p < present.count) index = Min(index, present.index[p]);
    core::AckChunk wanted = {};
    for (; d < delivered.count && core::skip_chunk(0, delivered.numbers[d]) == index; ++d)
      core::ack(wanted, core::Mark::kDelivered, delivered.numbers[d]);
    for (; r < read.count && core::skip_chunk(0, read.numbers[r]) == index; ++r)
      core::ack(wanted, core::Mark::kRead, read.numbers[r]);
    core::AckChunk there;
    if (!store.load(index, there)) there = {};
    if (std::memcmp(&there, &wanted, sizeof wanted) != 0) {
      store.save(index, wanted);
      changed = true;
    }
    if (p < present.count && present.index[p] == index) ++p;
  }
  store.close();
  pfree(present.index);
  return changed;
}

AckLookup begin_acks(const Reads& reads, Relation marks, const StateKey& key, Snapshot snapshot) {
  return {&reads, marks, table_slot_create(marks, nullptr), key, snapshot, -1, {}};
}

bool holds_ack(AckLookup* lookup, int64 number) {
  const int64 index = core::skip_chunk(0, number);
  if (index != lookup->index) {
    const Datum keys[] = {lookup->key.member, lookup->key.conversation, Int64GetDatum(index)};
    lookup->index = index;
    lookup->chunk = {};
    if (pg::find_row_seen(lookup->reads->mark, lookup->marks, keys, lookup->snapshot, lookup->slot))
      unpack(lookup->marks, lookup->slot, lookup->chunk);
  }
  return core::ack_holds(lookup->chunk, core::Mark::kRead, number);
}

void end_acks(AckLookup* lookup) { ExecDropSingleTupleTableSlot(lookup->slot); }

int64 count_acknowledged(const Reads& reads, Relation marks, Relation skipped, const StateKey& key, int64 last,
                         int64 after, Snapshot snapshot) {
  const Datum keys[] = {key.member, key.conversation};
  TupleTableSlot* slot = table_slot_create(skipped, nullptr);
  SkipLookup lookup(reads, skipped, slot, key.conversation, snapshot);
  pg::RowScan scan = pg::begin_scan(reads.mark, marks, keys, 2, snapshot);
  int64 count = 0;
  while (pg::next_row(&scan)) {
    bool null;
    const int64 index = DatumGetInt64(slot_getattr(scan.slot, mark::kChunk, &null));
    if (index < 0) continue;
    core::AckChunk chunk;
    unpack(marks, scan.slot, chunk);
    count += core::live_in_chunk(lookup, last, index, chunk.read, after);
  }
  pg::end_scan(&scan);
  ExecDropSingleTupleTableSlot(slot);
  return count;
}

}  // namespace chatopt::reads
