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

// For a new row.
inline void insert_new_index_tuples(ResultRelInfo* result, TupleTableSlot* slot, EState* estate) {
#if PG_VERSION_NUM >= 160000
  (void)ExecInsertIndexTuples(result, slot, estate, false, false, nullptr, NIL, false);
#else
  (void)ExecInsertIndexTuples(result, slot, estate, false, false, nullptr, NIL);
#endif
}

inline IndexScanDesc begin_index_scan(Relation heap, Relation index, Snapshot snapshot, int keys) {
#if PG_VERSION_NUM >= 180000
  return index_beginscan(heap, index, snapshot, nullptr, keys, 0);
#else
  return index_beginscan(heap, index, snapshot, keys, 0);
#endif
}

// Pins the buffer if it still holds this page of the relation; no lookup, no I/O.
inline bool read_recent_buffer(Relation relation, BlockNumber block, Buffer buffer) {
#if PG_VERSION_NUM >= 160000
  return ReadRecentBuffer(relation->rd_locator, MAIN_FORKNUM, block, buffer);
#else
  return ReadRecentBuffer(relation->rd_node, MAIN_FORKNUM, block, buffer);
#endif
}

inline bool is_enforced(const ConstrCheck& check) {
#if PG_VERSION_NUM >= 180000
  return check.ccenforced;
#else
  (void)check;
  return true;
#endif
}

inline bool is_enforced(const ForeignKeyCacheInfo& key) {
#if PG_VERSION_NUM >= 180000
  return key.conenforced;
#else
  (void)key;
  return true;
#endif
}

// The expression of a CHECK, ready to be planned.
inline Expr* check_expression(Relation relation, const ConstrCheck& check) {
  auto* expression = static_cast<Node*>(stringToNode(check.ccbin));
#if PG_VERSION_NUM >= 180000
  expression = expand_generated_columns_in_expr(expression, relation, 1);
#else
  (void)relation;
#endif
  return reinterpret_cast<Expr*>(expression);
}

// How a background worker connects: as a role that need not be permitted to log in, where there is a flag for it.
#if PG_VERSION_NUM >= 170000
inline constexpr uint32 kWorkerLogin = BGWORKER_BYPASS_ROLELOGINCHECK;
#else
inline constexpr uint32 kWorkerLogin = 0;
#endif

// A WHEN over such columns is expanded by the trigger manager.
inline bool has_virtual_columns(Relation relation) {
#if PG_VERSION_NUM >= 180000
  const TupleConstr* constraints = RelationGetDescr(relation)->constr;
  return constraints != nullptr && constraints->has_generated_virtual;
#else
  (void)relation;
  return false;
#endif
}

// The process of a virtual transaction; NULL where it has ended, or is a prepared one.
inline const PGPROC* process_of(const VirtualTransactionId& transaction) {
#if PG_VERSION_NUM >= 170000
  const PGPROC* process = ProcNumberGetProc(transaction.procNumber);
  return process != nullptr && process->vxid.lxid == transaction.localTransactionId ? process : nullptr;
#else
  const PGPROC* process = BackendIdGetProc(transaction.backendId);
  return process != nullptr && process->lxid == transaction.localTransactionId ? process : nullptr;
#endif
}

// What a process is doing, of pgstat_fetch_stat_numbackends() processes from 1; may be NULL.
inline const PgBackendStatus* activity_at(int index) {
#if PG_VERSION_NUM >= 160000
  const LocalPgBackendStatus* activity = pgstat_get_local_beentry_by_index(index);
#else
  const LocalPgBackendStatus* activity = pgstat_fetch_stat_local_beentry(index);
#endif
  return activity == nullptr ? nullptr : &activity->backendStatus;
}

// To the end, as a client's own query, without keeping what it gives.
inline void run_portal(Portal portal) {
  QueryCompletion completion;
#if PG_VERSION_NUM >= 180000
  (void)PortalRun(portal, FETCH_ALL, true, None_Receiver, None_Receiver, &completion);
#else
  (void)PortalRun(portal, FETCH_ALL, true, true, None_Receiver, None_Receiver, &completion);
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
