// chatopt.unread_count() and unread_counts().

#include "reads/unread.hpp"

#include "core/reads/unread.hpp"
#include "counters/queries.hpp"
#include "reads/acks.hpp"
#include "reads/call.hpp"
#include "reads/conversation_row.hpp"
#include "reads/marks.hpp"
#include "reads/mentions.hpp"
#include "reads/own_messages.hpp"
#include "reads/skip_rows.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_unread_count);
PG_FUNCTION_INFO_V1(chatopt_reads_unread_counts);
PGDLLEXPORT Datum chatopt_reads_unread_count(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_unread_counts(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

bool is_filled(const Reads& reads, const UnreadTables& tables, Datum conversation) {
  if (!pg::find_row_seen(reads.head, tables.heads, &conversation, tables.snapshot, tables.head_slot)) return false;
  bool null;
  const Datum upto = slot_getattr(tables.head_slot, head::kFilledUpto, &null);
  return null || DatumGetInt64(upto) < 0;  // at most mentions are left
}

}  // namespace

UnreadTables open_unread_tables(const Reads& reads, Snapshot snapshot) {
  UnreadTables tables;
  tables.snapshot = snapshot;
  tables.counters = table_open(reads.chat->counters, AccessShareLock);
  tables.heads = table_open(reads.read_heads, AccessShareLock);
  tables.skipped = table_open(reads.skipped_numbers, AccessShareLock);
  tables.marks = table_open(reads.read_marks, AccessShareLock);
  tables.mentions = OidIsValid(reads.mentions) ? table_open(reads.mentions, AccessShareLock) : nullptr;
  tables.counter_slot = table_slot_create(tables.counters, nullptr);
  tables.head_slot = table_slot_create(tables.heads, nullptr);
  tables.skipped_slot = table_slot_create(tables.skipped, nullptr);
  return tables;
}

void close_unread_tables(UnreadTables* tables) {
  ExecDropSingleTupleTableSlot(tables->counter_slot);
  ExecDropSingleTupleTableSlot(tables->head_slot);
  ExecDropSingleTupleTableSlot(tables->skipped_slot);
  table_close(tables->counters, NoLock);
  table_close(tables->heads, NoLock);
  table_close(tables->skipped, NoLock);
  table_close(tables->marks, NoLock);
  if (tables->mentions != nullptr) table_close(tables->mentions, NoLock);
}

Unread count_unread(const Reads& reads, const UnreadTables& tables, const StateKey& key, const StateRow& row) {
  Unread unread = {false, 0, row.read, 0, false, false};
  ConversationRow conversation;
  if (!find_conversation(*reads.chat, tables.counters, key.conversation, tables.snapshot, tables.counter_slot,
                         &conversation))
    return unread;
  unread.last = conversation.last;
  const Marks marks = find_marks(reads, tables.marks, key, tables.snapshot);
  if (marks.unread) unread.position = marks.unread_position;
  unread.skips = conversation.messages != conversation.last;
  unread.acks = !marks.unread && marks.acks;
  unread.known = true;
  if (unread.position >= conversation.last) return unread;
  // Where nothing was ever skipped, no more has to be known.
  unread.known = !unread.skips || is_filled(reads, tables, key.conversation);
  if (!unread.known) return unread;
  SkipLookup lookup(reads, tables.skipped, tables.skipped_slot, key.conversation, tables.snapshot);
  unread.count = core::live_after(lookup, {conversation.last, conversation.messages}, unread.position);
  if (marks.unread || !reads.own_messages_read) unread.count -= count_own_messages(reads, key, unread.position);
  if (unread.acks)
    unread.count -= count_acknowledged(reads, tables.marks, tables.skipped, key, conversation.last, unread.position,
                                       tables.snapshot);
  return unread;
}

bool find_open_state(const Call* call, const StateKey& key, StateRow* row) {
  const Reads& reads = *call->reads;
  if (!visible_to_caller(reads, key)) return false;
  const Datum keys[] = {key.member, key.conversation};
  Relation table = table_open(reads.read_state, AccessShareLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const bool found = pg::find_row_seen(reads.open_state, table, keys, GetActiveSnapshot(), slot);
  if (found) *row = read_state_row(slot);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  return found;
}

}  // namespace chatopt::reads

using namespace chatopt::reads;

// unread_count(messages, conversation, member) -> bigint
Datum chatopt_reads_unread_count(PG_FUNCTION_ARGS) {
  Call* call = ready_call(fcinfo, true, true);
  check_may_read(call);
  StateKey key;
  if (!key_argument(fcinfo, call, 1, &key.conversation) || !key_argument(fcinfo, call, 2, &key.member)) PG_RETURN_NULL();
  const Reads& reads = *call->reads;
  StateRow row;
  Unread unread = {};
  if (find_open_state(call, key, &row)) {
    UnreadTables tables = open_unread_tables(reads, GetActiveSnapshot());
    unread = count_unread(reads, tables, key, row);
    close_unread_tables(&tables);
  }
  if (!unread.known) PG_RETURN_NULL();
  PG_RETURN_INT64(unread.count);
}

// unread_counts(messages, member) -> TABLE (conversation, unread, last_read, last_sequence, mentions)
Datum chatopt_reads_unread_counts(PG_FUNCTION_ARGS) {
  Call* call = ready_call(fcinfo, false, true);
  check_may_read(call);
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  StateKey key;
  if (!key_argument(fcinfo, call, 1, &key.member)) return Datum{0};
  const Reads& reads = *call->reads;
  Relation table = table_open(reads.read_state, AccessShareLock);
  UnreadTables tables = open_unread_tables(reads, GetActiveSnapshot());
  FmgrInfo output = output_of(reads.conversation_type);
  const bool all_visible = sees_all_rows(reads);
  MemoryContext each = AllocSetContextCreate(CurrentMemoryContext, "chatopt unread counts", ALLOCSET_SMALL_SIZES);
  chatopt::pg::RowScan scan = chatopt::pg::begin_scan(reads.states, table, &key.member, 1, tables.snapshot);
  while (chatopt::pg::next_row(&scan)) {
    CHECK_FOR_INTERRUPTS();
    const StateRow row = read_state_row(scan.slot);
    if (!row.open) continue;
    MemoryContext caller = MemoryContextSwitchTo(each);
    bool null;
    key.conversation = slot_getattr(scan.slot, state::kConversation, &null);
    if (all_visible || visible_to_caller(reads, key)) {
      const Unread unread = count_unread(reads, tables, key, row);
      const bool mentions = mentions_known(reads, tables, key, unread);
      Datum values[] = {CStringGetTextDatum(OutputFunctionCall(&output, key.conversation)), Int64GetDatum(unread.count),
                        Int64GetDatum(unread.position), Int64GetDatum(unread.last),
                        Int64GetDatum(mentions ? count_mentions(reads, tables, key, unread) : 0)};
      bool nulls[] = {false, !unread.known, false, false, !mentions};
      tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
    MemoryContextSwitchTo(caller);
    MemoryContextReset(each);
  }
  chatopt::pg::end_scan(&scan);
  MemoryContextDelete(each);
  close_unread_tables(&tables);
  table_close(table, NoLock);
  return Datum{0};
}
