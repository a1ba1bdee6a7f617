#include <cstring>

#include "pg/row_writer.hpp"

namespace chatopt::pg {
namespace {

void ensure_executor_state(RowWriter* writer) {
  if (writer->estate != nullptr) return;
  writer->estate = CreateExecutorState();
  writer->result = makeNode(ResultRelInfo);
  InitResultRelInfo(writer->result, writer->relation, 0, nullptr, 0);
  ExecOpenIndices(writer->result, false);
}

bool is_written(AttrNumber column, const ColumnValue* values, int count) {
  for (int i = 0; i < count; ++i)
    if (values[i].column == column) return true;
  return false;
}

// Does the index depend on none of the written columns?
bool is_unchanged(const IndexInfo& index, const ColumnValue* values, int count) {
  for (int i = 0; i < index.ii_NumIndexAttrs; ++i)
    if (is_written(index.ii_IndexAttrNumbers[i], values, count)) return false;
  return true;
}

// An index for which an entry can be made without asking what else it holds.
bool is_plain(const IndexInfo& index, bool unchanged) {
  return index.ii_Predicate == NIL && index.ii_Expressions == NIL && index.ii_ExclusionOps == nullptr &&
         (unchanged || !index.ii_Unique);
}

bool all_plain(const ResultRelInfo* result, const ColumnValue* values, int count) {
  for (int i = 0; i < result->ri_NumIndices; ++i) {
    const IndexInfo& index = *result->ri_IndexRelationInfo[i];
    if (!is_plain(index, is_unchanged(index, values, count))) return false;
  }
  return true;
}

void insert_index_entry(RowWriter* writer, int position, bool unchanged) {
  IndexInfo* index = writer->result->ri_IndexRelationInfo[position];
  Datum entry[INDEX_MAX_KEYS];
  bool nulls[INDEX_MAX_KEYS];
  if (!index->ii_ReadyForInserts) return;
  FormIndexDatum(index, writer->slot, writer->estate, entry, nulls);
  (void)index_insert(writer->result->ri_IndexRelationDescs[position], entry, nulls, &writer->slot->tts_tid,
                     writer->relation, UNIQUE_CHECK_NO, unchanged, index);
}

// The row is locked and its unique keys stay what they are, so they stay unique. The executor would ask all the same,
// and find every version that this transaction has made of the row: for many sends in one transaction that is
// quadratic.
void insert_index_entries(RowWriter* writer, IndexUpdate indexes, const ColumnValue* values, int count) {
  ensure_executor_state(writer);
  if (indexes.only_summarizing || !all_plain(writer->result, values, count)) {
    (void)insert_index_tuples(writer->result, writer->slot, writer->estate, indexes);
    return;
  }
  for (int i = 0; i < writer->result->ri_NumIndices; ++i)
    insert_index_entry(writer, i, is_unchanged(*writer->result->ri_IndexRelationInfo[i], values, count));
}

struct Check {
  const char* name;
  ExprState* expression;
};

int member_of(AttrNumber column) { return column - FirstLowInvalidHeapAttributeNumber; }

// The column and the generated columns that are computed from it.
Bitmapset* dependent_columns(Relation relation, AttrNumber column) {
  Bitmapset* columns = bms_make_singleton(member_of(column));
  const TupleDesc descriptor = RelationGetDescr(relation);
  for (int i = 0; i < descriptor->constr->num_defval; ++i) {
    const AttrDefault& expression = descriptor->constr->defval[i];
    if (TupleDescAttr(descriptor, expression.adnum - 1)->attgenerated == '\0') continue;
    Bitmapset* uses = nullptr;
    pull_varattnos(static_cast<Node*>(stringToNode(expression.adbin)), 1, &uses);
    if (bms_is_member(member_of(column), uses) || bms_is_member(member_of(0), uses))
      columns = bms_add_member(columns, member_of(expression.adnum));
  }
  return columns;
}

void prepare_checks(RowWriter* writer, AttrNumber column) {
  const TupleConstr* constraints = RelationGetDescr(writer->relation)->constr;
  Bitmapset* columns = dependent_columns(writer->relation, column);
  columns = bms_add_member(columns, member_of(0));  // the whole row
  for (int i = 0; i < constraints->num_check; ++i) {
    const ConstrCheck& check = constraints->check[i];
    if (!is_enforced(check)) continue;
    Bitmapset* uses = nullptr;
    pull_varattnos(static_cast<Node*>(stringToNode(check.ccbin)), 1, &uses);
    if (!bms_overlap(columns, uses)) continue;
    ensure_executor_state(writer);
    MemoryContext caller = MemoryContextSwitchTo(writer->estate->es_query_cxt);
    auto* prepared = static_cast<Check*>(palloc(sizeof(Check)));
    prepared->name = pstrdup(check.ccname);
    prepared->expression = ExecPrepareExpr(check_expression(writer->relation, check), writer->estate);
    writer->checks = lappend(writer->checks, prepared);
    MemoryContextSwitchTo(caller);
  }
}

// As an INSERT of the row would: that computes every generated column, where an
// UPDATE asks the range table, which we have none of, for the changed ones.
void compute_generated(RowWriter* writer) {
  ensure_executor_state(writer);
  ExecComputeStoredGenerated(writer->result, writer->estate, writer->slot, CMD_INSERT);
}

void check_row(RowWriter* writer) {
  ExprContext* context = GetPerTupleExprContext(writer->estate);
  context->ecxt_scantuple = writer->slot;
  ListCell* cell;
  foreach (cell, writer->checks) {
    const auto* check = static_cast<Check*>(lfirst(cell));
    if (ExecCheck(check->expression, context)) continue;
    const char* table = RelationGetRelationName(writer->relation);
    ereport(ERROR, (errcode(ERRCODE_CHECK_VIOLATION),
                    errmsg("new row for relation \"%s\" violates check constraint \"%s\"", table, check->name),
                    errtableconstraint(writer->relation, check->name)));
  }
}

// Under a transaction snapshot a row that somebody else changed since is not ours
// to change: the snapshot would see it twice, as it was and as we made it.
void check_snapshot(TupleTableSlot* current) {
  if (!IsolationUsesXactSnapshot()) return;
  bool null;
  const auto xmin = DatumGetTransactionId(slot_getsysattr(current, MinTransactionIdAttributeNumber, &null));
  if (TransactionIdIsNormal(xmin) && !TransactionIdIsCurrentTransactionId(xmin) &&
      XidInMVCCSnapshot(xmin, GetTransactionSnapshot()))
    ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                    errmsg("could not serialize access due to concurrent update"),
                    errhint("The transaction might succeed if retried.")));
}

}  // namespace

RowWriter open_writer(Relation relation) {
  return {relation, MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual), nullptr, nullptr, NIL, false};
}

RowWriter open_checked_writer(Relation relation, AttrNumber column) {
  RowWriter writer = open_writer(relation);
  const TupleConstr* constraints = RelationGetDescr(relation)->constr;
  if (constraints == nullptr) return writer;
  writer.computed = constraints->has_generated_stored;
  prepare_checks(&writer, column);
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
  check_snapshot(current);
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
  slot->tts_tableOid = RelationGetRelid(writer->relation);
  if (writer->computed) compute_generated(writer);
  if (writer->checks != NIL) check_row(writer);
  TM_FailureData failure;
  IndexUpdate indexes;
  if (update_tuple(writer->relation, place, slot, GetCurrentCommandId(true), &failure, &indexes) != TM_Ok)
    return false;
  *place = slot->tts_tid;
  if (indexes.needed) insert_index_entries(writer, indexes, values, count);
  if (writer->estate != nullptr) ResetPerTupleExprContext(writer->estate);
  return true;
}

RowValues new_row(Relation relation) {
  const auto columns = static_cast<Size>(RelationGetDescr(relation)->natts);
  RowValues row = {static_cast<Datum*>(palloc0(columns * sizeof(Datum))), static_cast<bool*>(palloc(columns))};
  memset(row.nulls, true, columns);
  return row;
}

void insert_row(RowWriter* writer, const RowValues& row) {
  ensure_executor_state(writer);
  TupleTableSlot* slot = ExecClearTuple(writer->slot);
  const auto columns = static_cast<Size>(RelationGetDescr(writer->relation)->natts);
  memcpy(slot->tts_values, row.values, columns * sizeof(Datum));
  memcpy(slot->tts_isnull, row.nulls, columns * sizeof(bool));
  ExecStoreVirtualTuple(slot);
  slot->tts_tableOid = RelationGetRelid(writer->relation);
  table_tuple_insert(writer->relation, slot, GetCurrentCommandId(true), 0, nullptr);
  insert_new_index_tuples(writer->result, slot, writer->estate);
  ResetPerTupleExprContext(writer->estate);
}

bool delete_row(Relation relation, TupleTableSlot* current) {
  check_snapshot(current);
  TM_FailureData failure;
  return table_tuple_delete(relation, &current->tts_tid, GetCurrentCommandId(true), InvalidSnapshot, InvalidSnapshot, true, &failure,
                            false) == TM_Ok;
}

}  // namespace chatopt::pg
