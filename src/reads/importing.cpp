// chatopt._import_reads(), which chatopt.migrate_receipts calls for each member of a
// conversation: writes the memberships, positions and acknowledgements that were worked out
// from receipts of before. The counter is locked, and so are the rows of the member.

#include "counters/config.hpp"
#include "counters/progress.hpp"
#include "pg/row_finder.hpp"
#include "pg/row_writer.hpp"
#include "reads/acks.hpp"
#include "reads/call.hpp"
#include "reads/head_row.hpp"
#include "reads/marks.hpp"
#include "reads/state_row.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_import_reads);
PG_FUNCTION_INFO_V1(chatopt_reads_save_progress);
PGDLLEXPORT Datum chatopt_reads_import_reads(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_save_progress(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

constexpr int kMostPieces = 1000;
constexpr int kFirstPiece = 3;  // argument

struct StoredRows {
  StateRow* rows;
  int count;
};
// The memberships to be, ascending by joined.
struct Pieces {
  StateRow* rows;
  int count;
};

StoredRows stored_rows(const Reads& reads, Relation table, const StateKey& key) {
  constexpr int kAtFirst = 4;
  int room = kAtFirst;
  StoredRows stored = {static_cast<StateRow*>(palloc(kAtFirst * sizeof(StateRow))), 0};
  const Datum keys[] = {key.member, key.conversation};
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  pg::RowScan scan = pg::begin_scan(reads.states, table, keys, 2, snapshot);
  while (pg::next_row(&scan)) {
    if (stored.count == room) {
      room *= 2;
      stored.rows = static_cast<StateRow*>(repalloc_huge(stored.rows, static_cast<Size>(room) * sizeof(StateRow)));
    }
    stored.rows[stored.count++] = read_state_row(scan.slot);
  }
  pg::end_scan(&scan);
  UnregisterSnapshot(snapshot);
  return stored;
}

const StateRow* stored_open(const StoredRows& stored) {
  for (int i = 0; i < stored.count; ++i)
    if (stored.rows[i].open) return &stored.rows[i];
  return nullptr;
}

bool same_row(const StateRow& a, const StateRow& b) {
  return a.joined == b.joined && a.open == b.open && (a.open || a.left == b.left) && a.delivered == b.delivered &&
         a.read == b.read;
}

const StateRow* piece_like(const Pieces& pieces, const StateRow& row) {
  for (int i = 0; i < pieces.count; ++i)
    if (same_row(pieces.rows[i], row)) return &pieces.rows[i];
  return nullptr;
}

bool is_stored(const StoredRows& stored, const StateRow& row) {
  for (int i = 0; i < stored.count; ++i)
    if (same_row(stored.rows[i], row)) return true;
  return false;
}

void insert_row(pg::RowWriter* writer, const StateKey& key, const StateRow& piece) {
  pg::RowValues row = pg::new_row(writer->relation);
  row.set(state::kConversation, key.conversation);
  row.set(state::kMember, key.member);
  row.set(state::kJoined, Int64GetDatum(piece.joined));
  if (!piece.open) row.set(state::kLeft, Int64GetDatum(piece.left));
  row.set(state::kDelivered, Int64GetDatum(piece.delivered));
  row.set(state::kRead, Int64GetDatum(piece.read));
  if (!piece.updated_at_null) row.set(state::kUpdatedAt, TimestampTzGetDatum(piece.updated_at));
  row.set(state::kSlot, Int32GetDatum(piece.slot));
  pg::insert_row(writer, row);
}

// The slot of a member who is known, else the next one.
int32 slot_of(const Reads& reads, const StateKey& key, const StoredRows& stored) {
  Head head;
  if (!find_head(reads, key.conversation, &head) || !head.filled)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("a conversation of table \"%s\" is not tracked yet", get_rel_name(reads.chat->messages)),
                    errhint("CALL chatopt.backfill first.")));
  if (stored.count > 0) return stored.rows[0].slot;
  const int32 slot = head.next_slot++;
  write_head(reads, key.conversation, head);
  return slot;
}

void delete_row(const Reads& reads, Relation table, const StateKey& key, int64 joined) {
  const Datum keys[] = {key.member, key.conversation, Int64GetDatum(joined)};
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  if (!pg::find_row(reads.states, table, keys, slot) || !pg::delete_row(table, slot))
    elog(ERROR, "membership in table \"%s\" was changed under its lock", RelationGetRelationName(table));
  ExecDropSingleTupleTableSlot(slot);
}

// Rows that stay as they are are left alone; the others are made anew, since joined is in their key.
bool replace_rows(const Reads& reads, Relation table, const StateKey& key, const StoredRows& stored, const Pieces& pieces) {
  bool changed = false;
  for (int i = 0; i < stored.count; ++i) {
    if (piece_like(pieces, stored.rows[i]) != nullptr) continue;
    delete_row(reads, table, key, stored.rows[i].joined);
    changed = true;
  }
  CommandCounterIncrement();
  pg::RowWriter writer = pg::open_writer(table);
  for (int i = 0; i < pieces.count; ++i) {
    if (is_stored(stored, pieces.rows[i])) continue;
    insert_row(&writer, key, pieces.rows[i]);
    changed = true;
  }
  pg::close_writer(&writer);
  CommandCounterIncrement();
  return changed;
}

// An unread mark is below the read position, or there is none.
void settle_unread(const Reads& reads, const StateKey& key, int64 read) {
  Relation table = table_open(reads.read_marks, RowExclusiveLock);
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  const Marks marks = find_marks(reads, table, key, snapshot);
  UnregisterSnapshot(snapshot);
  table_close(table, NoLock);
  if (marks.unread && marks.unread_position >= read) clear_unread_mark(reads, key);
}

bool import_rows(const Reads& reads, const StateKey& key, const Pieces& pieces) {
  Relation table = table_open(reads.read_state, RowExclusiveLock);
  const StoredRows stored = stored_rows(reads, table, key);
  const StateRow* open = stored_open(stored);
  const int32 slot = slot_of(reads, key, stored);
  int open_pieces = 0;
  for (int i = 0; i < pieces.count; ++i) {
    StateRow& piece = pieces.rows[i];
    piece.slot = slot;
    piece.updated_at_null = true;
    if (!piece.open) continue;
    ++open_pieces;
    // When the position was reached is known only where it is the same.
    if (open == nullptr || open->read != piece.read) continue;
    piece.updated_at = open->updated_at;
    piece.updated_at_null = open->updated_at_null;
  }
  if (open_pieces != (open == nullptr ? 0 : 1)) elog(ERROR, "an import must not change who is a member");
  const bool changed = replace_rows(reads, table, key, stored, pieces);
  table_close(table, NoLock);
  for (int i = 0; i < pieces.count; ++i)
    if (pieces.rows[i].open) settle_unread(reads, key, pieces.rows[i].read);
  return changed;
}

void check_count(FunctionCallInfo fcinfo, int count) {
  if (count <= kMostPieces) return;
  ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                  errmsg("too many memberships of one member in a conversation: %d", count),
                  errdetail("Member %s of conversation %s has receipts with so many gaps between them; at most %d are kept.",
                            TextDatumGetCString(PG_GETARG_DATUM(2)), TextDatumGetCString(PG_GETARG_DATUM(1)),
                            kMostPieces),
                  errhint("Migrate with split => false: messages in the gaps then count as sent to the member.")));
}

Pieces pieces_argument(FunctionCallInfo fcinfo) {
  const KeyList joined = list_argument(fcinfo, kFirstPiece, "joined");
  const KeyList left = list_argument(fcinfo, kFirstPiece + 1, "left");
  const KeyList delivered = list_argument(fcinfo, kFirstPiece + 2, "delivered");
  const KeyList read = list_argument(fcinfo, kFirstPiece + 3, "read");
  check_count(fcinfo, joined.count);
  if (left.count != joined.count || delivered.count != joined.count || read.count != joined.count)
    elog(ERROR, "memberships to import do not fit together");
  Pieces pieces = {static_cast<StateRow*>(palloc0((static_cast<Size>(joined.count) + 1) * sizeof(StateRow))),
                   joined.count};
  for (int i = 0; i < joined.count; ++i) {
    StateRow& row = pieces.rows[i];
    row.joined = DatumGetInt64(joined.values[i]);
    row.open = left.nulls[i];
    row.left = row.open ? 0 : DatumGetInt64(left.values[i]);
    row.delivered = DatumGetInt64(delivered.values[i]);
    row.read = DatumGetInt64(read.values[i]);
    if (row.joined > row.read || row.read > row.delivered || (!row.open && row.delivered > row.left))
      elog(ERROR, "positions to import are out of order");
  }
  return pieces;
}

// NULL: none.
AckNumbers numbers_argument(FunctionCallInfo fcinfo, int position, const char* name) {
  if (PG_ARGISNULL(position)) return {nullptr, 0};
  const KeyList list = list_argument(fcinfo, position, name);
  auto* numbers = static_cast<int64*>(
      MemoryContextAllocHuge(CurrentMemoryContext, (static_cast<Size>(list.count) + 1) * sizeof(int64)));
  for (int i = 0; i < list.count; ++i) numbers[i] = DatumGetInt64(list.values[i]);
  return {numbers, list.count};
}

}  // namespace
}  // namespace chatopt::reads

using namespace chatopt::reads;

// _import_reads(messages, conversation text, member text, joined bigint[], left bigint[], delivered bigint[],
//   read bigint[], delivered_beyond bigint[], read_beyond bigint[]) -> boolean
Datum chatopt_reads_import_reads(PG_FUNCTION_ARGS) {
  Call* call = ready_call(fcinfo, true, true);
  chatopt::counters::check_owns(call->messages);
  check_writable(call, "chatopt.migrate_receipts()");
  StateKey key;
  if (!key_argument(fcinfo, call, 1, &key.conversation) || !key_argument(fcinfo, call, 2, &key.member))
    PG_RETURN_BOOL(false);
  const Pieces pieces = pieces_argument(fcinfo);
  const AckNumbers delivered = numbers_argument(fcinfo, kFirstPiece + 4, "delivered_beyond");
  const AckNumbers read = numbers_argument(fcinfo, kFirstPiece + 5, "read_beyond");
  const bool moved = import_rows(*call->reads, key, pieces);
  const bool acknowledged = replace_acks(*call->reads, key, delivered, read);
  PG_RETURN_BOOL(moved || acknowledged);
}

// _save_migration(messages, done, total, started_at): done NULL ends it.
Datum chatopt_reads_save_progress(PG_FUNCTION_ARGS) {
  const Oid messages = PG_GETARG_OID(0);
  chatopt::counters::check_owns(messages);
  chatopt::counters::Progress progress = {};
  progress.task = "migrate receipts";
  if (PG_ARGISNULL(1)) {
    chatopt::counters::end_progress(messages, &progress);
    PG_RETURN_VOID();
  }
  progress.done = PG_GETARG_INT64(1);
  progress.total = PG_GETARG_INT64(2);
  progress.started = PG_GETARG_TIMESTAMPTZ(3);
  chatopt::counters::save_progress(messages, &progress);
  PG_RETURN_VOID();
}
