#include "counters/row_search.hpp"

#include <cstring>

namespace chatopt::counters {
namespace {

// A counter that was NULL may make the row a little longer.
constexpr Size kRoomToGrow = 32;

bool is_heap(Relation relation) { return relation->rd_tableam == GetHeapamTableAmRoutine(); }

// The version of a row that the snapshot sees, by the place an index entry names,
// in a buffer that is pinned already and that the slot, or this, lets go;
// as the table access method would, but for pruning: it prunes a page that is
// nearly full at every visit, and we come with a new version for it at every
// send. Pruning when there is no room for one is enough.
bool fetch_from_heap(Relation counters, Buffer buffer, const ItemPointerData& place, Snapshot snapshot,
                     TupleTableSlot* slot) {
  ExecClearTuple(slot);
  HeapTuple tuple = &reinterpret_cast<BufferHeapTupleTableSlot*>(slot)->base.tupdata;  // the slot keeps this pointer
  ItemPointerData version = place;
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  bool found = heap_hot_search_buffer(&version, counters, buffer, snapshot, tuple, nullptr, true);
  if (found && PageGetHeapFreeSpace(BufferGetPage(buffer)) < MAXALIGN(tuple->t_len) + kRoomToGrow) {
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    heap_page_prune_opt(counters, buffer);
    version = place;
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    found = heap_hot_search_buffer(&version, counters, buffer, snapshot, tuple, nullptr, true);
  }
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  if (found) {
    tuple->t_self = version;
    tuple->t_tableOid = RelationGetRelid(counters);
    slot->tts_tableOid = tuple->t_tableOid;
    ExecStorePinnedBufferHeapTuple(tuple, slot, buffer);
  } else {
    ReleaseBuffer(buffer);
  }
  return found;
}

// Where the index led for a key the last time, by the key's hash. Only a hint: it
// holds if the row found there has the key, which is unique.
struct Hint {
  Oid counters;
  uint32 hash;
  ItemPointerData place;
  Buffer buffer;
};
constexpr uint32 kHints = 4096;
constinit Hint hints[kHints] = {};

Hint& hint_for(const Chat& chat, uint32 hash) { return hints[(hash ^ chat.counters) % kHints]; }

bool find_by_hint(const Chat& chat, Relation counters, core::Bytes image, uint32 hash, TupleTableSlot* slot) {
  Hint& hint = hint_for(chat, hash);
  if (hint.counters != chat.counters || hint.hash != hash) return false;
  // The page may have left its buffer, and VACUUM may have cut the table since:
  // a page that is not where it was is looked up anew.
  const BlockNumber block = ItemPointerGetBlockNumber(&hint.place);
  if (pg::read_recent_buffer(counters, block, hint.buffer) &&
      fetch_from_heap(counters, hint.buffer, hint.place, SnapshotSelf, slot) && has_key(chat, slot, image))
    return true;
  hint.counters = InvalidOid;
  return false;
}

// Finds a version of the row; which one does not matter, locking finds the newest.
bool find_by_index(const Chat& chat, Relation counters, Datum key, uint32 hash, Snapshot snapshot,
                   TupleTableSlot* slot) {
  Relation index = index_open(chat.key_index, AccessShareLock);
  ScanKeyData scan_key;
  ScanKeyInit(&scan_key, 1, BTEqualStrategyNumber, chat.key_equals, key);
  scan_key.sk_collation = chat.key_collation;
  IndexScanDesc scan = pg::begin_index_scan(counters, index, snapshot, 1);
  index_rescan(scan, &scan_key, 1, nullptr, 0);
  bool found = false;
  if (!is_heap(counters)) {
    found = index_getnext_slot(scan, ForwardScanDirection, slot);
  } else {
    ItemPointer place;
    while (!found && (place = index_getnext_tid(scan, ForwardScanDirection)) != nullptr) {
      const Buffer buffer = ReadBuffer(counters, ItemPointerGetBlockNumber(place));
      found = fetch_from_heap(counters, buffer, *place, snapshot, slot);
      if (found) hint_for(chat, hash) = {chat.counters, hash, *place, buffer};
    }
  }
  if (found) ExecMaterializeSlot(slot);
  index_endscan(scan);
  index_close(index, NoLock);
  return found;
}

}  // namespace

uint32 hash_of(core::Bytes key) {
  uint32 hash = 2166136261U;
  for (const std::byte byte : key) hash = (hash ^ static_cast<uint32>(byte)) * 16777619U;
  return hash;
}

bool has_key(const Chat& chat, TupleTableSlot* slot, core::Bytes key) {
  bool null;
  Datum value = slot_getattr(slot, chat.key, &null);
  if (null) return false;
  const core::Bytes found = pg::image_of(&value, chat.key_type);
  return found.size() == key.size() && std::memcmp(found.data(), key.data(), key.size()) == 0;
}

bool find_row(const Chat& chat, Relation counters, Datum key, core::Bytes image, TupleTableSlot* slot) {
  const uint32 hash = hash_of(image);
  if (is_heap(counters) && find_by_hint(chat, counters, image, hash, slot)) return true;
  // SnapshotSelf sees what any transaction committed and what this one did, this
  // very command included; but a scan by it may miss a row that moves meanwhile.
  if (find_by_index(chat, counters, key, hash, SnapshotSelf, slot)) return true;
  PushActiveSnapshot(GetLatestSnapshot());
  const bool found = find_by_index(chat, counters, key, hash, GetActiveSnapshot(), slot);
  PopActiveSnapshot();
  return found;
}

}  // namespace chatopt::counters
