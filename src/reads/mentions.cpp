// chatopt.mention_count() and unread_mentions().

#include "reads/mentions.hpp"

#include "core/reads/skip_tree.hpp"
#include "pg/row_finder.hpp"
#include "reads/acks.hpp"
#include "reads/call.hpp"
#include "reads/skip_rows.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_mention_count);
PG_FUNCTION_INFO_V1(chatopt_reads_unread_mentions);
PGDLLEXPORT Datum chatopt_reads_mention_count(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_unread_mentions(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {

struct MentionScan {
  const Reads* reads;
  const UnreadTables* tables;
  StateKey key;
  int64 last;
  bool skips;  // some numbers are skipped
  bool acks;   // some are acknowledged out of order
  AckLookup acknowledged;
  pg::RowScan rows;
};

namespace {

bool is_read(MentionScan* scan, int64 number) {
  if (scan->acks && holds_ack(&scan->acknowledged, number)) return true;
  if (!scan->skips) return false;
  SkipLookup lookup(*scan->reads, scan->tables->skipped, scan->tables->skipped_slot, scan->key.conversation,
                    scan->tables->snapshot);
  return core::skip_kind_of(lookup, scan->last, number) != core::SkipKind::kCounted;
}

}  // namespace

MentionScan* begin_mentions(const Reads& reads, const UnreadTables& tables, const StateKey& key, const Unread& unread) {
  auto* scan = static_cast<MentionScan*>(palloc0(sizeof(MentionScan)));
  scan->reads = &reads;
  scan->tables = &tables;
  scan->key = key;
  scan->last = unread.last;
  scan->skips = unread.skips;
  scan->acks = unread.acks;
  if (unread.acks) scan->acknowledged = begin_acks(reads, tables.marks, key, tables.snapshot);
  const Datum keys[] = {key.member, key.conversation};
  scan->rows = pg::begin_scan_from(reads.mention, tables.mentions, keys, 2, unread.position + 1, tables.snapshot);
  return scan;
}

int64 next_mention(MentionScan* scan) {
  while (pg::next_row(&scan->rows)) {
    bool null;
    const int64 number = DatumGetInt64(slot_getattr(scan->rows.slot, mention::kNumber, &null));
    if (number <= scan->last && !is_read(scan, number)) return number;
    CHECK_FOR_INTERRUPTS();
  }
  return 0;
}

void end_mentions(MentionScan* scan) {
  pg::end_scan(&scan->rows);
  if (scan->acks) end_acks(&scan->acknowledged);
  pfree(scan);
}

bool mentions_known(const Reads& reads, const UnreadTables& tables, const StateKey& key, const Unread& unread) {
  if (!OidIsValid(reads.mentions) || !unread.known) return false;
  if (!reads.filling || unread.position >= unread.last) return true;
  return pg::find_row_seen(reads.head, tables.heads, &key.conversation, tables.snapshot, tables.head_slot) &&
         slot_attisnull(tables.head_slot, head::kFilledUpto);
}

int64 count_mentions(const Reads& reads, const UnreadTables& tables, const StateKey& key, const Unread& unread) {
  if (unread.position >= unread.last) return 0;
  int64 count = 0;
  MentionScan* scan = begin_mentions(reads, tables, key, unread);
  while (next_mention(scan) != 0) ++count;
  end_mentions(scan);
  return count;
}

namespace {

void check_kept(const Call* call) {
  if (!OidIsValid(call->reads->mentions))
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("mentions in table \"%s\" are not kept", get_rel_name(call->messages)),
                    errhint("Call chatopt.track_reads with mentions => '...'.")));
}

// What is unread of the arguments (messages, conversation, member), if its mentions are known: then the tables are
// open.
struct Asked {
  StateKey key;
  UnreadTables tables;
  Unread unread;
};
bool ask(FunctionCallInfo fcinfo, Call* call, Asked* asked) {
  check_may_read(call);
  check_kept(call);
  if (!key_argument(fcinfo, call, 1, &asked->key.conversation) || !key_argument(fcinfo, call, 2, &asked->key.member))
    return false;
  const Reads& reads = *call->reads;
  StateRow row;
  if (!find_open_state(call, asked->key, &row)) return false;
  asked->tables = open_unread_tables(reads, GetActiveSnapshot());
  asked->unread = count_unread(reads, asked->tables, asked->key, row);
  if (mentions_known(reads, asked->tables, asked->key, asked->unread)) return true;
  close_unread_tables(&asked->tables);
  return false;
}

}  // namespace
}  // namespace chatopt::reads

using namespace chatopt::reads;

// mention_count(messages, conversation, member) -> bigint
Datum chatopt_reads_mention_count(PG_FUNCTION_ARGS) {
  Call* call = ready_call(fcinfo, true, true);
  Asked asked;
  if (!ask(fcinfo, call, &asked)) PG_RETURN_NULL();
  const int64 count = count_mentions(*call->reads, asked.tables, asked.key, asked.unread);
  close_unread_tables(&asked.tables);
  PG_RETURN_INT64(count);
}

// unread_mentions(messages, conversation, member) -> SETOF bigint
Datum chatopt_reads_unread_mentions(PG_FUNCTION_ARGS) {
  Call* call = ready_call(fcinfo, true, true);
  InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Asked asked;
  if (!ask(fcinfo, call, &asked)) return Datum{0};
  if (asked.unread.position < asked.unread.last) {
    MentionScan* scan = begin_mentions(*call->reads, asked.tables, asked.key, asked.unread);
    for (int64 number = next_mention(scan); number != 0; number = next_mention(scan)) {
      Datum value = Int64GetDatum(number);
      bool null = false;
      tuplestore_putvalues(result->setResult, result->setDesc, &value, &null);
    }
    end_mentions(scan);
  }
  close_unread_tables(&asked.tables);
  return Datum{0};
}
