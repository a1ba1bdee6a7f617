// CALL chatopt.retire() and chatopt.restore_partition(): a partition goes, or
// comes back, by hand. That of an attached chat is taken out of the counters
// first, or put back in the end, batch by batch.

#include <cstring>

#include "counters/batches.hpp"
#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"
#include "counters/verifying.hpp"
#include "partitions/clock.hpp"
#include "partitions/performing.hpp"
#include "partitions/purging.hpp"
#include "partitions/retired.hpp"
#include "partitions/statements.hpp"
#include "pg/boundary.hpp"
#include "pg/config.hpp"
#include "pg/identity.hpp"
#include "pg/procedure.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_retire);
PG_FUNCTION_INFO_V1(chatopt_restore_partition);
PG_FUNCTION_INFO_V1(chatopt_is_purging);
PGDLLEXPORT Datum chatopt_retire(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_restore_partition(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_is_purging(PG_FUNCTION_ARGS);
}

namespace chatopt::partitions {
namespace {

enum class Action { kPurge, kDetach, kDrop, kArchive };

// One call; what it points to outlives the transactions.
struct Call {
  Oid table;
  int batch_size;
  pg::Deadline until;
  int64 run;
  TimestampTz clock;

  pg::Patience patience() const { return {Min(until, pg::deadline_in(pg::longest_lock_wait()))}; }
};

Oid table_argument(FunctionCallInfo fcinfo, const char* procedure, const char* argument) {
  pg::refuse_in_transaction_block(fcinfo, procedure);
  if (PG_ARGISNULL(0)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", argument)));
  if (get_rel_name(PG_GETARG_OID(0)) == nullptr)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", PG_GETARG_OID(0))));
  return PG_GETARG_OID(0);
}

Action action_argument(FunctionCallInfo fcinfo, int argument) {
  if (PG_ARGISNULL(argument))
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("action must not be null")));
  const char* action = text_to_cstring(PG_GETARG_TEXT_PP(argument));
  constexpr const char* kNames[] = {"purge", "detach", "drop", "archive"};
  for (size_t i = 0; i < lengthof(kNames); ++i)
    if (strcmp(action, kNames[i]) == 0) return static_cast<Action>(i);
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized action \"%s\"", action),
                  errhint("Use 'purge', 'detach', 'drop' or 'archive'.")));
  pg_unreachable();
}

int batch_size_argument(FunctionCallInfo fcinfo, int argument) {
  if (PG_ARGISNULL(argument) || PG_GETARG_INT32(argument) < 1 || PG_GETARG_INT32(argument) > 1000000)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("batch_size must be between 1 and 1000000")));
  return PG_GETARG_INT32(argument);
}

core::After after_of(Action action) {
  switch (action) {
    case Action::kDrop: return core::After::kDrop;
    case Action::kArchive: return core::After::kArchive;
    default: return core::After::kDetach;
  }
}

// The locks of marking are waited for as long as any of attach.
void limit_lock_wait() {
  if (strcmp(GetConfigOption("lock_timeout", false, false), "0") == 0)
    (void)set_config_option("lock_timeout", "2s", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

// The messages table whose partition it is, of a chat that the caller may work on;
// InvalidOid where there is none.
Oid chat_of(Oid leaf) {
  const counters::Chat* chat = counters::find_chat(leaf);
  if (chat == nullptr) return InvalidOid;
  counters::check_may_maintain(chat->messages, chat->counters);
  return chat->messages;
}

counters::Run start(Oid messages, Oid leaf, const char* task) {
  counters::Run run = {};
  run.messages = messages;
  run.memory = AllocSetContextCreate(PortalContext, "chatopt purge", ALLOCSET_DEFAULT_SIZES);
  run.step = run.memory;
  run.progress.task = task;
  counters::start_progress(&run.progress, counters::query_integer(&run, psprintf("SELECT count(*) FROM ONLY %s",
                                                                                 counters::qualified_name(leaf))));
  return run;
}

// Until the marked partition is through.
template <class Batch>
void go_through(Oid messages, const Call& call, const char* task, Batch&& batch) {
  counters::Run run = start(messages, call.table, task);
  Purge purge = Purge::kMore;
  while (purge != Purge::kFinished) {
    counters::commit(&run);
    if (purge == Purge::kBusy)
      counters::pause(&run);
    else
      run.pause = 0;
    purge = batch(call.table, call.batch_size);
    run.progress.done = Max(run.progress.done, counters::purge_mark_now(call.table).messages);
    CHECK_FOR_INTERRUPTS();
  }
  counters::end_progress(messages, &run.progress);
  SPI_commit();
}

// attempt(done) gives the error of one try, each in a transaction of its own, until
// it is done or patience is over.
template <class Attempt>
void until_done(const Call& call, Attempt&& attempt) {
  for (bool done = false; !done;) {
    ErrorData* const error = attempt(&done);
    if (error != nullptr && (!is_busy(error) || pg::milliseconds_until(call.until) == 0)) ThrowErrorData(error);
    done = done && error == nullptr;
    SPI_commit();
    CHECK_FOR_INTERRUPTS();
    if (error != nullptr) pause_for_locks();
  }
}

void purge(Oid messages, const Call& call) {
  limit_lock_wait();
  mark_retiring(messages, call.table);
  go_through(messages, call, "retire", purge_batch);
}

Set set_of(const Call& call, const char* archive_schema) {
  if (!get_rel_relispartition(call.table))
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is no partition", get_rel_name(call.table))));
  const Oid parent = get_partition_parent(call.table, true);
  pg::check_owns(parent);
  Set set = load_set(parent);
  set.archive_schema = archive_schema;
  return set;
}

void check_archive(const Set& set) {
  Oid types[] = {REGCLASSOID, TEXTOID};
  const Datum values[] = {ObjectIdGetDatum(set.parent), CStringGetTextDatum(set.archive_schema == nullptr ? "" : set.archive_schema)};
  run_check("SELECT chatopt._check_archive($1, nullif($2, ''))", lengthof(types), types, values);
}

void detach(const Call& call, Action action, const char* archive_schema) {
  until_done(call, [&](bool* done) {
    const Set set = set_of(call, archive_schema);
    const Task task = retirement_of(set, call.table, after_of(action), call.clock);
    const LogRow row = row_for(set, task);
    ErrorData* const error = perform(set, task, call.patience(), done);
    if (error == nullptr && *done) write_log(call.run, call.clock, row);
    return error;
  });
}

void hold_restored(Oid table) {
  Oid type = REGCLASSOID;
  const Datum value = ObjectIdGetDatum(table);
  run_check("SELECT chatopt.save_hold($1, 'restored by chatopt.restore_partition')", 1, &type, &value);
}

// Held from now on: its time is still over.
void attach(const Call& call) {
  until_done(call, [&](bool* done) {
    const Retired retired = load_retired(call.table);
    pg::check_owns(retired.parent);
    const Set set = load_set(retired.parent);
    LogRow row;
    row.parent = set.parent;
    row.parent_name = set.name;
    row.action = "restore";
    row.partition = get_rel_name(call.table);
    row.lower = retired.lower;
    row.upper = retired.upper;
    ErrorData* const error = pg::try_in_subtransaction([&] {
      if (is_chat_partition(set.parent)) mark_returning(set.parent, call.table);
      pg::as_owner(set.owner, [&] {
        attach_retired(set, retired, call.patience());
        hold_restored(call.table);
      });
      write_log(call.run, call.clock, row);
    });
    *done = error == nullptr;
    return error;
  });
}

}  // namespace
}  // namespace chatopt::partitions

// CALL retire(leaf regclass, action text, batch_size int, archive_schema text, patience interval)
Datum chatopt_retire(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  using namespace chatopt::partitions;
  const Oid leaf = table_argument(fcinfo, "retire", "leaf");
  const Action action = action_argument(fcinfo, 1);
  const char* archive = PG_ARGISNULL(3) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(3));
  Call call = {leaf, batch_size_argument(fcinfo, 2), pg::deadline_in(pg::patience_argument(fcinfo, 4)), 0, 0};
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  const Oid messages = chat_of(leaf);
  if (action != Action::kPurge) {
    const Set set = set_of(call, archive);
    call.run = new_run();
    call.clock = maintenance_now();
    (void)retirement_of(set, leaf, after_of(action), call.clock);
    if (action == Action::kArchive) check_archive(set);
  } else if (!OidIsValid(messages)) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("\"%s\" is no partition of an attached messages table", get_rel_name(leaf)),
                    errhint("A partition of any other table can be detached or dropped as it is.")));
  }
  if (OidIsValid(messages)) purge(messages, call);
  if (action != Action::kPurge) detach(call, action, archive);
  SPI_finish();
  PG_RETURN_VOID();
}

// CALL restore_partition(tbl regclass, batch_size int, patience interval)
Datum chatopt_restore_partition(PG_FUNCTION_ARGS) {
  using namespace chatopt;
  using namespace chatopt::partitions;
  const Oid table = table_argument(fcinfo, "restore_partition", "tbl");
  Call call = {table, batch_size_argument(fcinfo, 1), pg::deadline_in(pg::patience_argument(fcinfo, 2)), 0, 0};
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  if (!get_rel_relispartition(table)) {
    call.run = new_run();
    call.clock = maintenance_now();
    pg::check_owns(table);
    attach(call);
  }
  // Put back where it was being retired, too.
  const Oid messages = chat_of(table);
  if (OidIsValid(messages)) {
    limit_lock_wait();
    mark_returning(messages, table);
    go_through(messages, call, "restore", return_batch);
  }
  SPI_finish();
  PG_RETURN_VOID();
}

// _is_purging(messages regclass): are there messages that count for nothing?
Datum chatopt_is_purging(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(chatopt::counters::has_purged(PG_GETARG_OID(0))); }
