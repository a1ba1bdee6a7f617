// chatopt.mark_delivered(), mark_read(), mark_unread(): one row of the read state
// each, and no counter: readers wait neither for senders nor for one another.

#include "reads/call.hpp"
#include "reads/conversation_row.hpp"
#include "reads/marks.hpp"
#include "reads/state_row.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_mark_delivered);
PG_FUNCTION_INFO_V1(chatopt_reads_mark_read);
PG_FUNCTION_INFO_V1(chatopt_reads_mark_unread);
PGDLLEXPORT Datum chatopt_reads_mark_delivered(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_mark_read(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_mark_unread(PG_FUNCTION_ARGS);
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

// A client may be ahead of what is stored: a mark goes no further than the last message.
int64 clamped(const Reads& reads, Datum conversation, int64 upto) {
  int64 last;
  return newest_last_number(*reads.chat, conversation, &last) ? Min(upto, last) : 0;
}

bool move(const Marked& marked, bool read, StateRow* row) {
  const Reads& reads = *marked.call->reads;
  const int64 upto = clamped(reads, marked.key.conversation, marked.number);
  Relation table = table_open(reads.read_state, RowExclusiveLock);
  const bool found = raise_positions(reads, table, marked.key, upto, read ? upto : 0, row);
  table_close(table, NoLock);
  if (found && read) settle_marks(reads, marked.key, upto);
  return found;
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
