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

void invalidate(Oid relation) {
  if (OidIsValid(relation) && get_rel_name(relation) != nullptr) CacheInvalidateRelcacheByRelid(relation);
}

}  // namespace

void invalidate_chat(Oid messages) {
  SPI_connect();
  Oid type = OIDOID;
  Datum value = ObjectIdGetDatum(messages);
  const pg::Identity before = pg::become_owner(pg::config_owner());
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
