#include "counters/batches.hpp"

#include "counters/queries.hpp"
#include "counters/verifying.hpp"
#include "pg/procedure.hpp"

namespace chatopt::counters {
namespace {

constexpr long kShortestPause = 10000;  // microseconds
constexpr long kLongestPause = 1000000;
constexpr int kKeysAtATime = 1000;

void check_index(const Chat& chat) {
  Relation relation = table_open(chat.messages, AccessShareLock);
  const Source& source = *source_of(relation);
  bool found = false;
  List* indexes = RelationGetIndexList(relation);
  ListCell* cell;
  foreach (cell, indexes) {
    Relation index = index_open(lfirst_oid(cell), AccessShareLock);
    const Form_pg_index form = index->rd_index;
    found = found || (form->indisvalid && form->indnkeyatts >= 2 && form->indkey.values[0] == source.conversation &&
                      form->indkey.values[1] == source.number && RelationGetIndexPredicate(index) == NIL);
    index_close(index, AccessShareLock);
  }
  const bool unique = relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE;
  table_close(relation, AccessShareLock);
  if (found) return;
  ereport(
      ERROR,
      (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
       errmsg("table \"%s\" has no index on conversation and sequence number", get_rel_name(chat.messages)),
       errhint("SELECT chatopt.build_indexes(%s); or CREATE %sINDEX %sON %s (%s, %s); then call chatopt.attach again.",
               quote_literal_cstr(qualified_name(chat.messages)), unique ? "UNIQUE " : "",
               unique ? "CONCURRENTLY " : "", qualified_name(chat.messages),
               quoted_column(chat.messages, source.conversation), quoted_column(chat.messages, source.number))));
}

}  // namespace

Run start_run(FunctionCallInfo fcinfo, const char* task) {
  pg::refuse_in_transaction_block(fcinfo, task);
  if (PG_ARGISNULL(0)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("messages must not be null")));
  Run run = {};
  run.messages = PG_GETARG_OID(0);
  run.batch_size = 10000;
  run.memory = AllocSetContextCreate(PortalContext, "chatopt backfill", ALLOCSET_DEFAULT_SIZES);
  run.step = AllocSetContextCreate(run.memory, "chatopt backfill step", ALLOCSET_DEFAULT_SIZES);
  run.progress.task = task;
  const Chat& chat = *attached_chat(run.messages);
  check_may_maintain(chat.messages, chat.counters);
  if (chat.disabled)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the chat of table \"%s\" is disabled", get_rel_name(run.messages)),
                    errhint("Call chatopt.enable first.")));
  check_index(chat);
  return run;
}

Run next_task(const Run& run, const char* task) {
  Run next = {};
  next.messages = run.messages;
  next.batch_size = run.batch_size;
  next.memory = run.memory;
  next.step = run.step;
  next.progress.task = task;
  return next;
}

void commit(Run* run) {
  save_progress(run->messages, &run->progress);
  SPI_commit();
  // Counting under the lock must see what was committed before the lock was had.
  XactIsoLevel = XACT_READ_COMMITTED;
  run->committed = run->progress.done;
  report_progress(&run->progress);
}

void pause(Run* run) {
  run->pause = run->pause == 0 ? kShortestPause : Min(2 * run->pause, kLongestPause);
  pg_usleep(run->pause);
  CHECK_FOR_INTERRUPTS();
}

int64 query_integer(Run* run, const char* sql) {
  const Chat& chat = *attached_chat(run->messages);
  const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
  if (SPI_execute(sql, false, 1) != SPI_OK_SELECT) elog(ERROR, "query failed");
  bool null;
  const int64 result = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null));
  pg::become(before);
  return result;
}

Datum kept_key(Run* run, const Chat& chat, Datum key) {
  MemoryContext caller = MemoryContextSwitchTo(run->memory);
  const Datum copy = datumCopy(key, chat.key_type.by_value, chat.key_type.length);
  MemoryContextSwitchTo(caller);
  return copy;
}

Keys keys_after(Run* run, const char* sql, bool after, Datum last) {
  const Chat& chat = *attached_chat(run->messages);
  const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
  Oid type = chat.key_type.type;
  const char nulls[] = {after ? ' ' : 'n', '\0'};
  // In the query itself, so that it is planned for so many.
  const char* some = psprintf("%s LIMIT %d", sql, kKeysAtATime);
  if (SPI_execute_with_args(some, 1, &type, &last, nulls, false, 0) != SPI_OK_SELECT) elog(ERROR, "query failed");
  Keys keys = {static_cast<Datum*>(MemoryContextAlloc(run->memory, (SPI_processed + 1) * sizeof(Datum))),
               SPI_processed};
  for (uint64 i = 0; i < keys.count; ++i) {
    bool null;
    keys.values[i] = kept_key(run, chat, SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &null));
  }
  SPI_freetuptable(SPI_tuptable);
  pg::become(before);
  return keys;
}

}  // namespace chatopt::counters
