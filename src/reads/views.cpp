// chatopt.add_views() and view_count(): how often a message was viewed, without a row that everybody waits for. A message's
// views are spread over rows, its slots: a session adds to the first from its own on whose row nobody has locked.

#include "pg/row_finder.hpp"
#include "pg/row_writer.hpp"
#include "reads/call.hpp"
#include "reads/conversation_row.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_add_views);
PG_FUNCTION_INFO_V1(chatopt_reads_view_count);
PGDLLEXPORT Datum chatopt_reads_add_views(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_view_count(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

constexpr int64 kMostNumbers = 1000;
constexpr int kFirstSlots = 16;  // sessions begin in these
constexpr int kSlots = 64;

struct Adding {
  const Reads* reads;
  Relation table;
  TupleTableSlot* slot;
  pg::RowWriter writer;
  Datum conversation;
  uint32 hash;     // of the conversation
  uint64 making;   // slots in which this call may make rows
  int64 by;
};

// Nobody waits for who makes a row: an insert into a unique index would. Whoever makes rows in a slot of a conversation
// keeps others from it, until the transaction ends.
bool may_make(Adding* adding, int slot) {
  const uint64 bit = uint64{1} << slot;
  if ((adding->making & bit) != 0) return true;
  LOCKTAG tag;
  tag.locktag_field1 = MyDatabaseId;
  tag.locktag_field2 = adding->reads->views;
  tag.locktag_field3 = adding->hash;
  tag.locktag_field4 = static_cast<uint16>(slot);
  tag.locktag_type = LOCKTAG_USERLOCK;
  tag.locktag_lockmethodid = USER_LOCKMETHOD;
  if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL) return false;
  adding->making |= bit;
  return true;
}

void make_row(Adding* adding, int64 number, int slot) {
  pg::RowValues row = pg::new_row(adding->table);
  row.set(view::kConversation, adding->conversation);
  row.set(view::kNumber, Int64GetDatum(number));
  row.set(view::kSlot, Int16GetDatum(static_cast<int16>(slot)));
  row.set(view::kViews, Int64GetDatum(adding->by));
  pg::insert_row(&adding->writer, row);
}

// To the row in the adding's slot, which is locked.
void add_to_row(Adding* adding) {
  bool null;
  const int64 views = DatumGetInt64(slot_getattr(adding->slot, view::kViews, &null));
  int64 sum;
  if (pg_add_s64_overflow(views, adding->by, &sum))
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("too many views")));
  const pg::ColumnValue value = {view::kViews, Int64GetDatum(sum), false};
  ItemPointerData place = adding->slot->tts_tid;
  if (!pg::write_row(&adding->writer, &place, &value, 1, adding->slot))
    elog(ERROR, "row of table \"%s\" was changed under its lock", RelationGetRelationName(adding->table));
}

// Under REPEATABLE READ a row that was changed since the snapshot is not this transaction's to change; another slot is.
bool changed_since_snapshot(TupleTableSlot* slot) {
  if (!IsolationUsesXactSnapshot()) return false;
  bool null;
  const auto xmin = DatumGetTransactionId(slot_getsysattr(slot, MinTransactionIdAttributeNumber, &null));
  return TransactionIdIsNormal(xmin) && !TransactionIdIsCurrentTransactionId(xmin) &&
         XidInMVCCSnapshot(xmin, GetTransactionSnapshot());
}

// False: somebody else is at it.
bool add_in_slot(Adding* adding, int64 number, int slot) {
  const Datum keys[] = {adding->conversation, Int64GetDatum(number), Int16GetDatum(static_cast<int16>(slot))};
  const pg::RowFinder& finder = adding->reads->view;
  pg::RowLock lock = pg::find_and_lock(finder, adding->table, keys, LockWaitSkip, adding->slot);
  if (lock == pg::RowLock::kGone) {
    if (!may_make(adding, slot)) return false;
    // Made by somebody who has let go of the slot since.
    lock = pg::find_and_lock(finder, adding->table, keys, LockWaitSkip, adding->slot);
    if (lock == pg::RowLock::kGone) {
      make_row(adding, number, slot);
      return true;
    }
  }
  if (lock != pg::RowLock::kLocked || changed_since_snapshot(adding->slot)) return false;
  add_to_row(adding);
  return true;
}

void add_one(Adding* adding, int64 number) {
  const auto first = static_cast<int>(hash_bytes_uint32(static_cast<uint32>(MyProcPid)) % kFirstSlots);
  for (int i = 0; i < kSlots; ++i)
    if (add_in_slot(adding, number, (first + i) % kSlots)) return;
  ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                  errmsg("all %d rows for views of message %lld are locked", kSlots, static_cast<long long>(number)),
                  errhint("Commit soon after chatopt.add_views().")));
}

uint32 hash_of(const Reads& reads, Datum conversation) {
  const auto image = pg::image_of(&conversation, reads.conversation_type);
  return hash_bytes(reinterpret_cast<const unsigned char*>(image.data()), static_cast<int>(image.size()));
}

void add_all(const Reads& reads, Datum conversation, int64 from, int64 to, int64 by) {
  Relation table = table_open(reads.views, RowExclusiveLock);
  Adding adding = {&reads, table, table_slot_create(table, nullptr), pg::open_writer(table), conversation,
                   hash_of(reads, conversation), 0, by};
  for (int64 number = from; number <= to; ++number) {
    CHECK_FOR_INTERRUPTS();
    add_one(&adding, number);
  }
  pg::close_writer(&adding.writer);
  ExecDropSingleTupleTableSlot(adding.slot);
  table_close(table, NoLock);
  // A second call in the same statement is to meet what this one wrote.
  CommandCounterIncrement();
}

void check_views(const Call* call, AclMode mode) {
  const Oid views = call->reads->views;
  if (!OidIsValid(views))
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("views of table \"%s\" are not counted", get_rel_name(call->messages)),
                    errhint("Call chatopt.track_reads with views => true.")));
  if (pg_class_aclmask(views, GetUserId(), mode, ACLMASK_ALL) != mode)
    aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(views));
}

void check_numbers(int64 from, int64 to, int32 by) {
  if (by < 1)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("by must be at least 1")));
  if (to >= from && static_cast<uint64>(to) - static_cast<uint64>(from) >= kMostNumbers)
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("too many messages: at most %d a call", static_cast<int>(kMostNumbers)),
                    errhint("Call chatopt.add_views for what was on the screen.")));
}

}  // namespace
}  // namespace chatopt::reads

using namespace chatopt::reads;

// add_views(messages, conversation, from_seq, to_seq, by)
Datum chatopt_reads_add_views(PG_FUNCTION_ARGS) {
  Call* call = ready_call(fcinfo, true, false);
  check_writable(call, "chatopt.add_views()");
  check_views(call, ACL_INSERT | ACL_UPDATE);
  int64 from = number_argument(fcinfo, 2, "from_seq");
  int64 to = number_argument(fcinfo, 3, "to_seq");
  if (PG_ARGISNULL(4)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("by must not be null")));
  check_numbers(from, to, PG_GETARG_INT32(4));
  Datum conversation;
  int64 last;
  if (!key_argument(fcinfo, call, 1, &conversation) ||
      !newest_last_number(*call->reads->chat, conversation, &last))
    PG_RETURN_VOID();
  from = Max(from, 1);
  to = Min(to, last);
  if (from <= to) add_all(*call->reads, conversation, from, to, PG_GETARG_INT32(4));
  PG_RETURN_VOID();
}

// view_count(messages, conversation, seq) -> bigint
Datum chatopt_reads_view_count(PG_FUNCTION_ARGS) {
  Call* call = ready_call(fcinfo, true, false);
  check_views(call, ACL_SELECT);
  Datum keys[2];
  if (!key_argument(fcinfo, call, 1, &keys[0]) || PG_ARGISNULL(2)) PG_RETURN_NULL();
  keys[1] = PG_GETARG_DATUM(2);
  Relation table = table_open(call->reads->views, AccessShareLock);
  chatopt::pg::RowScan scan = chatopt::pg::begin_scan(call->reads->view, table, keys, 2, GetActiveSnapshot());
  int64 views = 0;
  while (chatopt::pg::next_row(&scan)) {
    bool null;
    views += DatumGetInt64(slot_getattr(scan.slot, view::kViews, &null));
  }
  chatopt::pg::end_scan(&scan);
  table_close(table, NoLock);
  PG_RETURN_INT64(views);
}
