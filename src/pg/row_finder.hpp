// Finding and locking one row of a table by its key, without the executor.
#pragma once

#include "pg/image.hpp"
#include "pg/postgres.hpp"

namespace chatopt::pg {

constexpr int kMostKeys = 3;

// A B-tree and its first columns, which tell the rows of a table apart.
struct RowFinder {
  struct Key {
    AttrNumber column;
    ValueType type;
    Oid collation;
    RegProcedure equals;
  };
  Oid table;
  Oid index;
  int keys;
  Key key[kMostKeys];
  AttrNumber null_column;  // of several rows with the key the one in which this is NULL is meant; 0: there is only one
};

// By the first columns of this index of the table.
RowFinder finder_of(Relation index, int keys);

// A version of the row, materialized or pinned by the slot; which one does not
// matter, locking finds the newest. Sees what anybody committed and what this
// transaction did, the running command included. False: there is no such row.
// Cost: the place where the row was last found, else one descent of the index.
bool find_row(const RowFinder& finder, Relation table, const Datum* key, TupleTableSlot* slot);
// The version that a snapshot sees.
bool find_row_seen(const RowFinder& finder, Relation table, const Datum* key, Snapshot snapshot, TupleTableSlot* slot);

// The rows that have these values in the first columns of the index, as a snapshot
// sees them, in the index's order.
struct RowScan {
  Relation table;
  Relation index;
  IndexScanDesc scan;
  TupleTableSlot* slot;
};
RowScan begin_scan(const RowFinder& finder, Relation table, const Datum* key, int keys, Snapshot snapshot);
// The same from the row on in which the column after these, a bigint, is at least this.
RowScan begin_scan_from(const RowFinder& finder, Relation table, const Datum* key, int keys, int64 least,
                        Snapshot snapshot);
// False: no more. The row is in scan->slot.
bool next_row(RowScan* scan);
void end_scan(RowScan* scan);

// Does the row in the slot have this key?
bool has_key(const RowFinder& finder, TupleTableSlot* slot, const Datum* key);

// The version at this place, or the one this transaction has made of it since.
bool fetch_newest(Relation table, ItemPointerData place, TupleTableSlot* slot);

enum class RowLock { kLocked, kGone, kBusy };
// Finds and locks the newest version FOR NO KEY UPDATE. Restarts when the row was
// deleted or got another key while we waited: a new row may have the key by then.
RowLock find_and_lock(const RowFinder& finder, Relation table, const Datum* key, LockWaitPolicy wait,
                      TupleTableSlot* slot);

}  // namespace chatopt::pg
