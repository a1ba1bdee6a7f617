// chatopt.mark_delivered(), mark_read(), mark_unread(), ack_message(): one row of the read state
// each, and no counter: readers wait neither for senders nor for one another.

#include "reads/acks.hpp"
#include "reads/call.hpp"
#include "reads/conversation_row.hpp"
#include "reads/marks.hpp"
#include "reads/own_messages.hpp"
#include "reads/skip_rows.hpp"
#include "reads/state_row.hpp"
#include "reads/status.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_mark_delivered);
PG_FUNCTION_INFO_V1(chatopt_reads_mark_read);
PG_FUNCTION_INFO_V1(chatopt_reads_mark_unread);
PG_FUNCTION_INFO_V1(chatopt_reads_ack_message);
PGDLLEXPORT Datum chatopt_reads_mark_delivered(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_mark_read(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_mark_unread(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_ack_message(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

struct Marked {
  Call* call;
  StateKey key;
  int64 number;
};

// The arguments (messages, conversation, member, number). False: a key is NULL.
bool read_arguments(FunctionCallInfo fcinfo, const char* function, const char* number_name, Marked* marked) {
  marked->call = ready_call(fcinfo, true, true);
  check_writable(marked->call, function);
  marked->number = number_argument(fcinfo, 3, number_name);
  check_may_mark(marked->call);
  return key_argument(fcinfo, marked->call, 1, &marked->key.conversation) &&
         key_argument(fcinfo, marked->call, 2, &marked->key.member) &&
         movable_by_caller(*marked->call->reads, marked->key);
}

bool move(const Marked& marked, bool read, StateRow* row) {
  const Reads& reads = *marked.call->reads;
  int64 last;
  Relation table = table_open(reads.read_state, RowExclusiveLock);
  const Raised raised =
      raise_positions(reads, table, marked.key, {marked.number, read ? marked.number : 0, &last}, row);
  table_close(table, NoLock);
  if (raised == Raised::kNoMember) return false;
  settle_marks(reads, marked.key, read ? Min(marked.number, last) : 0, last, row);
  return true;
}

// Is it the member's own? Then it is read already, and counted so.
bool is_own(const Reads& reads, const StateKey& key, int64 number) {
  return !reads.own_messages_read &&
         count_own_messages(reads, key, number - 1) > count_own_messages(reads, key, number);
}

bool is_removed(const Reads& reads, Datum conversation, int64 last, int64 number) {
  Relation table = table_open(reads.skipped_numbers, AccessShareLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  SkipLookup lookup(reads, table, slot, conversation, snapshot);
  const bool removed = core::skip_kind_of(lookup, last, number) == core::SkipKind::kRemoved;
  UnregisterSnapshot(snapshot);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  return removed;
}

}  // namespace
}  // namespace chatopt::reads

using namespace chatopt::reads;

// mark_delivered(messages, conversation, member, upto) -> bigint
Datum chatopt_reads_mark_delivered(PG_FUNCTION_ARGS) {
  Marked marked;
  StateRow row;
  if (!read_arguments(fcinfo, "chatopt.mark_delivered()", "upto", &marked) || !move(marked, false, &row))
    PG_RETURN_NULL();
  PG_RETURN_INT64(row.delivered);
}

// mark_read(messages, conversation, member, upto) -> bigint
Datum chatopt_reads_mark_read(PG_FUNCTION_ARGS) {
  Marked marked;
  StateRow row;
  if (!read_arguments(fcinfo, "chatopt.mark_read()", "upto", &marked) || !move(marked, true, &row)) PG_RETURN_NULL();
  PG_RETURN_INT64(row.read);
}

// mark_unread(messages, conversation, member, from_seq) -> bigint
Datum chatopt_reads_mark_unread(PG_FUNCTION_ARGS) {
  Marked marked;
  if (!read_arguments(fcinfo, "chatopt.mark_unread()", "from_seq", &marked)) PG_RETURN_NULL();
  const Reads& reads = *marked.call->reads;
  Relation table = table_open(reads.read_state, RowExclusiveLock);
  StateRow row;
  const bool found = lock_state(reads, table, marked.key, &row);
  table_close(table, NoLock);
  if (!found) PG_RETURN_NULL();
  const int64 before = marked.number <= row.joined ? row.joined : marked.number - 1;
  if (before >= row.read) {
    clear_unread_mark(reads, marked.key);
    PG_RETURN_INT64(row.read);
  }
  set_unread_mark(reads, marked.key, before);
  PG_RETURN_INT64(before);
}

// ack_message(messages, conversation, member, seq, status) -> bigint
Datum chatopt_reads_ack_message(PG_FUNCTION_ARGS) {
  Marked marked;
  const bool given = read_arguments(fcinfo, "chatopt.ack_message()", "seq", &marked);
  if (PG_ARGISNULL(4)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("status must not be null")));
  const Status status = status_of(PG_GETARG_DATUM(4));
  const Reads& reads = *marked.call->reads;
  int64 last;
  if (!given || !newest_last_number(*reads.chat, marked.key.conversation, &last)) PG_RETURN_NULL();
  Relation table = table_open(reads.read_state, RowExclusiveLock);
  StateRow row;
  const bool found = lock_state(reads, table, marked.key, &row);
  if (found && status != Status::kSent && marked.number >= 1 && marked.number <= last &&
      !is_removed(reads, marked.key.conversation, last, marked.number) && !is_own(reads, marked.key, marked.number))
    acknowledge(reads, table, marked.key,
                status == Status::kSeen ? chatopt::core::Mark::kRead : chatopt::core::Mark::kDelivered, marked.number,
                last, &row);
  table_close(table, NoLock);
  if (!found) PG_RETURN_NULL();
  PG_RETURN_INT64(status == Status::kSeen ? row.read : row.delivered);
}
