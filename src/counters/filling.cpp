// chatopt.backfill() and chatopt.repair(): numbering what was there before, and
// putting right what went past the triggers. Procedures that commit in batches.
//
// A conversation is filled oldest message first. As long as more than a batch is
// left, batches are numbered without its counter lock, from a held cursor, and
// rows that somebody else has locked are passed over; the last batch holds the
// lock, numbers what is left and counts. Nobody is ever waited for while holding
// a lock, so neither procedure deadlocks with the application.

#include "counters/config.hpp"
#include "counters/counter_row.hpp"
#include "counters/follower.hpp"
#include "counters/guard.hpp"
#include "counters/ledgers.hpp"
#include "counters/progress.hpp"
#include "counters/queries.hpp"
#include "counters/row.hpp"
#include "counters/stored_messages.hpp"
#include "counters/verifying.hpp"
#include "pg/identity.hpp"
#include "pg/boundary.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_backfill);
PG_FUNCTION_INFO_V1(chatopt_repair);
PGDLLEXPORT Datum chatopt_backfill(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_repair(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {

constexpr long kShortestPause = 10000;    // microseconds
constexpr long kLongestPause = 1000000;
constexpr int kKeysAtATime = 1000;

// What a run keeps between its transactions; in the portal's memory.
struct Run {
  Oid messages;
  int64 batch_size;
  MemoryContext memory;
  Progress progress;
  Place busy;  // the row that somebody held at the last try; relation 0: none
  long pause;
};

// The last batch of a conversation, or its repair. False: it has more than a
// batch left, or a row is busy; nothing was changed that the next try would not do again.
bool finish_conversation(const Chat& chat, Run* run, core::Counter& counter, Datum key, bool repair) {
  auto& ledger = counters::ledger();
  // Kept here: an invalidation may make the ledger forget it.
  const int64 last = counter.filled() ? counter.last() : 0;
  if (is_busy(&run->busy)) return false;
  if (!repair && count_unnumbered(chat, key, run->batch_size + 1) > run->batch_size) return false;
  if (repair) clear_duplicates(chat, key);
  CommandCounterIncrement();
  Oid type = chat.key_type.type;
  const char* sql = unnumbered(chat, "new.tableoid, new.ctid", in_order(chat));
  int64 next = Max(greatest_number(chat, key), last) + 1;
  if (SPI_execute_with_args(sql, 1, &type, &key, nullptr, false, 0) != SPI_OK_SELECT) elog(ERROR, "query failed");
  SPITupleTable* rows = SPI_tuptable;
  const uint64 count = SPI_processed;
  if (!lock_rows(rows, count, &run->busy)) return false;
  const int64 first = next;
  number_rows(chat, rows, count, &next);
  SPI_freetuptable(rows);
  run->progress.done += next - first;
  CommandCounterIncrement();
  recount(chat, ledger, counter, key, next - 1);
  return true;
}

core::Counter& counter_of(const Chat& chat, Datum* key) {
  return counter_of(chat, counters::ledger(), pg::image_of(key, chat.key_type));
}

enum class Step { kDone, kBusy };

// Locks, numbers the rest, counts. Waits for the counter's lock only when it
// holds nothing else (wait).
Step finish(Run* run, Datum key, bool wait, bool repair) {
  const Chat& chat = *attached_chat(run->messages);
  const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
  bool gone = false;
  const bool done = pg::in_subtransaction([&] {
    core::Counter& counter = counter_of(chat, &key);
    auto& ledger = counters::ledger();
    const CounterLock lock = lock_counter_unless_busy(chat, ledger, counter, wait);
    gone = lock == CounterLock::kGone;
    if (lock != CounterLock::kLocked) return gone;
    if (!repair && counter.filled()) return true;
    PushActiveSnapshot(GetTransactionSnapshot());
    const bool finished = finish_conversation(chat, run, counter, key, repair);
    PopActiveSnapshot();
    return finished;
  });
  pg::become(before);
  return done ? Step::kDone : Step::kBusy;
}

// One batch from a held cursor, without the counter's lock. False: it is through.
bool number_batch(Run* run, Portal cursor, Datum key) {
  const Chat& chat = *attached_chat(run->messages);
  SPI_cursor_fetch(cursor, true, run->batch_size);
  if (SPI_processed == 0) return false;
  SPITupleTable* rows = SPI_tuptable;
  const uint64 found = SPI_processed;
  const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
  PushActiveSnapshot(GetTransactionSnapshot());
  int64 next = greatest_number(chat, key) + 1;
  const int64 first = next;
  number_rows(chat, rows, found, &next);
  SPI_freetuptable(rows);
  PopActiveSnapshot();
  pg::become(before);
  run->progress.done += next - first;
  return true;
}

Datum kept_key(Run* run, const Chat& chat, Datum key) {
  MemoryContext caller = MemoryContextSwitchTo(run->memory);
  const Datum copy = datumCopy(key, chat.key_type.by_value, chat.key_type.length);
  MemoryContextSwitchTo(caller);
  return copy;
}

void commit(Run* run) {
  save_progress(run->messages, &run->progress);
  SPI_commit();
  // Counting under the lock must see what was committed before the lock was had.
  XactIsoLevel = XACT_READ_COMMITTED;
  report_progress(&run->progress);
}

// Somebody holds what is needed next: longer and longer, up to a second.
void pause(Run* run) {
  run->pause = run->pause == 0 ? kShortestPause : Min(2 * run->pause, kLongestPause);
  pg_usleep(run->pause);
  CHECK_FOR_INTERRUPTS();
}

// A conversation with more than a batch of messages: all but the last batch.
void fill_long_conversation(Run* run, Datum key) {
  const Chat& chat = *attached_chat(run->messages);
  const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
  Oid type = chat.key_type.type;
  const char* sql = unnumbered(chat, "new.tableoid, new.ctid", in_order(chat));
  Portal cursor = SPI_cursor_open_with_args(nullptr, sql, 1, &type, &key, nullptr, true, 0);
  // Pinned portals outlive the commits of a procedure.
  PinPortal(cursor);
  pg::become(before);
  while (number_batch(run, cursor, key)) commit(run);
  UnpinPortal(cursor);
  SPI_cursor_close(cursor);
  commit(run);
}

void fill_conversation(Run* run, Datum key) {
  for (bool first = true;; first = false) {
    if (finish(run, key, !first, false) == Step::kDone) {
      run->pause = 0;
      return;
    }
    commit(run);
    const Chat& chat = *attached_chat(run->messages);
    const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
    const bool many = count_unnumbered(chat, key, run->batch_size + 1) > run->batch_size;
    pg::become(before);
    if (many)
      fill_long_conversation(run, key);
    else
      pause(run);
  }
}

// Keys of the next conversations to fill, in key order after the last one.
struct Keys {
  Datum* values;
  uint64 count;
};

Keys keys_from(Run* run, const char* sql, bool after, Datum last) {
  const Chat& chat = *attached_chat(run->messages);
  const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
  Oid type = chat.key_type.type;
  const char nulls[] = {after ? ' ' : 'n', '\0'};
  if (SPI_execute_with_args(sql, 1, &type, &last, nulls, false, kKeysAtATime) != SPI_OK_SELECT)
    elog(ERROR, "query failed");
  Keys keys = {static_cast<Datum*>(MemoryContextAlloc(run->memory, (SPI_processed + 1) * sizeof(Datum))),
               SPI_processed};
  for (uint64 i = 0; i < keys.count; ++i) {
    bool null;
    keys.values[i] =
        kept_key(run, chat, SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &null));
  }
  SPI_freetuptable(SPI_tuptable);
  pg::become(before);
  return keys;
}

// Runs body(key) for every key the query gives, a thousand at a time.
template <class Query, class Body>
void for_each_key(Run* run, Query&& query, Body&& body) {
  Datum last = 0;
  for (bool after = false;; after = true) {
    const Chat& chat = *attached_chat(run->messages);
    const Keys keys = keys_from(run, query(chat), after, last);
    for (uint64 i = 0; i < keys.count; ++i) body(keys.values[i]);
    if (keys.count == 0) return;
    last = keys.values[keys.count - 1];
  }
}

const char* unfilled_conversations(const Chat& chat) {
  const char* key = quoted_column(chat.counters, chat.key);
  return psprintf("SELECT %s FROM %s WHERE %s IS NULL AND ($1 IS NULL OR %s > $1) ORDER BY %s", key,
                  qualified_name(chat.counters), quoted_column(chat.counters, chat.last_sequence_number), key, key);
}

const char* conversations_without_counters(const Chat& chat) {
  const char* key = quoted_column(chat.conversations, conversation_key_column(chat));
  return psprintf(
      "SELECT o.%s FROM %s AS o WHERE NOT EXISTS (SELECT FROM %s AS c WHERE c.%s = o.%s) AND ($1 IS NULL OR o.%s > $1) "
      "ORDER BY o.%s",
      key, qualified_name(chat.conversations), qualified_name(chat.counters), quoted_column(chat.counters, chat.key),
      key, key, key);
}

void create_missing_counter_rows(Run* run) {
  {
    const Chat& chat = *attached_chat(run->messages);
    if (chat.counters == chat.conversations) return;
  }
  for_each_key(run, conversations_without_counters, [&](Datum key) {
    const Chat& chat = *attached_chat(run->messages);
    (void)lock_counter_row(chat, counters::ledger(), counter_of(chat, &key));
    commit(run);
  });
}

// Small conversations share a transaction, of at most a tenth of a batch: what
// has been finished keeps its senders waiting until the commit.
void fill_all(Run* run) {
  int64 committed = 0;
  for_each_key(run, unfilled_conversations, [&](Datum key) {
    if (finish(run, key, false, false) == Step::kBusy) {
      commit(run);
      fill_conversation(run, key);
    }
    if (run->progress.done - committed >= run->batch_size / 10 || run->progress.steps++ % 100 == 99) {
      commit(run);
      committed = run->progress.done;
    }
    CHECK_FOR_INTERRUPTS();
  });
  commit(run);
}

// Messages without a number in conversations that are filled: sent while the
// triggers were off.
const char* conversations_to_number(const Chat& chat) {
  const Source& source = *source_of(chat.messages);
  const char* key = quoted_column(chat.counters, chat.key);
  return psprintf("SELECT c.%s FROM %s AS c WHERE ($1 IS NULL OR c.%s > $1) AND EXISTS (SELECT FROM %s AS new WHERE "
                  "new.%s = c.%s AND new.%s IS NULL) ORDER BY c.%s",
                  key, qualified_name(chat.counters), key, qualified_name(chat.messages),
                  quoted_column(chat.messages, source.conversation), key,
                  quoted_column(chat.messages, source.number), key);
}

// Until it works: somebody holds a row, for as long as their transaction takes.
void repair_conversation(Run* run, Datum key) {
  while (finish(run, key, true, true) == Step::kBusy) {
    commit(run);
    pause(run);
  }
  run->pause = 0;
  commit(run);
}

// Those that verify finds something wrong with.
Keys drifted_conversations(Run* run) {
  const Chat& chat = *attached_chat(run->messages);
  const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
  Oid types[2] = {chat.key_type.type, FLOAT8OID};
  Datum values[2] = {Datum{0}, Float8GetDatum(1)};
  const char* sql = psprintf(
      "SELECT DISTINCT v.conversation::%s FROM (%s) AS v(conversation, counter, stored, actual) WHERE v.conversation IS "
      "NOT NULL AND v.counter <> 'unknown conversation' ORDER BY 1",
      format_type_be_qualified(chat.key_type.type), verify_query(chat));
  if (SPI_execute_with_args(sql, 2, types, values, "n ", false, 0) != SPI_OK_SELECT) elog(ERROR, "query failed");
  Keys keys = {static_cast<Datum*>(MemoryContextAllocHuge(run->memory, (SPI_processed + 1) * sizeof(Datum))),
               SPI_processed};
  for (uint64 i = 0; i < keys.count; ++i) {
    bool null;
    keys.values[i] = kept_key(run, chat, SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &null));
  }
  SPI_freetuptable(SPI_tuptable);
  pg::become(before);
  return keys;
}

int64 count_for_progress(Run* run, const char* sql) {
  const Chat& chat = *attached_chat(run->messages);
  const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
  if (SPI_execute(sql, true, 1) != SPI_OK_SELECT) elog(ERROR, "query failed");
  bool null;
  const int64 result = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null));
  pg::become(before);
  return result;
}

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
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("table \"%s\" has no index on conversation and sequence number", get_rel_name(chat.messages)),
                  errhint("SELECT chatopt.build_indexes(%s); or CREATE %sINDEX %sON %s (%s, %s); then call chatopt.attach again.",
                          quote_literal_cstr(qualified_name(chat.messages)), unique ? "UNIQUE " : "",
                          unique ? "CONCURRENTLY " : "", qualified_name(chat.messages),
                          quoted_column(chat.messages, source.conversation),
                          quoted_column(chat.messages, source.number))));
}

void refuse_in_transaction_block(FunctionCallInfo fcinfo, const char* procedure) {
  auto* call = reinterpret_cast<CallContext*>(fcinfo->context);
  if (call == nullptr || !IsA(call, CallContext) || call->atomic)
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                    errmsg("chatopt.%s cannot run inside a transaction block", procedure),
                    errdetail("It commits in batches."),
                    errhint("CALL it by itself, outside BEGIN … COMMIT and outside any function.")));
}

Run start(FunctionCallInfo fcinfo, const char* task) {
  refuse_in_transaction_block(fcinfo, task);
  if (PG_ARGISNULL(0)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("messages must not be null")));
  Run run = {};
  run.messages = PG_GETARG_OID(0);
  run.batch_size = 10000;
  run.memory = AllocSetContextCreate(PortalContext, "chatopt backfill", ALLOCSET_DEFAULT_SIZES);
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

}  // namespace
}  // namespace chatopt::counters

// CALL backfill(messages regclass, batch_size int)
Datum chatopt_backfill(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  Run run = start(fcinfo, "backfill");
  if (PG_ARGISNULL(1) || PG_GETARG_INT32(1) < 1 || PG_GETARG_INT32(1) > 1000000)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("batch_size must be between 1 and 1000000")));
  run.batch_size = PG_GETARG_INT32(1);
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  {
    const Chat& chat = *attached_chat(run.messages);
    const Source& source = *source_of(chat.messages);
    start_progress(&run.progress,
                   count_for_progress(&run, psprintf("SELECT count(*) FROM %s AS new WHERE new.%s IS NULL AND new.%s IS "
                                                     "NOT NULL",
                                                     qualified_name(chat.messages),
                                                     quoted_column(chat.messages, source.number),
                                                     quoted_column(chat.messages, source.conversation))));
  }
  commit(&run);
  create_missing_counter_rows(&run);
  fill_all(&run);
  // Sent while the triggers were off: their conversations are filled, they are not numbered.
  if (count_for_progress(&run, psprintf("SELECT count(*) FROM (%s) AS few",
                                        psprintf("SELECT FROM %s AS new WHERE new.%s IS NULL AND new.%s IS NOT NULL LIMIT 1",
                                                 qualified_name(run.messages),
                                                 quoted_column(run.messages, source_of(run.messages)->number),
                                                 quoted_column(run.messages, source_of(run.messages)->conversation)))) > 0)
    for_each_key(&run, conversations_to_number, [&](Datum key) { repair_conversation(&run, key); });
  if (attached_chat(run.messages)->filling) write_chat_state(run.messages, "attached");
  end_progress(run.messages, &run.progress);
  SPI_commit();
  SPI_finish();
  PG_RETURN_VOID();
}

// CALL repair(messages regclass)
Datum chatopt_repair(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  Run run = start(fcinfo, "repair");
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  {
    const Chat& chat = *attached_chat(run.messages);
    start_progress(&run.progress,
                   count_for_progress(&run, psprintf("SELECT count(*) FROM %s", qualified_name(chat.counters))));
  }
  commit(&run);
  create_missing_counter_rows(&run);
  const Keys keys = drifted_conversations(&run);
  for (uint64 i = 0; i < keys.count; ++i) repair_conversation(&run, keys.values[i]);
  end_progress(run.messages, &run.progress);
  SPI_commit();
  SPI_finish();
  PG_RETURN_VOID();
}
