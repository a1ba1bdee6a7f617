// chatopt.backfill() and chatopt.repair(): numbering what was there before, and
// putting right what went past the triggers. Procedures that commit in batches.
//
// A conversation is filled oldest message first. As long as more than a batch is
// left, batches are numbered without its counter lock, from a held cursor, and
// rows that somebody else has locked are passed over; the last batch holds the
// lock, numbers what is left and counts. Nobody is ever waited for while holding
// a lock, so neither procedure deadlocks with the application.

#include "counters/batches.hpp"
#include "counters/config.hpp"
#include "counters/counter_row.hpp"
#include "counters/follower_filling.hpp"
#include "counters/guard.hpp"
#include "counters/queries.hpp"
#include "counters/verifying.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_backfill);
PG_FUNCTION_INFO_V1(chatopt_repair);
PGDLLEXPORT Datum chatopt_backfill(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_repair(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {

// The last batch of a conversation, or its repair. Busy too where it has more than
// a batch left: nothing was changed that the next try would not do again.
Step finish_conversation(const Chat& chat, Run* run, core::Counter& counter, Datum key, bool repair) {
  auto& ledger = counters::ledger();
  // Kept here: an invalidation may make the ledger forget it.
  const int64 last = counter.filled() ? counter.last() : 0;
  if (is_busy(&run->busy)) return Step::kBusy;
  if (!repair && count_unnumbered(chat, key, run->batch_size + 1) > run->batch_size) return Step::kBusy;
  if (repair) clear_duplicates(chat, key);
  CommandCounterIncrement();
  Oid type = chat.key_type.type;
  const char* sql = unnumbered(chat, "new.tableoid, new.ctid", in_order(chat));
  int64 next = Max(greatest_number(chat, key), last) + 1;
  if (SPI_execute_with_args(sql, 1, &type, &key, nullptr, false, 0) != SPI_OK_SELECT) elog(ERROR, "query failed");
  SPITupleTable* rows = SPI_tuptable;
  const uint64 count = SPI_processed;
  if (!lock_rows(rows, count, &run->busy)) return Step::kBusy;
  const int64 first = next;
  number_rows(chat, rows, count, &next);
  SPI_freetuptable(rows);
  run->progress.done += next - first;
  CommandCounterIncrement();
  recount(chat, ledger, counter, key, next - 1);
  // Messages may have got other numbers than what follows has been told of.
  return repair ? fill_follower_again(chat, key, next - 1, run) : Step::kDone;
}

// Locks, numbers the rest, counts. Waits for the counter's lock only when it
// holds nothing else (wait).
Step finish(Run* run, Datum key, bool wait, bool repair) {
  return under_lock(run, key, wait, [&](const Chat& chat, core::Counter& counter) {
    return !repair && counter.filled() ? Step::kDone : finish_conversation(chat, run, counter, key, repair);
  });
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
    auto& ledger = counters::ledger();
    (void)lock_counter_row(chat, ledger, counter_of(chat, ledger, pg::image_of(&key, chat.key_type)));
    commit(run);
  });
}

void fill_all(Run* run) {
  in_batches(
      run, unfilled_conversations, [&](Datum key) { return finish(run, key, false, false); },
      [&](Datum key) { fill_conversation(run, key); });
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
  Step step = Step::kBusy;
  until_done(run, [&](bool wait) {
    step = finish(run, key, wait, true);
    return step == Step::kMore ? Step::kDone : step;
  });
  commit(run);
  if (step == Step::kMore) fill_follower_conversation(run, key);
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

}  // namespace
}  // namespace chatopt::counters

// CALL backfill(messages regclass, batch_size int)
Datum chatopt_backfill(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  Run run = start_run(fcinfo, "backfill");
  if (PG_ARGISNULL(1) || PG_GETARG_INT32(1) < 1 || PG_GETARG_INT32(1) > 1000000)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("batch_size must be between 1 and 1000000")));
  run.batch_size = PG_GETARG_INT32(1);
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  {
    const Chat& chat = *attached_chat(run.messages);
    const Source& source = *source_of(chat.messages);
    start_progress(&run.progress,
                   query_integer(&run, psprintf("SELECT count(*) FROM %s AS new WHERE new.%s IS NULL AND new.%s IS "
                                                     "NOT NULL",
                                                     qualified_name(chat.messages),
                                                     quoted_column(chat.messages, source.number),
                                                     quoted_column(chat.messages, source.conversation))));
  }
  commit(&run);
  create_missing_counter_rows(&run);
  fill_all(&run);
  // Sent while the triggers were off: their conversations are filled, they are not numbered.
  if (query_integer(&run, psprintf("SELECT count(*) FROM (%s) AS few",
                                        psprintf("SELECT FROM %s AS new WHERE new.%s IS NULL AND new.%s IS NOT NULL LIMIT 1",
                                                 qualified_name(run.messages),
                                                 quoted_column(run.messages, source_of(run.messages)->number),
                                                 quoted_column(run.messages, source_of(run.messages)->conversation)))) > 0)
    for_each_key(&run, conversations_to_number, [&](Datum key) { repair_conversation(&run, key); });
  if (attached_chat(run.messages)->filling) write_chat_state(run.messages, "attached");
  end_progress(run.messages, &run.progress);
  SPI_commit();
  fill_follower(run);
  SPI_finish();
  PG_RETURN_VOID();
}

// CALL repair(messages regclass)
Datum chatopt_repair(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  Run run = start_run(fcinfo, "repair");
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  {
    const Chat& chat = *attached_chat(run.messages);
    start_progress(&run.progress,
                   query_integer(&run, psprintf("SELECT count(*) FROM %s", qualified_name(chat.counters))));
  }
  commit(&run);
  create_missing_counter_rows(&run);
  const Keys keys = drifted_conversations(&run);
  for (uint64 i = 0; i < keys.count; ++i) repair_conversation(&run, keys.values[i]);
  repair_follower(&run);
  end_progress(run.messages, &run.progress);
  SPI_commit();
  SPI_finish();
  PG_RETURN_VOID();
}
