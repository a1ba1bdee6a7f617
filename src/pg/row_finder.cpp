#include <cstring>

#include "pg/row_finder.hpp"

namespace chatopt::pg {
namespace {

// A value that was NULL may make the row a little longer.
constexpr Size kRoomToGrow = 32;

// Later than any command of this transaction: a row version that the running
// command itself made is as good as any other.
constexpr CommandId kAnyCommand = InvalidCommandId - 1;

bool is_heap(Relation relation) { return relation->rd_tableam == GetHeapamTableAmRoutine(); }

// The version of a row that the snapshot sees, by the place an index entry names,
// in a buffer that is pinned already and that the slot, or this, lets go;
// as the table access method would, but for pruning: it prunes a page that is
// nearly full at every visit, and we come with a new version for it each time. Pruning when there is no room for one is enough.
bool fetch_from_heap(Relation table, Buffer buffer, const ItemPointerData& place, Snapshot snapshot,
                     TupleTableSlot* slot) {
  ExecClearTuple(slot);
  HeapTuple tuple = &reinterpret_cast<BufferHeapTupleTableSlot*>(slot)->base.tupdata;  // the slot keeps this pointer
  ItemPointerData version = place;
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  bool found = heap_hot_search_buffer(&version, table, buffer, snapshot, tuple, nullptr, true);
  if (found && PageGetHeapFreeSpace(BufferGetPage(buffer)) < MAXALIGN(tuple->t_len) + kRoomToGrow) {
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    heap_page_prune_opt(table, buffer);
    version = place;
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    found = heap_hot_search_buffer(&version, table, buffer, snapshot, tuple, nullptr, true);
  }
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  if (found) {
    tuple->t_self = version;
    tuple->t_tableOid = RelationGetRelid(table);
    slot->tts_tableOid = tuple->t_tableOid;
    ExecStorePinnedBufferHeapTuple(tuple, slot, buffer);
  } else {
    ReleaseBuffer(buffer);
  }
  return found;
}

// Where the index led for a key the last time, by the key's hash. Only a hint: it
// holds if the row found there has the key, and is the one that is meant.
struct Hint {
  Oid table;
  uint32 hash;
  ItemPointerData place;
  Buffer buffer;
};
constexpr uint32 kHints = 8192;
constinit Hint hints[kHints] = {};

Hint& hint_for(const RowFinder& finder, uint32 hash) { return hints[(hash ^ finder.table) % kHints]; }

std::span<const std::byte> image_at(const RowFinder& finder, int position, Datum* value) {
  return image_of(value, finder.key[position].type);
}

// FNV-1a over the bytes of the key's columns.
uint32 hash_of(const RowFinder& finder, const Datum* key) {
  uint32 hash = 2166136261U;
  for (int i = 0; i < finder.keys; ++i) {
    Datum value = key[i];
    for (const std::byte byte : image_at(finder, i, &value)) hash = (hash ^ static_cast<uint32>(byte)) * 16777619U;
  }
  return hash;
}

bool is_meant(const RowFinder& finder, TupleTableSlot* slot) {
  return finder.null_column == 0 || slot_attisnull(slot, finder.null_column);
}

bool find_by_hint(const RowFinder& finder, Relation table, const Datum* key, uint32 hash, Snapshot snapshot,
                  TupleTableSlot* slot) {
  Hint& hint = hint_for(finder, hash);
  if (hint.table != finder.table || hint.hash != hash) return false;
  // The page may have left its buffer, and VACUUM may have cut the table since:
  // a page that is not where it was is looked up anew.
  const BlockNumber block = ItemPointerGetBlockNumber(&hint.place);
  if (read_recent_buffer(table, block, hint.buffer) &&
      fetch_from_heap(table, hint.buffer, hint.place, snapshot, slot) && has_key(finder, slot, key) &&
      is_meant(finder, slot))
    return true;
  hint.table = InvalidOid;
  return false;
}

bool next_hinted(IndexScanDesc scan, Relation table, Snapshot snapshot, TupleTableSlot* slot, Hint* hint) {
  if (!is_heap(table)) return index_getnext_slot(scan, ForwardScanDirection, slot);
  ItemPointer place;
  while ((place = index_getnext_tid(scan, ForwardScanDirection)) != nullptr) {
    const Buffer buffer = ReadBuffer(table, ItemPointerGetBlockNumber(place));
    if (!fetch_from_heap(table, buffer, *place, snapshot, slot)) continue;
    hint->table = RelationGetRelid(table);
    hint->place = *place;
    hint->buffer = buffer;
    return true;
  }
  return false;
}

void set_scan_keys(const RowFinder& finder, const Datum* key, int keys, ScanKeyData* scan_keys) {
  for (int i = 0; i < keys; ++i) {
    ScanKeyInit(&scan_keys[i], static_cast<AttrNumber>(i + 1), BTEqualStrategyNumber, finder.key[i].equals, key[i]);
    scan_keys[i].sk_collation = finder.key[i].collation;
  }
}

bool find_by_index(const RowFinder& finder, Relation table, const Datum* key, uint32 hash, Snapshot snapshot,
                   TupleTableSlot* slot) {
  Relation index = index_open(finder.index, AccessShareLock);
  ScanKeyData scan_keys[kMostKeys];
  set_scan_keys(finder, key, finder.keys, scan_keys);
  IndexScanDesc scan = begin_index_scan(table, index, snapshot, finder.keys);
  index_rescan(scan, scan_keys, finder.keys, nullptr, 0);
  Hint hint = {InvalidOid, hash, {}, InvalidBuffer};
  bool found = false;
  while (!found && next_hinted(scan, table, snapshot, slot, &hint)) found = is_meant(finder, slot);
  if (found) ExecMaterializeSlot(slot);
  if (found && OidIsValid(hint.table)) hint_for(finder, hash) = hint;
  index_endscan(scan);
  index_close(index, NoLock);
  return found;
}

RowLock lock_version(Relation table, TupleTableSlot* slot, LockWaitPolicy wait) {
  ItemPointerData place = slot->tts_tid;
  TM_FailureData failure;
  const TM_Result result = table_tuple_lock(table, &place, SnapshotSelf, slot, kAnyCommand, LockTupleNoKeyExclusive,
                                            wait, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
  switch (result) {
    case TM_Ok:
      return RowLock::kLocked;
    case TM_WouldBlock:
      return RowLock::kBusy;
    case TM_Deleted:
    case TM_Updated:
      return RowLock::kGone;
    default:
      elog(ERROR, "unexpected result %d of locking a row of table \"%s\"", static_cast<int>(result),
           RelationGetRelationName(table));
  }
  pg_unreachable();
}

}  // namespace

RowFinder finder_of(Relation index, int keys) {
  RowFinder finder = {};
  finder.table = index->rd_index->indrelid;
  finder.index = RelationGetRelid(index);
  finder.keys = keys;
  for (int i = 0; i < keys; ++i) {
    const Oid family = index->rd_opfamily[i];
    const Oid type = index->rd_opcintype[i];
    RowFinder::Key& key = finder.key[i];
    key.column = index->rd_index->indkey.values[i];
    key.type = value_type(get_atttype(finder.table, key.column));
    key.collation = index->rd_indcollation[i];
    key.equals = get_opcode(get_opfamily_member(family, type, type, BTEqualStrategyNumber));
  }
  return finder;
}

bool has_key(const RowFinder& finder, TupleTableSlot* slot, const Datum* key) {
  for (int i = 0; i < finder.keys; ++i) {
    bool null;
    Datum found = slot_getattr(slot, finder.key[i].column, &null);
    Datum wanted = key[i];
    if (null) return false;
    const auto a = image_at(finder, i, &found);
    const auto b = image_at(finder, i, &wanted);
    if (a.size() != b.size() || std::memcmp(a.data(), b.data(), a.size()) != 0) return false;
  }
  return true;
}

bool find_row(const RowFinder& finder, Relation table, const Datum* key, TupleTableSlot* slot) {
  const uint32 hash = hash_of(finder, key);
  if (is_heap(table) && find_by_hint(finder, table, key, hash, SnapshotSelf, slot)) return true;
  // SnapshotSelf sees what any transaction committed and what this one did, this
  // very command included; but a scan by it may miss a row that moves meanwhile.
  if (find_by_index(finder, table, key, hash, SnapshotSelf, slot)) return true;
  PushActiveSnapshot(GetLatestSnapshot());
  const bool found = find_by_index(finder, table, key, hash, GetActiveSnapshot(), slot);
  PopActiveSnapshot();
  return found;
}

bool find_row_seen(const RowFinder& finder, Relation table, const Datum* key, Snapshot snapshot,
                   TupleTableSlot* slot) {
  const uint32 hash = hash_of(finder, key);
  return (is_heap(table) && find_by_hint(finder, table, key, hash, snapshot, slot)) ||
         find_by_index(finder, table, key, hash, snapshot, slot);
}

namespace {

RowScan begin_scan_by(const RowFinder& finder, Relation table, ScanKeyData* scan_keys, int keys, Snapshot snapshot) {
  RowScan scan = {table, index_open(finder.index, AccessShareLock), nullptr, table_slot_create(table, nullptr)};
  scan.scan = begin_index_scan(table, scan.index, snapshot, keys);
  index_rescan(scan.scan, scan_keys, keys, nullptr, 0);
  return scan;
}

}  // namespace

RowScan begin_scan(const RowFinder& finder, Relation table, const Datum* key, int keys, Snapshot snapshot) {
  ScanKeyData scan_keys[kMostKeys];
  set_scan_keys(finder, key, keys, scan_keys);
  return begin_scan_by(finder, table, scan_keys, keys, snapshot);
}

RowScan begin_scan_from(const RowFinder& finder, Relation table, const Datum* key, int keys, int64 least,
                        Snapshot snapshot) {
  ScanKeyData scan_keys[kMostKeys];
  set_scan_keys(finder, key, keys, scan_keys);
  ScanKeyInit(&scan_keys[keys], static_cast<AttrNumber>(keys + 1), BTGreaterEqualStrategyNumber, F_INT8GE,
              Int64GetDatum(least));
  return begin_scan_by(finder, table, scan_keys, keys + 1, snapshot);
}

bool next_row(RowScan* scan) { return index_getnext_slot(scan->scan, ForwardScanDirection, scan->slot); }

void end_scan(RowScan* scan) {
  index_endscan(scan->scan);
  index_close(scan->index, NoLock);
  ExecDropSingleTupleTableSlot(scan->slot);
}

bool fetch_newest(Relation table, ItemPointerData place, TupleTableSlot* slot) {
  if (table_tuple_fetch_row_version(table, &place, SnapshotSelf, slot)) return true;
  TableScanDesc scan = table_beginscan_tid(table, SnapshotSelf);
  table_tuple_get_latest_tid(scan, &place);
  table_endscan(scan);
  return table_tuple_fetch_row_version(table, &place, SnapshotSelf, slot);
}

RowLock find_and_lock(const RowFinder& finder, Relation table, const Datum* key, LockWaitPolicy wait,
                      TupleTableSlot* slot) {
  for (;;) {
    if (!find_row(finder, table, key, slot)) return RowLock::kGone;
    const RowLock locked = lock_version(table, slot, wait);
    if (locked == RowLock::kBusy) return locked;
    if (locked == RowLock::kLocked && has_key(finder, slot, key) && is_meant(finder, slot)) return locked;
    CHECK_FOR_INTERRUPTS();
  }
}

}  // namespace chatopt::pg
