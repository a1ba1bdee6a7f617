// chatopt._drain_receipts(): one batch of a receipt queue.

#include "reads/queue.hpp"

#include "counters/config.hpp"
#include "counters/queries.hpp"
#include "pg/identity.hpp"
#include "reads/batch.hpp"
#include "reads/call.hpp"
#include "reads/status.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_drain_receipts);
PG_FUNCTION_INFO_V1(chatopt_reads_save_queue);
PGDLLEXPORT Datum chatopt_reads_drain_receipts(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_save_queue(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

// Columns of an entry, as the query gives them.
enum Column { kConversation = 1, kMember, kUpto, kStatus, kQueuedAt };

const char* take_query(const char* queue) {
  return psprintf("DELETE FROM %s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %s LIMIT $1 FOR UPDATE SKIP LOCKED)) "
                  "RETURNING conversation_id, member_id, upto, status, queued_at",
                  queue, queue);
}

// The queue is a table of the application's, which may have changed it since: values are taken for what they are.
void check_types(const Reads& reads, Oid queue, TupleDesc descriptor) {
  const Oid wanted[] = {reads.conversation_type.type, reads.member_type.type, INT8OID, TEXTOID, TIMESTAMPTZOID};
  for (int i = 0; i < static_cast<int>(lengthof(wanted)); ++i)
    if (getBaseType(SPI_gettypeid(descriptor, i + 1)) != getBaseType(wanted[i]))
      ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                      errmsg("column \"%s\" of receipt queue \"%s\" is of type %s, not %s",
                             SPI_fname(descriptor, i + 1), get_rel_name(queue),
                             format_type_be(SPI_gettypeid(descriptor, i + 1)), format_type_be(wanted[i])),
                      errhint("Give the column its type back.")));
}

// What an entry says. False: nothing that can be applied. One without a time came now.
bool read_entry(HeapTuple tuple, TupleDesc descriptor, Receipt* receipt) {
  Datum values[kQueuedAt];
  for (int column = kConversation; column <= kQueuedAt; ++column) {
    bool null;
    values[column - 1] = SPI_getbinval(tuple, descriptor, column, &null);
    if (null && column != kQueuedAt) return false;
    if (null) values[column - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
  }
  Status status;
  if (!is_status(values[kStatus - 1], &status)) return false;
  const int64 upto = DatumGetInt64(values[kUpto - 1]);
  receipt->key = {values[kMember - 1], values[kConversation - 1]};
  receipt->delivered = status == Status::kSent ? 0 : upto;
  receipt->read = status == Status::kSeen ? upto : 0;
  receipt->queued_at = DatumGetTimestampTz(values[kQueuedAt - 1]);
  return true;
}

// Back into the queue, with the time they came first.
void put_back(const Reads& reads, const char* queue, const Receipt& receipt) {
  Oid types[] = {reads.conversation_type.type, reads.member_type.type, INT8OID, TEXTOID, TIMESTAMPTZOID};
  const char* sql = psprintf("INSERT INTO %s (conversation_id, member_id, upto, status, queued_at) VALUES ($1, $2, $3, "
                             "$4, $5)",
                             queue);
  const bool read = receipt.read > 0;
  const bool both = read && receipt.delivered > receipt.read;
  for (int i = 0; i < (both ? 2 : 1); ++i) {
    const bool as_read = read && i == 0;
    Datum values[] = {receipt.key.conversation, receipt.key.member,
                      Int64GetDatum(as_read ? receipt.read : receipt.delivered),
                      CStringGetTextDatum(as_read ? "read" : "delivered"), TimestampTzGetDatum(receipt.queued_at)};
    if (SPI_execute_with_args(sql, lengthof(types), types, values, nullptr, false, 0) != SPI_OK_INSERT)
      elog(ERROR, "entry could not go back to its queue");
  }
}

// Waits for nobody: what another drain, not committed yet, holds is left to it.
void note_drained(Oid messages, int64 rejected) {
  Oid types[] = {OIDOID, INT8OID};
  Datum values[] = {ObjectIdGetDatum(messages), Int64GetDatum(rejected)};
  (void)counters::run_as_config_owner(
      "UPDATE chatopt.receipt_queue AS q SET rejected = q.rejected + $2, drained_at = clock_timestamp() "
      "FROM (SELECT messages FROM chatopt.receipt_queue WHERE messages = $1 FOR NO KEY UPDATE SKIP LOCKED) AS free "
      "WHERE q.messages = free.messages",
      2, types, values, nullptr);
  if (rejected > 0)
    ereport(LOG, (errmsg("%lld entries of the receipt queue of table \"%s\" say nothing that can be applied",
                         static_cast<long long>(rejected), get_rel_name(messages)),
                  errdetail("A column was NULL, or the status unknown.")));
}

void check_enabled(Oid messages) {
  if (tracked_reads(messages).chat->disabled)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the chat of table \"%s\" is disabled", get_rel_name(messages)),
                    errdetail("What waits in its receipt queue stays there."), errhint("Call chatopt.enable.")));
}

}  // namespace

Oid queue_of(Oid messages) {
  Datum queue;
  return counters::config_value("SELECT queue::oid FROM chatopt.receipt_queue WHERE messages = $1", messages, &queue)
             ? DatumGetObjectId(queue)
             : InvalidOid;
}

uint64 drain_queue(Oid messages, Oid queue, int32 batch_size) {
  const Reads& reads = tracked_reads(messages);
  const char* name = counters::qualified_name(queue);
  const pg::Identity before = pg::become_owner(reads.chat->owner);
  SPI_connect();
  Oid type = INT4OID;
  Datum value = Int32GetDatum(batch_size);
  if (SPI_execute_with_args(take_query(name), 1, &type, &value, nullptr, false, 0) != SPI_OK_DELETE_RETURNING)
    elog(ERROR, "entries could not be taken from their queue");
  const uint64 taken = SPI_processed;
  check_types(reads, queue, SPI_tuptable->tupdesc);
  auto* receipts = static_cast<Receipt*>(MemoryContextAllocHuge(CurrentMemoryContext, (taken + 1) * sizeof(Receipt)));
  uint64 count = 0;
  for (uint64 i = 0; i < taken; ++i)
    if (read_entry(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, &receipts[count])) ++count;
  const auto rejected = static_cast<int64>(taken - count);
  uint64 busy = 0;
  (void)apply_receipts(reads, receipts, count, Caller::kPatient, &busy);
  for (uint64 i = 0; i < busy; ++i) put_back(reads, name, receipts[i]);
  SPI_finish();
  pg::become(before);
  if (taken > 0) note_drained(messages, rejected);
  return taken - busy;
}

}  // namespace chatopt::reads

// save_receipt_queue(messages regclass, queue regclass): NULL takes it out.
Datum chatopt_reads_save_queue(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  if (PG_ARGISNULL(0)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("messages must not be null")));
  const Oid messages = PG_GETARG_OID(0);
  if (get_rel_name(messages) != nullptr) counters::check_owns(messages);
  Oid types[] = {OIDOID, OIDOID};
  Datum values[] = {PG_GETARG_DATUM(0), PG_ARGISNULL(1) ? Datum{0} : PG_GETARG_DATUM(1)};
  (void)counters::run_as_config_owner(
      "DELETE FROM chatopt.receipt_queue AS q WHERE q.messages = $1 OR NOT EXISTS (SELECT FROM pg_class WHERE oid = "
      "q.queue)",
      1, types, values, nullptr);
  if (PG_ARGISNULL(1)) PG_RETURN_VOID();
  counters::check_owns(PG_GETARG_OID(1));
  (void)counters::run_as_config_owner("INSERT INTO chatopt.receipt_queue (messages, queue) VALUES ($1, $2)", 2, types,
                                      values, nullptr);
  PG_RETURN_VOID();
}

// _drain_receipts(messages regclass, batch_size int) -> bigint
Datum chatopt_reads_drain_receipts(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  PreventCommandIfReadOnly("chatopt.drain_receipts()");
  const Oid messages = PG_GETARG_OID(0);
  const Oid queue = reads::queue_of(messages);
  if (!OidIsValid(queue) || get_rel_name(queue) == nullptr)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" has no receipt queue", get_rel_name(messages)),
                    errhint("Call chatopt.create_receipt_queue.")));
  if (pg_class_aclcheck(queue, GetUserId(), ACL_DELETE) != ACLCHECK_OK)
    aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(queue));
  reads::check_enabled(messages);
  PG_RETURN_INT64(static_cast<int64>(reads::drain_queue(messages, queue, PG_GETARG_INT32(1))));
}
