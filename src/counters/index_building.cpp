// chatopt.build_indexes(): what attach leaves to be built outside a transaction
// is built by a background worker, which then attaches again.

#include "counters/chat.hpp"
#include "counters/verifying.hpp"
#include "pg/worker.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_build_indexes);
PGDLLEXPORT Datum chatopt_build_indexes(PG_FUNCTION_ARGS);
PGDLLEXPORT void chatopt_index_builder(Datum messages);
}

namespace chatopt::counters {
namespace {

struct Statements {
  char** text;
  uint64 count;
};

// attach, as the chat is attached now. The statements it hands out, without the
// comment before each; with dry_run nothing else happens.
constexpr const char* kAttach =
    "SELECT regexp_replace(run.statement, '^--[^\\n]*\\n', '') FROM chatopt.chats AS c, LATERAL chatopt.attach("
    "c.conversations, c.messages, c.members, CASE WHEN c.counters <> c.conversations THEN c.counters END, "
    "enforce_conversation => c.enforce_conversation, dry_run => $2) AS run(statement) "
    "WHERE c.messages = $1 AND starts_with(run.statement, '-- outside a transaction block')";

Statements attach_again(Oid messages, bool dry_run, MemoryContext memory) {
  StartTransactionCommand();
  PushActiveSnapshot(GetTransactionSnapshot());
  SPI_connect();
  Oid types[] = {REGCLASSOID, BOOLOID};
  Datum values[] = {ObjectIdGetDatum(messages), BoolGetDatum(dry_run)};
  if (SPI_execute_with_args(kAttach, 2, types, values, nullptr, false, 0) != SPI_OK_SELECT) elog(ERROR, "query failed");
  Statements statements = {static_cast<char**>(MemoryContextAllocZero(memory, (SPI_processed + 1) * sizeof(char*))),
                           SPI_processed};
  for (uint64 i = 0; i < statements.count; ++i)
    statements.text[i] = MemoryContextStrdup(memory, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
  SPI_finish();
  PopActiveSnapshot();
  CommitTransactionCommand();
  return statements;
}

}  // namespace
}  // namespace chatopt::counters

// build_indexes(messages regclass) RETURNS int
Datum chatopt_build_indexes(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  const Oid messages = PG_GETARG_OID(0);
  PreventCommandIfReadOnly("chatopt.build_indexes()");
  const Chat& chat = *attached_chat(messages);
  check_may_maintain(chat.messages, chat.counters);
  if (!chat.index_missing) PG_RETURN_NULL();
  PG_RETURN_INT32(chatopt::pg::start_worker("chatopt_index_builder", "chatopt index builder", messages, chat.owner));
}

void chatopt_index_builder(Datum argument) {
  using namespace chatopt::counters;
  const Oid messages = DatumGetObjectId(argument);
  chatopt::pg::begin_worker();
  MemoryContext memory = AllocSetContextCreate(TopMemoryContext, "chatopt index builder", ALLOCSET_DEFAULT_SIZES);
  const Statements statements = attach_again(messages, true, memory);
  for (uint64 i = 0; i < statements.count; ++i) chatopt::pg::run_command(statements.text[i]);
  (void)attach_again(messages, false, memory);
}
