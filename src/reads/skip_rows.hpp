// The rows of <messages>_skipped_numbers, as core/reads/skip_tree.hpp asks for them.
#pragma once

#include "core/reads/skip_tree.hpp"
#include "pg/row_writer.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// A row as it is stored. False: it is damaged.
bool unpack_skips(TupleTableSlot* slot, core::SkipLeaf& leaf);
bool unpack_skips(TupleTableSlot* slot, int level, core::SkipNode& node);

// Reads them as a snapshot sees them.
class SkipLookup {
 public:
  SkipLookup(const Reads& reads, Relation table, TupleTableSlot* slot, Datum conversation, Snapshot snapshot) noexcept
      : reads_(&reads), table_(table), slot_(slot), conversation_(conversation), snapshot_(snapshot) {}
  bool load(int level, int64 chunk, core::SkipLeaf& leaf) const;
  bool load(int level, int64 chunk, core::SkipNode& node) const;

 private:
  [[nodiscard]] bool find(int level, int64 chunk) const;

  const Reads* reads_;
  Relation table_;
  TupleTableSlot* slot_;
  Datum conversation_;
  Snapshot snapshot_;
};

// Reads and writes the newest; the counter's lock keeps others away.
class SkipStore {
 public:
  // Opens the table; close() closes it.
  SkipStore(const Reads& reads, Datum conversation) noexcept;
  void close();
  bool load(int level, int64 chunk, core::SkipLeaf& leaf);
  bool load(int level, int64 chunk, core::SkipNode& node);
  void save(int level, int64 chunk, const core::SkipLeaf& leaf);
  void save(int level, int64 chunk, const core::SkipNode& node);
  void erase(int level, int64 chunk);

 private:
  [[nodiscard]] bool find(int level, int64 chunk);
  void put(int level, int64 chunk, const pg::ColumnValue* values, int count);

  const Reads* reads_;
  Relation table_;
  TupleTableSlot* slot_;
  pg::RowWriter writer_;
  Datum conversation_;
};

}  // namespace chatopt::reads
