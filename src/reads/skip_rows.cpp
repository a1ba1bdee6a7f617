#include "reads/skip_rows.hpp"

#include "pg/row_finder.hpp"
#include "pg/varlena.hpp"

namespace chatopt::reads {
namespace {

[[noreturn]] void raise_damaged(TupleTableSlot* slot) {
  ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                  errmsg("a row of table \"%s\" is damaged", get_rel_name(slot->tts_tableOid)),
                  errhint("CALL chatopt.repair makes it anew.")));
  pg_unreachable();
}

core::Bytes set_at(TupleTableSlot* slot, AttrNumber column) {
  bool null;
  const Datum value = slot_getattr(slot, column, &null);
  return null ? core::Bytes{} : pg::varlena_bytes(value);
}

void unpack(TupleTableSlot* slot, core::SkipLeaf& leaf) {
  if (!unpack_skips(slot, leaf)) raise_damaged(slot);
}

void unpack(TupleTableSlot* slot, int level, core::SkipNode& node) {
  if (!unpack_skips(slot, level, node)) raise_damaged(slot);
}

Datum set_datum(const uint64 (&words)[core::kSkipWords]) {
  const pg::VarlenaResult result(core::kSkipBitmapBound);
  return result.finish(core::skip_write_bitmap(words, result.payload()));
}

Datum counts_datum(int level, const core::SkipNode& node) {
  int32 ints[core::kSkipMostInts];
  core::skip_node_to_ints(level, node, ints);
  Datum values[core::kSkipMostInts];
  const auto count = static_cast<int>(core::skip_node_ints(level));
  for (int i = 0; i < count; ++i) values[i] = Int32GetDatum(ints[i]);
  return PointerGetDatum(construct_array(values, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

struct Key {
  Datum columns[3];
  Key(Datum conversation, int level, int64 chunk) noexcept
      : columns{conversation, Int16GetDatum(static_cast<int16>(level)), Int64GetDatum(chunk)} {}
};

}  // namespace

bool unpack_skips(TupleTableSlot* slot, core::SkipLeaf& leaf) {
  const core::Bytes removed = set_at(slot, skipped::kRemoved);
  const core::Bytes uncounted = set_at(slot, skipped::kUncounted);
  // A set that is NULL is none of ours: no encoding is of no bytes.
  return !removed.empty() && !uncounted.empty() && core::skip_leaf_from_bitmaps(removed, uncounted, leaf);
}

bool unpack_skips(TupleTableSlot* slot, int level, core::SkipNode& node) {
  bool null;
  const Datum value = slot_getattr(slot, skipped::kCounts, &null);
  if (null) return false;
  ArrayType* array = DatumGetArrayTypeP(value);
  return ARR_NDIM(array) == 1 && !ARR_HASNULL(array) && ARR_ELEMTYPE(array) == INT4OID &&
         core::skip_node_from_ints(
             level, {reinterpret_cast<const int32*>(ARR_DATA_PTR(array)), static_cast<size_t>(ARR_DIMS(array)[0])},
             node);
}

bool SkipLookup::find(int level, int64 chunk) const {
  const Key key(conversation_, level, chunk);
  return pg::find_row_seen(reads_->skipped, table_, key.columns, snapshot_, slot_);
}

bool SkipLookup::load(int level, int64 chunk, core::SkipLeaf& leaf) const {
  const bool found = find(level, chunk);
  if (found) unpack(slot_, leaf);
  return found;
}

bool SkipLookup::load(int level, int64 chunk, core::SkipNode& node) const {
  const bool found = find(level, chunk);
  if (found) unpack(slot_, level, node);
  return found;
}

SkipStore::SkipStore(const Reads& reads, Datum conversation) noexcept
    : reads_(&reads),
      table_(table_open(reads.skipped_numbers, RowExclusiveLock)),
      slot_(table_slot_create(table_, nullptr)),
      writer_(pg::open_writer(table_)),
      conversation_(conversation) {}

void SkipStore::close() {
  pg::close_writer(&writer_);
  ExecDropSingleTupleTableSlot(slot_);
  table_close(table_, NoLock);
  CommandCounterIncrement();
}

bool SkipStore::find(int level, int64 chunk) {
  const Key key(conversation_, level, chunk);
  return pg::find_row(reads_->skipped, table_, key.columns, slot_);
}

bool SkipStore::load(int level, int64 chunk, core::SkipLeaf& leaf) {
  const bool found = find(level, chunk);
  if (found) unpack(slot_, leaf);
  return found;
}

bool SkipStore::load(int level, int64 chunk, core::SkipNode& node) {
  const bool found = find(level, chunk);
  if (found) unpack(slot_, level, node);
  return found;
}

void SkipStore::put(int level, int64 chunk, const pg::ColumnValue* values, int count) {
  if (find(level, chunk)) {
    ItemPointerData place = slot_->tts_tid;
    if (!pg::write_row(&writer_, &place, values, count, slot_))
      elog(ERROR, "row of table \"%s\" was changed under its lock", RelationGetRelationName(table_));
    return;
  }
  pg::RowValues row = pg::new_row(table_);
  row.set(skipped::kConversation, conversation_);
  row.set(skipped::kLevel, Int16GetDatum(static_cast<int16>(level)));
  row.set(skipped::kChunk, Int64GetDatum(chunk));
  for (int i = 0; i < count; ++i) row.set(values[i].column, values[i].value);
  pg::insert_row(&writer_, row);
}

void SkipStore::save(int level, int64 chunk, const core::SkipLeaf& leaf) {
  const pg::ColumnValue values[] = {{skipped::kRemoved, set_datum(leaf.removed), false},
                                    {skipped::kUncounted, set_datum(leaf.uncounted), false}};
  put(level, chunk, values, lengthof(values));
}

void SkipStore::save(int level, int64 chunk, const core::SkipNode& node) {
  const pg::ColumnValue value = {skipped::kCounts, counts_datum(level, node), false};
  put(level, chunk, &value, 1);
}

void SkipStore::erase(int level, int64 chunk) {
  if (find(level, chunk) && !pg::delete_row(table_, slot_))
    elog(ERROR, "row of table \"%s\" was changed under its lock", RelationGetRelationName(table_));
}

}  // namespace chatopt::reads
