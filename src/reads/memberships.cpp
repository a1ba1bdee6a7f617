#include "reads/memberships.hpp"

#include "counters/queries.hpp"
#include "reads/call.hpp"
#include "reads/senders.hpp"

namespace chatopt::reads {
namespace {

// The columns as Column numbers them.
constexpr const char* kColumns =
    "conversation_id, member_id, joined_seq, left_seq, delivered_seq, read_seq, updated_at, slot";

void begin_query(const Reads& reads, Datum conversation, MembershipScan* scan) {
  MemoryContext caller = CurrentMemoryContext;
  SPI_connect();
  Oid type = reads.conversation_type.type;
  const char* sql = psprintf("SELECT %s FROM %s WHERE conversation_id %s $1", kColumns,
                             counters::qualified_name(reads.read_state), equality_operator(type));
  if (SPI_execute_with_args(sql, 1, &type, &conversation, nullptr, true, 0) != SPI_OK_SELECT)
    elog(ERROR, "query of the read state failed");
  scan->found = SPI_tuptable;
  scan->count = SPI_processed;
  scan->slot = MakeSingleTupleTableSlot(scan->found->tupdesc, &TTSOpsHeapTuple);
  MemoryContextSwitchTo(caller);
}

bool next_found(MembershipScan* scan) {
  if (scan->next == scan->count) return false;
  ExecStoreHeapTuple(scan->found->vals[scan->next++], scan->slot, false);
  return true;
}

}  // namespace

MembershipScan begin_memberships(const Reads& reads, Datum conversation, Policies policies) {
  MembershipScan scan = {};
  scan.by_query = policies == Policies::kObeyed && !sees_all_rows(reads);
  if (scan.by_query) {
    begin_query(reads, conversation, &scan);
    return scan;
  }
  scan.table = table_open(reads.read_state, AccessShareLock);
  scan.rows = pg::begin_scan(reads.members, scan.table, &conversation, 1, GetActiveSnapshot());
  scan.slot = scan.rows.slot;
  return scan;
}

bool next_membership(MembershipScan* scan) {
  CHECK_FOR_INTERRUPTS();
  if (scan->by_query ? !next_found(scan) : !pg::next_row(&scan->rows)) return false;
  const StateRow row = read_state_row(scan->slot);
  bool null;
  scan->membership = {slot_getattr(scan->slot, state::kMember, &null),
                      {row.joined, row.open ? core::kStillMember : row.left, row.delivered, row.read},
                      row.slot,
                      row.updated_at,
                      row.updated_at_null};
  return true;
}

void end_memberships(MembershipScan* scan) {
  if (scan->by_query) {
    ExecDropSingleTupleTableSlot(scan->slot);
    SPI_finish();
    return;
  }
  pg::end_scan(&scan->rows);
  table_close(scan->table, NoLock);
}

}  // namespace chatopt::reads
