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

// One worker a table at a time: it would take the other's index, under construction, for one that an earlier try left
// broken. Kept through the transactions of the work, until unlock_table() or an error; the next one waits here, with no
// snapshot that would keep the first waiting.
bool lock_table(Oid messages, LockRelId* id) {
  StartTransactionCommand();
  Relation relation = try_relation_open(messages, ShareUpdateExclusiveLock);
  if (relation != nullptr) {
    *id = relation->rd_lockInfo.lockRelId;
    LockRelationIdForSession(id, ShareUpdateExclusiveLock);
    relation_close(relation, NoLock);
  }
  CommitTransactionCommand();
  return relation != nullptr;
}

// PostgreSQL does not release it when the process ends.
void unlock_table(LockRelId* id) { UnlockRelationIdForSession(id, ShareUpdateExclusiveLock); }

struct Statements {
  char** text;
  uint64 count;
};

constexpr int kRounds = 3;  // again for partitions that came meanwhile

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

void build(Oid messages, MemoryContext memory) {
  Statements left = attach_again(messages, true, memory);
  for (int round = 0; round < kRounds; ++round) {
    for (uint64 i = 0; i < left.count; ++i) pg::run_command(left.text[i]);
    left = attach_again(messages, false, memory);
    if (left.count == 0) return;
  }
  ereport(LOG, (errmsg("indexes of table %u are still missing", messages),
                errhint("Call chatopt.build_indexes again.")));
}

}  // namespace
}  // namespace chatopt::counters

// build_indexes(messages regclass) RETURNS int
Datum chatopt_build_indexes(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  const Oid messages = PG_GETARG_OID(0);
  PreventCommandIfReadOnly("chatopt.build_indexes()");
  if (IsTransactionBlock())
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                    errmsg("chatopt.build_indexes cannot run inside a transaction block"),
                    errdetail("The background worker would not see what the transaction has done."),
                    errhint("Call it after COMMIT.")));
  const Chat& chat = *attached_chat(messages);
  check_may_maintain(chat.messages, chat.counters);
  if (!chat.index_missing) PG_RETURN_NULL();
  PG_RETURN_INT32(chatopt::pg::start_worker({.entry = "chatopt_index_builder",
                                             .name = "chatopt index builder",
                                             .argument = ObjectIdGetDatum(messages),
                                             .database = MyDatabaseId,
                                             .owner = chat.owner}));
}

void chatopt_index_builder(Datum argument) {
  using namespace chatopt::counters;
  const Oid messages = DatumGetObjectId(argument);
  chatopt::pg::begin_worker();
  MemoryContext memory = AllocSetContextCreate(TopMemoryContext, "chatopt index builder", ALLOCSET_DEFAULT_SIZES);
  LockRelId locked;
  if (!lock_table(messages, &locked)) return;
  build(messages, memory);
  unlock_table(&locked);
}
