#include "reads/settling.hpp"

#include "core/reads/skip_tree.hpp"
#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"
#include "pg/row_finder.hpp"
#include "reads/following.hpp"
#include "reads/membership.hpp"
#include "reads/state_row.hpp"

namespace chatopt::reads {
namespace {

// A query or command on one conversation, $1; $2 and $3 are numbers.
uint64 run(const Reads& reads, const char* sql, Datum conversation, int64 a, int64 b = 0) {
  Oid types[] = {reads.conversation_type.type, INT8OID, INT8OID};
  Datum values[] = {conversation, Int64GetDatum(a), Int64GetDatum(b)};
  if (SPI_execute_with_args(sql, lengthof(types), types, values, nullptr, false, 0) < 0)
    elog(ERROR, "query of the read state failed");
  return SPI_processed;
}

// The same, of which only the number of rows is wanted.
uint64 count_of(const Reads& reads, const char* sql, Datum conversation, int64 last) {
  const uint64 count = run(reads, sql, conversation, last);
  SPI_freetuptable(SPI_tuptable);
  return count;
}

int64 integer_at(SPITupleTable* rows, uint64 row, int column, int64 if_null) {
  bool null;
  const Datum value = SPI_getbinval(rows->vals[row], rows->tupdesc, column, &null);
  return null ? if_null : DatumGetInt64(value);
}

bool lock_unless_busy(const Reads& reads, Relation table, const StateKey& key) {
  const Datum keys[] = {key.member, key.conversation};
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  const pg::RowLock lock = pg::find_and_lock(reads.open_state, table, keys, LockWaitSkip, slot);
  ExecDropSingleTupleTableSlot(slot);
  return lock != pg::RowLock::kBusy;
}

// Locks those of the conversation's rows that the condition on s names, and tells how many. False: one is busy.
bool lock_states(const Reads& reads, Datum conversation, int64 last, const char* condition, uint64* count) {
  const char* rows = psprintf("SELECT FROM %s AS s WHERE s.conversation_id = $1 AND (%s)",
                              counters::qualified_name(reads.read_state), condition);
  *count = count_of(reads, rows, conversation, last);
  return *count == 0 ||
         *count == count_of(reads, psprintf("%s ORDER BY s.member_id, s.joined_seq FOR UPDATE SKIP LOCKED", rows),
                            conversation, last);
}

// Of two memberships that are open only the later is.
const char* outlived(const Reads& reads) {
  return psprintf(
      "s.left_seq IS NULL AND EXISTS (SELECT FROM %s AS o WHERE o.member_id = s.member_id AND o.conversation_id = "
      "s.conversation_id AND o.left_seq IS NULL AND o.joined_seq > s.joined_seq)",
      counters::qualified_name(reads.read_state));
}

// Positions that cannot be are lowered to what can; none is raised above where its membership begins.
bool cut_positions(const Reads& reads, Datum conversation, int64 last) {
  uint64 wrong;
  const char* ended = outlived(reads);
  const char* cannot_be = impossible_positions("$2");
  if (!lock_states(reads, conversation, last, psprintf("%s OR %s", cannot_be, ended), &wrong)) return false;
  if (wrong == 0) return true;
  const char* table = counters::qualified_name(reads.read_state);
  (void)run(reads,
            psprintf("UPDATE %s AS s SET left_seq = greatest(s.joined_seq, $2) WHERE s.conversation_id = $1 AND %s",
                     table, ended),
            conversation, last);
  // What was over before it began, by the conversation's numbers, and would get in the way of what is open.
  (void)run(
      reads,
      psprintf("DELETE FROM %s AS s WHERE s.conversation_id = $1 AND s.left_seq IS NOT NULL AND (s.joined_seq > $2 OR "
               "(s.joined_seq = $2 AND EXISTS (SELECT FROM %s AS o WHERE o.member_id = s.member_id AND "
               "o.conversation_id = $1 AND o.left_seq IS NULL AND o.joined_seq > $2)))",
               table, table),
      conversation, last);
  (void)run(
      reads,
      psprintf(
          "UPDATE %s AS s SET joined_seq = v.first, left_seq = v.final, delivered_seq = v.delivered, read_seq = "
          "greatest(v.first, least(s.read_seq, v.delivered)) FROM (SELECT u.*, greatest(u.first, "
          "least(u.delivered_seq, u.final, $2)) AS delivered FROM (SELECT t.*, least(t.joined_seq, $2) AS first, CASE "
          "WHEN t.left_seq IS NOT NULL THEN greatest(least(t.joined_seq, $2), least(t.left_seq, $2)) END AS final FROM "
          "%s AS t WHERE t.conversation_id = $1) AS u) AS v WHERE s.conversation_id = $1 AND s.member_id = v.member_id "
          "AND s.joined_seq = v.joined_seq AND (%s)",
          table, table, cannot_be),
      conversation, last);
  return true;
}

// The earlier member keeps the slot.
bool share_out_slots(const Reads& reads, Datum conversation, Head* head) {
  const char* table = counters::qualified_name(reads.read_state);
  const uint64 count =
      run(reads,
          psprintf("SELECT s.member_id FROM (SELECT t.member_id, row_number() OVER (PARTITION BY t.slot ORDER BY "
                   "min(t.joined_seq), t.member_id) AS place FROM %s AS t WHERE t.conversation_id = $1 GROUP BY "
                   "t.member_id, t.slot) AS s WHERE s.place > 1 GROUP BY s.member_id ORDER BY s.member_id",
                   table),
          conversation, 0);
  SPITupleTable* rows = SPI_tuptable;
  for (uint64 i = 0; i < count; ++i) {
    bool null;
    Oid types[] = {reads.conversation_type.type, reads.member_type.type, INT4OID};
    Datum values[] = {conversation, SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &null),
                      Int32GetDatum(head->next_slot)};
    const auto execute = [&](const char* sql) {
      if (SPI_execute_with_args(sql, lengthof(types), types, values, nullptr, false, 0) < 0)
        elog(ERROR, "query of the read state failed");
      return SPI_processed;
    };
    const char* all = psprintf("SELECT FROM %s WHERE conversation_id = $1 AND member_id = $2", table);
    if (execute(psprintf("%s FOR UPDATE SKIP LOCKED", all)) != execute(all)) return false;
    (void)execute(psprintf("UPDATE %s SET slot = $3 WHERE conversation_id = $1 AND member_id = $2", table));
    head->next_slot += 1;
  }
  SPI_freetuptable(rows);
  return true;
}

// Puts the rows that are there in order.
bool tidy(const Reads& reads, Datum conversation, int64 last, Head* head) {
  const char* sql = psprintf(
      "SELECT max(slot)::bigint, count(*) FILTER (WHERE left_seq IS NULL) FROM %s WHERE conversation_id = $1",
      counters::qualified_name(reads.read_state));
  if (!cut_positions(reads, conversation, last)) return false;
  (void)run(reads, sql, conversation, last);
  head->next_slot = Max(head->next_slot, static_cast<int32>(integer_at(SPI_tuptable, 0, 1, -1)) + 1);
  head->members = static_cast<int32>(integer_at(SPI_tuptable, 0, 2, 0));
  SPI_freetuptable(SPI_tuptable);
  return share_out_slots(reads, conversation, head);
}

// Members without an open membership, and open memberships of nobody: (member, joins).
const char* differences(const Reads& reads) {
  const counters::Chat& chat = *reads.chat;
  const counters::Source& source = *counters::source_of(chat.members);
  const char* member = counters::quoted_column(chat.members, source.key);
  return psprintf(
      "SELECT coalesce(m.member, s.member_id), s.member_id IS NULL FROM (SELECT DISTINCT new.%s AS member FROM %s AS "
      "new WHERE new.%s = $1 AND new.%s IS NOT NULL AND (%s)) AS m FULL JOIN (SELECT member_id FROM %s WHERE "
      "conversation_id = $1 AND left_seq IS NULL) AS s ON s.member_id = m.member WHERE s.member_id IS NULL OR m.member "
      "IS NULL ORDER BY 1",
      member, counters::qualified_name(chat.members), counters::quoted_column(chat.members, source.conversation),
      member, counters::counted_condition(chat.members, "new"), counters::qualified_name(reads.read_state));
}

// Has anybody been a member, of those whose rows are kept?
bool any_memberships(const Reads& reads, Relation table, Datum conversation) {
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  pg::RowScan scan = pg::begin_scan(reads.members, table, &conversation, 1, snapshot);
  const bool any = pg::next_row(&scan);
  pg::end_scan(&scan);
  UnregisterSnapshot(snapshot);
  return any;
}

Datum member_at(SPITupleTable* rows, uint64 row) {
  bool null;
  return SPI_getbinval(rows->vals[row], rows->tupdesc, 1, &null);
}

bool join_or_leave(const Reads& reads, Relation table, const StateKey& key, bool joins, int64 last, Head* head) {
  if (joins)
    join(reads, table, key, last, head);
  else if (!lock_unless_busy(reads, table, key))
    return false;
  else
    leave(reads, table, key, last, head);
  return true;
}

bool reconcile(const Reads& reads, Relation table, Datum conversation, int64 last, bool first, Head* head) {
  const uint64 count = run(reads, differences(reads), conversation, last);
  SPITupleTable* rows = SPI_tuptable;
  bool through = true;
  if (first) {
    auto* members = static_cast<Datum*>(MemoryContextAllocHuge(CurrentMemoryContext, (count + 1) * sizeof(Datum)));
    for (uint64 i = 0; i < count; ++i) members[i] = member_at(rows, i);
    join_first(table, conversation, members, count, last, head);
  }
  for (uint64 i = 0; !first && through && i < count; ++i) {
    bool null;
    const bool joins = DatumGetBool(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &null));
    through = join_or_leave(reads, table, {member_at(rows, i), conversation}, joins, last, head);
    CHECK_FOR_INTERRUPTS();
  }
  SPI_freetuptable(rows);
  return through;
}

// A mark that somebody is writing now is not useless.
void drop_useless_marks(const Reads& reads, Datum conversation, int64 last) {
  const char* marks = counters::qualified_name(reads.read_marks);
  (void)run(
      reads,
      psprintf("DELETE FROM %s WHERE ctid = ANY (ARRAY(SELECT m.ctid FROM %s AS m WHERE m.conversation_id = $1 AND %s "
               "FOR UPDATE SKIP LOCKED))",
               marks, marks, useless_mark(reads)),
      conversation, last);
}

const char* schema_of_sets(const Reads& reads) {
  HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(get_atttype(reads.read_marks, mark::kRead)));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for the type of table %u", reads.read_marks);
  const Oid schema = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typnamespace;
  ReleaseSysCache(tuple);
  return quote_identifier(get_namespace_name(schema));
}

// Members and the greatest number of their own among these messages, where it is not read.
const char* unread_own(const Reads& reads) {
  const counters::Chat& chat = *reads.chat;
  const counters::Source& source = *counters::source_of(chat.messages);
  const auto column = [&](AttrNumber attribute) { return counters::quoted_column(chat.messages, attribute); };
  return psprintf(
      "SELECT s.member_id, max(new.%s)::bigint FROM %s AS s JOIN %s AS new ON new.%s = s.member_id WHERE "
      "s.conversation_id = $1 AND s.left_seq IS NULL AND new.%s = $1 AND new.%s > $2 AND new.%s <= $3 AND new.%s > "
      "s.read_seq AND (%s)%s AND NOT %s GROUP BY s.member_id ORDER BY s.member_id",
      column(source.number), counters::qualified_name(reads.read_state), counters::qualified_name(chat.messages),
      column(source.sender), column(source.conversation), column(source.number), column(source.number),
      column(source.number), counters::counted_condition(chat.messages, "new"), counters::purged_condition_now(chat, "new"),
      is_acknowledged(reads, psprintf("new.%s", column(source.number)), "s"));
}

bool read_own_in(const Reads& reads, Relation table, Datum conversation, int64 after, int64 upto) {
  const uint64 count = run(reads, unread_own(reads), conversation, after, upto);
  SPITupleTable* rows = SPI_tuptable;
  bool through = true;
  for (uint64 i = 0; through && i < count; ++i) {
    const StateKey key = {member_at(rows, i), conversation};
    if ((through = lock_unless_busy(reads, table, key))) read_own(reads, table, key, integer_at(rows, i, 2, 0), upto);
  }
  SPI_freetuptable(rows);
  return through;
}

}  // namespace

const char* impossible_positions(const char* last) {
  return psprintf(
      "NOT (s.joined_seq <= s.read_seq AND s.read_seq <= s.delivered_seq AND s.delivered_seq <= coalesce(s.left_seq, "
      "%s) AND coalesce(s.left_seq, %s) <= %s)",
      last, last, last);
}

const char* is_acknowledged(const Reads& reads, const char* number, const char* alias) {
  return psprintf(
      "EXISTS (SELECT FROM %s AS k WHERE k.member_id = %s.member_id AND k.conversation_id = %s.conversation_id AND "
      "k.chunk = (%s::bigint - 1) / %d AND k.read OPERATOR(%s.@>) ((%s::bigint - 1) %% %d))",
      counters::qualified_name(reads.read_marks), alias, alias, number, static_cast<int>(core::kSkipLeafNumbers),
      schema_of_sets(reads), number, static_cast<int>(core::kSkipLeafNumbers));
}

const char* useless_mark(const Reads& reads) {
  return psprintf(
      "m.chunk = -1 AND NOT EXISTS (SELECT FROM %s AS s WHERE s.member_id = m.member_id AND s.conversation_id = "
      "m.conversation_id AND s.left_seq IS NULL AND m.unread_seq < s.read_seq)",
      counters::qualified_name(reads.read_state));
}

bool read_own_of(const Reads& reads, Datum conversation, int64 after, int64 upto) {
  if (!reads.own_messages_read || upto == after) return true;
  Relation table = table_open(reads.read_state, RowExclusiveLock);
  const bool through =
      !any_memberships(reads, table, conversation) || read_own_in(reads, table, conversation, after, upto);
  table_close(table, NoLock);
  return through;
}

bool settle(const Reads& reads, Datum conversation, int64 last, Head* head) {
  Relation table = table_open(reads.read_state, RowExclusiveLock);
  const bool first = !any_memberships(reads, table, conversation);
  if (first) head->members = 0;
  const bool through =
      (first || tidy(reads, conversation, last, head)) && reconcile(reads, table, conversation, last, first, head);
  table_close(table, NoLock);
  if (through && !first) drop_useless_marks(reads, conversation, last);
  return through;
}

}  // namespace chatopt::reads
