// The only place that knows PostgreSQL's versions: the newest API's names, on
// every supported version. Included by postgres.hpp alone.
#pragma once

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "chatopt supports PostgreSQL 15 to 18"
#endif

namespace chatopt::pg {

// Updates the version of a row at slot->tts_tid's place: what table_tuple_update
// says of indexes differs by version.
struct IndexUpdate {
  bool needed = false;
  bool only_summarizing = false;
};

inline TM_Result update_tuple(Relation relation, ItemPointer tid, TupleTableSlot* slot, CommandId cid,
                              TM_FailureData* failure, IndexUpdate* indexes) {
  LockTupleMode mode;
#if PG_VERSION_NUM >= 160000
  TU_UpdateIndexes which = TU_None;
#else
  bool which = false;
#endif
  const TM_Result result = table_tuple_update(relation, tid, slot, cid, InvalidSnapshot, InvalidSnapshot,
                                              true, failure, &mode, &which);
#if PG_VERSION_NUM >= 160000
  indexes->needed = which != TU_None;
  indexes->only_summarizing = which == TU_Summarizing;
#else
  indexes->needed = which;
#endif
  return result;
}

inline List* insert_index_tuples(ResultRelInfo* result, TupleTableSlot* slot, EState* estate,
                                 IndexUpdate indexes) {
#if PG_VERSION_NUM >= 160000
  return ExecInsertIndexTuples(result, slot, estate, true, false, nullptr, NIL, indexes.only_summarizing);
#else
  (void)indexes;
  return ExecInsertIndexTuples(result, slot, estate, true, false, nullptr, NIL);
#endif
}

inline IndexScanDesc begin_index_scan(Relation heap, Relation index, Snapshot snapshot, int keys) {
#if PG_VERSION_NUM >= 180000
  return index_beginscan(heap, index, snapshot, nullptr, keys, 0);
#else
  return index_beginscan(heap, index, snapshot, keys, 0);
#endif
}

inline bool owns_relation(Oid relation, Oid role) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(RelationRelationId, relation, role);
#else
  return pg_class_ownercheck(relation, role);
#endif
}

// Before 16 the walker is declared without its arguments.
inline bool walk_expression(Node* node, bool (*walker)(Node*, void*), void* context) {
#if PG_VERSION_NUM >= 160000
  return expression_tree_walker(node, walker, context);
#else
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-function-type"
  return expression_tree_walker(node, reinterpret_cast<bool (*)()>(walker), context);
#pragma GCC diagnostic pop
#endif
}

// May PUBLIC not execute the function?
inline bool function_denied_to_public(Oid function) {
#if PG_VERSION_NUM >= 160000
  return object_aclcheck(ProcedureRelationId, function, ACL_ID_PUBLIC, ACL_EXECUTE) != ACLCHECK_OK;
#else
  return pg_proc_aclcheck(function, ACL_ID_PUBLIC, ACL_EXECUTE) != ACLCHECK_OK;
#endif
}

}  // namespace chatopt::pg

#ifndef PG_GETARG_ITEMPOINTER
#define PG_GETARG_ITEMPOINTER(n) reinterpret_cast<ItemPointer>(PG_GETARG_POINTER(n))
#endif

// Errors that a caller may ask to be noted instead of raised, as of 16.
#ifndef ereturn
#define ereturn(context, dummy_value, ...) ereport_domain(ERROR, TEXTDOMAIN, __VA_ARGS__)
#endif
