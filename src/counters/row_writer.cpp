#include "counters/row_writer.hpp"

#include <cstring>

namespace chatopt::counters {
namespace {

void ensure_executor_state(RowWriter* writer) {
  if (writer->estate != nullptr) return;
  writer->estate = CreateExecutorState();
  writer->result = makeNode(ResultRelInfo);
  InitResultRelInfo(writer->result, writer->relation, 0, nullptr, 0);
  ExecOpenIndices(writer->result, false);
}

void insert_index_entries(RowWriter* writer, pg::IndexUpdate indexes) {
  ensure_executor_state(writer);
  (void)pg::insert_index_tuples(writer->result, writer->slot, writer->estate, indexes);
}

// As an INSERT of the row would: that computes every generated column, where an
// UPDATE asks the range table, which we have none of, for the changed ones.
void compute_and_check(RowWriter* writer) {
  ensure_executor_state(writer);
  const TupleConstr* constraints = RelationGetDescr(writer->relation)->constr;
  if (constraints->has_generated_stored)
    ExecComputeStoredGenerated(writer->result, writer->estate, writer->slot, CMD_INSERT);
  ExecConstraints(writer->result, writer->slot, writer->estate);
}

}  // namespace

RowWriter open_writer(Relation relation) {
  return {relation, MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual), nullptr, nullptr, false};
}

RowWriter open_checked_writer(Relation relation) {
  RowWriter writer = open_writer(relation);
  const TupleConstr* constraints = RelationGetDescr(relation)->constr;
  writer.checked = constraints != nullptr && (constraints->has_generated_stored || constraints->num_check > 0);
  return writer;
}

void close_writer(RowWriter* writer) {
  ExecDropSingleTupleTableSlot(writer->slot);
  if (writer->estate == nullptr) return;
  ExecCloseIndices(writer->result);
  pfree(writer->result);
  FreeExecutorState(writer->estate);
}

bool write_row(RowWriter* writer, ItemPointer place, const ColumnValue* values, int count, TupleTableSlot* current) {
  slot_getallattrs(current);
  TupleTableSlot* slot = ExecClearTuple(writer->slot);
  const auto columns = static_cast<Size>(RelationGetDescr(writer->relation)->natts);
  memcpy(slot->tts_values, current->tts_values, columns * sizeof(Datum));
  memcpy(slot->tts_isnull, current->tts_isnull, columns * sizeof(bool));
  for (int i = 0; i < count; ++i) {
    slot->tts_values[values[i].column - 1] = values[i].value;
    slot->tts_isnull[values[i].column - 1] = values[i].null;
  }
  ExecStoreVirtualTuple(slot);
  if (writer->checked) compute_and_check(writer);
  slot->tts_tableOid = RelationGetRelid(writer->relation);
  TM_FailureData failure;
  pg::IndexUpdate indexes;
  if (pg::update_tuple(writer->relation, place, slot, GetCurrentCommandId(true), &failure, &indexes) != TM_Ok)
    return false;
  *place = slot->tts_tid;
  if (indexes.needed) insert_index_entries(writer, indexes);
  if (writer->estate != nullptr) ResetPerTupleExprContext(writer->estate);
  return true;
}

}  // namespace chatopt::counters
