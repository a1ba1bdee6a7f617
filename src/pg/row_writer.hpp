// Writes rows of one table in place of SQL UPDATEs: no triggers, no rules, index
// entries kept. Indexes are opened when the first row needs them.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::pg {

struct RowWriter {
  Relation relation;
  TupleTableSlot* slot;
  EState* estate;
  ResultRelInfo* result;
  List* checks;  // of the constraints that the written column can violate
  bool computed;  // generated columns are computed anew
};

// Constraints and generated columns are not looked at: for tables in which none depends on what is written.
RowWriter open_writer(Relation relation);
// For one column of the application's rows: computes the generated columns and checks the CHECKs that depend on it,
// as an UPDATE would (23514). Others are left alone: an old row need not meet a constraint that is NOT VALID.
RowWriter open_checked_writer(Relation relation, AttrNumber column);
void close_writer(RowWriter* writer);

struct ColumnValue {
  AttrNumber column;
  Datum value;
  bool null;
};
// Writes some columns of the row whose version at *place is in current; the row
// must be locked by this transaction. *place becomes the new version's. False:
// it has been updated or deleted meanwhile. Raises 40001 under REPEATABLE READ and SERIALIZABLE where the row has
// changed since the snapshot.
bool write_row(RowWriter* writer, ItemPointer place, const ColumnValue* values, int count, TupleTableSlot* current);

// The values of a new row, all NULL at first; in the current memory context.
struct RowValues {
  Datum* values;
  bool* nulls;
  void set(AttrNumber column, Datum value) {
    values[column - 1] = value;
    nulls[column - 1] = false;
  }
};
RowValues new_row(Relation relation);
// Adds a row; its place is then in the writer's slot. Raises 23505 where a unique index has its key.
void insert_row(RowWriter* writer, const RowValues& row);
// False: it has been updated or deleted meanwhile.
bool delete_row(Relation relation, TupleTableSlot* current);

}  // namespace chatopt::pg
