// Writing chatopt.chat, which only its owner may: after checking that the
// caller owns every table named.

#include <cstring>

#include "counters/config.hpp"

#include "counters/chat.hpp"
#include "pg/identity.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_save_chat);
PG_FUNCTION_INFO_V1(chatopt_save_chat_state);
PG_FUNCTION_INFO_V1(chatopt_forget_chat);
PG_FUNCTION_INFO_V1(chatopt_chat_config);
PGDLLEXPORT Datum chatopt_save_chat(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_save_chat_state(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_forget_chat(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_chat_config(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {

Oid config_owner() {
  const Oid table = get_relname_relid("chat", get_namespace_oid("chatopt", false));
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "configuration table chatopt.chat is missing");
  const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
  ReleaseSysCache(tuple);
  return owner;
}

void invalidate(Oid relation) {
  if (OidIsValid(relation) && get_rel_name(relation) != nullptr) CacheInvalidateRelcacheByRelid(relation);
}

}  // namespace

void check_owns(Oid relation) {
  if (!OidIsValid(relation)) return;
  if (get_rel_name(relation) == nullptr)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relation)));
  if (!pg::owns_relation(relation, GetUserId()))
    aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relation));
}

uint64 run_as_config_owner(const char* sql, int count, Oid* types, Datum* values, const char* nulls) {
  const pg::Identity before = pg::become_owner(config_owner());
  SPI_connect();
  const int result = SPI_execute_with_args(sql, count, types, values, nulls, false, 0);
  if (result < 0) elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
  const uint64 rows = SPI_processed;
  SPI_finish();
  pg::become(before);
  return rows;
}

bool config_value(const char* sql, Oid relation, Datum* value) {
  MemoryContext caller = CurrentMemoryContext;
  const pg::Identity before = pg::become_owner(config_owner());
  SPI_connect();
  Oid type = OIDOID;
  Datum argument = ObjectIdGetDatum(relation);
  (void)SPI_execute_with_args(sql, 1, &type, &argument, nullptr, true, 1);
  bool null = true;
  if (SPI_processed == 1) *value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
  if (!null) {
    int16 length;
    bool by_value;
    get_typlenbyval(SPI_gettypeid(SPI_tuptable->tupdesc, 1), &length, &by_value);
    MemoryContext spi = MemoryContextSwitchTo(caller);
    *value = datumCopy(*value, by_value, length);
    MemoryContextSwitchTo(spi);
  }
  SPI_finish();
  pg::become(before);
  return !null;
}

Datum config_row(Oid messages, const char* sql, bool* found) {
  *found = false;
  if (get_rel_name(messages) == nullptr) return Datum{0};
  if (!pg::owns_relation(messages, GetUserId()) &&
      pg_class_aclcheck(messages, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
    aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(messages));
  Datum row = 0;
  *found = config_value(sql, messages, &row);
  return row;
}

void invalidate_chat(Oid messages) {
  SPI_connect();
  Oid type = OIDOID;
  Datum value = ObjectIdGetDatum(messages);
  const pg::Identity before = pg::become_owner(config_owner());
  (void)SPI_execute_with_args(
      "SELECT messages::oid, conversations::oid, coalesce(members::oid, 0::oid), counters::oid FROM chatopt.chat "
      "WHERE messages = $1",
      1, &type, &value, nullptr, true, 1);
  pg::become(before);
  for (uint64 row = 0; row < SPI_processed; ++row)
    for (int column = 1; column <= 4; ++column) {
      bool null;
      invalidate(DatumGetObjectId(
          SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &null)));
    }
  SPI_finish();
}

void write_chat_state(Oid messages, const char* state) {
  Oid types[2] = {OIDOID, TEXTOID};
  Datum values[2] = {ObjectIdGetDatum(messages), CStringGetTextDatum(state)};
  (void)run_as_config_owner("UPDATE chatopt.chat SET state = $2 WHERE messages = $1", 2, types, values, nullptr);
  invalidate_chat(messages);
}

}  // namespace chatopt::counters

// save_chat(messages, conversations, members, counters, state, enforce_conversation, options, undo)
Datum chatopt_save_chat(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  for (const int required : {0, 1, 3, 4, 5, 6, 7})
    if (PG_ARGISNULL(required))
      ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument %d of save_chat is null", required + 1)));
  for (int table = 0; table < 4; ++table)
    if (!PG_ARGISNULL(table)) check_owns(PG_GETARG_OID(table));
  Oid types[8] = {OIDOID, OIDOID, OIDOID, OIDOID, TEXTOID, BOOLOID, JSONBOID, JSONBOID};
  Datum values[8];
  char nulls[9] = "        ";
  for (int i = 0; i < 8; ++i) {
    values[i] = PG_ARGISNULL(i) ? Datum{0} : PG_GETARG_DATUM(i);
    nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
  }
  (void)run_as_config_owner("DELETE FROM chatopt.chat AS c WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = c.messages)",
                            0, nullptr, nullptr, nullptr);
  if (run_as_config_owner("SELECT FROM chatopt.chat AS c WHERE c.messages <> $1 AND (c.conversations IN ($2, $4) OR "
                          "c.counters IN ($2, $4) OR c.members = $3 OR c.messages = $3 OR c.members = $1)",
                          4, types, values, nulls) > 0)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
                    errmsg("a table of the chat of \"%s\" belongs to another attached chat",
                           get_rel_name(PG_GETARG_OID(0))),
                    errhint("Call chatopt.detach for the other chat first, or give the counters a table of their own "
                            "beside conversations of their own.")));
  (void)run_as_config_owner(
      "INSERT INTO chatopt.chat (messages, conversations, members, counters, state, enforce_conversation, options, "
      "undo) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (messages) DO UPDATE SET conversations = "
      "excluded.conversations, members = excluded.members, counters = excluded.counters, state = excluded.state, "
      "enforce_conversation = excluded.enforce_conversation, options = excluded.options, undo = excluded.undo",
      8, types, values, nulls);
  invalidate_chat(PG_GETARG_OID(0));
  PG_RETURN_VOID();
}

Datum chatopt_save_chat_state(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  check_owns(PG_GETARG_OID(0));
  write_chat_state(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)));
  PG_RETURN_VOID();
}

Datum chatopt_forget_chat(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  const Oid messages = PG_GETARG_OID(0);
  // A table that is gone has no owner to ask; its row is nobody's.
  if (get_rel_name(messages) != nullptr) check_owns(messages);
  invalidate_chat(messages);
  Oid type = OIDOID;
  Datum value = PG_GETARG_DATUM(0);
  (void)run_as_config_owner("DELETE FROM chatopt.chat WHERE messages = $1", 1, &type, &value, nullptr);
  PG_RETURN_VOID();
}

// The configuration row of a chat as a record, to whoever may read its messages.
Datum chatopt_chat_config(PG_FUNCTION_ARGS) {
  bool found;
  const Datum row = chatopt::counters::config_row(PG_GETARG_OID(0),
                                                  "SELECT c FROM chatopt.chat AS c WHERE messages = $1", &found);
  if (!found) PG_RETURN_NULL();
  PG_RETURN_DATUM(row);
}
