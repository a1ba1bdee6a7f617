// chatopt.apply_receipts(): many receipts in one statement. Entries of one member
// and conversation are one mark; rows are locked in the order of (conversation,
// member), so that batches that overlap do not deadlock, however they are ordered.

#include "reads/batch.hpp"
#include "reads/call.hpp"
#include "reads/marks.hpp"
#include "reads/state_row.hpp"
#include "reads/status.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_apply_receipts);
PGDLLEXPORT Datum chatopt_reads_apply_receipts(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

int by_key(const Reads& reads, const Receipt& a, const Receipt& b) {
  const counters::Chat& chat = *reads.chat;
  auto* order = const_cast<FmgrInfo*>(&chat.key_order);
  const int conversations = DatumGetInt32(
      FunctionCall2Coll(order, chat.finder.key[0].collation, a.key.conversation, b.key.conversation));
  if (conversations != 0) return conversations;
  return DatumGetInt32(FunctionCall2Coll(const_cast<FmgrInfo*>(&reads.member_order), reads.states.key[0].collation,
                                         a.key.member, b.key.member));
}

int in_order(const void* left, const void* right, void* argument) {
  return by_key(*static_cast<const Reads*>(argument), *static_cast<const Receipt*>(left),
                *static_cast<const Receipt*>(right));
}

// Sorted, and one of each member and conversation; how many are left.
uint64 fold(const Reads& reads, Receipt* receipts, uint64 count) {
  qsort_arg(receipts, count, sizeof(Receipt), in_order, const_cast<Reads*>(&reads));
  uint64 kept = 0;
  for (uint64 i = 0; i < count; ++i) {
    if (kept > 0 && by_key(reads, receipts[kept - 1], receipts[i]) == 0) {
      receipts[kept - 1].delivered = Max(receipts[kept - 1].delivered, receipts[i].delivered);
      receipts[kept - 1].read = Max(receipts[kept - 1].read, receipts[i].read);
      receipts[kept - 1].queued_at = Min(receipts[kept - 1].queued_at, receipts[i].queued_at);
    } else {
      receipts[kept++] = receipts[i];
    }
  }
  return kept;
}

bool apply_one(const Reads& reads, Relation table, const Receipt& receipt) {
  StateRow row;
  int64 last;
  const Raised raised = raise_positions(reads, table, receipt.key, {receipt.delivered, receipt.read, &last}, &row);
  if (raised == Raised::kNoMember) return false;
  settle_marks(reads, receipt.key, Min(receipt.read, last), last, &row);
  return raised == Raised::kMoved;
}

}  // namespace

int64 apply_receipts(const Reads& reads, Receipt* receipts, uint64 count, Caller caller, uint64* busy) {
  count = fold(reads, receipts, count);
  *busy = 0;
  Relation table = table_open(reads.read_state, RowExclusiveLock);
  MemoryContext each = AllocSetContextCreate(CurrentMemoryContext, "chatopt receipts", ALLOCSET_SMALL_SIZES);
  int64 moved = 0;
  for (uint64 i = 0; i < count; ++i) {
    CHECK_FOR_INTERRUPTS();
    MemoryContext before = MemoryContextSwitchTo(each);
    const Receipt receipt = receipts[i];
    if (caller == Caller::kPatient && is_busy(reads, table, receipt.key))
      receipts[(*busy)++] = receipt;
    else if ((caller != Caller::kChecked || movable_by_caller(reads, receipt.key)) && apply_one(reads, table, receipt))
      ++moved;
    MemoryContextSwitchTo(before);
    MemoryContextReset(each);
  }
  MemoryContextDelete(each);
  table_close(table, NoLock);
  return moved;
}

namespace {

// The entries that say something, their keys in their own types. Everything is
// checked before anything is changed.
Receipt* read_receipts(FunctionCallInfo fcinfo, const Reads& reads, uint64* count) {
  const KeyList conversations = keys_argument(fcinfo, 1, "conversations", reads.conversation_type);
  const KeyList members = keys_argument(fcinfo, 2, "members", reads.member_type);
  const KeyList uptos = list_argument(fcinfo, 3, "upto");
  const KeyList statuses = list_argument(fcinfo, 4, "status");
  if (conversations.count != members.count || members.count != uptos.count || uptos.count != statuses.count)
    ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                    errmsg("conversations, members, upto and status must have the same number of elements"),
                    errdetail("They have %d, %d, %d and %d.", conversations.count, members.count, uptos.count,
                              statuses.count)));
  auto* receipts = static_cast<Receipt*>(
      MemoryContextAllocHuge(CurrentMemoryContext, static_cast<Size>(conversations.count + 1) * sizeof(Receipt)));
  *count = 0;
  for (int i = 0; i < conversations.count; ++i) {
    if (conversations.nulls[i] || members.nulls[i] || uptos.nulls[i] || statuses.nulls[i]) continue;
    const Status status = status_of(statuses.values[i]);
    const int64 upto = DatumGetInt64(uptos.values[i]);
    if (status == Status::kSent) continue;
    receipts[(*count)++] = {{members.values[i], conversations.values[i]}, upto, status == Status::kSeen ? upto : 0, 0};
  }
  return receipts;
}

}  // namespace
}  // namespace chatopt::reads

using namespace chatopt::reads;

// apply_receipts(messages, conversations, members, upto, status) -> bigint
Datum chatopt_reads_apply_receipts(PG_FUNCTION_ARGS) {
  Call* call = ready_call(fcinfo, false, false);
  check_writable(call, "chatopt.apply_receipts()");
  check_may_mark(call);
  const Reads& reads = *call->reads;
  uint64 count;
  uint64 busy;
  Receipt* receipts = read_receipts(fcinfo, reads, &count);
  PG_RETURN_INT64(
      apply_receipts(reads, receipts, count, sees_all_rows(reads) ? Caller::kTrusted : Caller::kChecked, &busy));
}
