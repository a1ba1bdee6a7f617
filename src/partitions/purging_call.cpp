// chatopt.retire() and chatopt.restore_partition(): procedures that take a
// partition of an attached chat out of the counters, or put it back, committing
// batch by batch.

#include <cstring>

#include "counters/batches.hpp"
#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"
#include "counters/verifying.hpp"
#include "partitions/purging.hpp"

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

using counters::Chat;

Oid table_argument(FunctionCallInfo fcinfo, const char* procedure, const char* argument) {
  counters::refuse_in_transaction_block(fcinfo, procedure);
  if (PG_ARGISNULL(0)) ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", argument)));
  return PG_GETARG_OID(0);
}

void check_action(FunctionCallInfo fcinfo, int argument) {
  if (PG_ARGISNULL(argument))
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("action must not be null")));
  const char* action = text_to_cstring(PG_GETARG_TEXT_PP(argument));
  if (strcmp(action, "purge") != 0)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("action \"%s\" is not known", action),
                    errhint("It is 'purge'.")));
}

int batch_size_argument(FunctionCallInfo fcinfo, int argument) {
  if (PG_ARGISNULL(argument) || PG_GETARG_INT32(argument) < 1 || PG_GETARG_INT32(argument) > 1000000)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("batch_size must be between 1 and 1000000")));
  return PG_GETARG_INT32(argument);
}

// The messages table whose partition it is, of a chat that the caller may work on.
Oid messages_of(Oid leaf) {
  const Chat* chat = counters::find_chat(leaf);
  if (chat == nullptr)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("\"%s\" is no partition of an attached messages table", get_rel_name(leaf)),
                    errhint("A partition of any other table can be detached or dropped as it is.")));
  counters::check_may_maintain(chat->messages, chat->counters);
  return chat->messages;
}

// The locks of marking are waited for as long as any of attach.
void limit_lock_wait() {
  if (strcmp(GetConfigOption("lock_timeout", false, false), "0") == 0)
    (void)set_config_option("lock_timeout", "2s", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
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

// Until it is through.
template <class Mark, class Batch>
void go_through(Oid leaf, int batch_size, const char* task, Mark&& mark, Batch&& batch) {
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  const Oid messages = messages_of(leaf);
  limit_lock_wait();
  mark(messages, leaf);
  counters::Run run = start(messages, leaf, task);
  Purge purge = Purge::kMore;
  while (purge != Purge::kFinished) {
    counters::commit(&run);
    if (purge == Purge::kBusy)
      counters::pause(&run);
    else
      run.pause = 0;
    purge = batch(leaf, batch_size);
    run.progress.done = Max(run.progress.done, counters::purge_mark_now(leaf).messages);
    CHECK_FOR_INTERRUPTS();
  }
  counters::end_progress(messages, &run.progress);
  SPI_commit();
  SPI_finish();
}

}  // namespace
}  // namespace chatopt::partitions

// CALL retire(leaf regclass, action text, batch_size int)
Datum chatopt_retire(PG_FUNCTION_ARGS) {
  using namespace chatopt::partitions;
  const Oid leaf = table_argument(fcinfo, "retire", "leaf");
  check_action(fcinfo, 1);
  go_through(leaf, batch_size_argument(fcinfo, 2), "retire", mark_retiring, purge_batch);
  PG_RETURN_VOID();
}

// CALL restore_partition(tbl regclass, batch_size int)
Datum chatopt_restore_partition(PG_FUNCTION_ARGS) {
  using namespace chatopt::partitions;
  const Oid leaf = table_argument(fcinfo, "restore_partition", "tbl");
  go_through(leaf, batch_size_argument(fcinfo, 1), "restore", mark_returning, return_batch);
  PG_RETURN_VOID();
}

// is_purging(messages regclass): are there messages that count for nothing?
Datum chatopt_is_purging(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  PG_RETURN_BOOL(has_purged(PG_GETARG_OID(0)));
}
