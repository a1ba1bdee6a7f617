// chatopt.conversation_changed(): AFTER INSERT OR DELETE OR UPDATE OF key on the
// conversations table, where counters have a table of their own or chatopt
// stands in for the foreign key from messages. Its arguments are the foreign
// key's actions on delete and on update, as letters of pg_constraint, or empty.

#include "counters/follower.hpp"
#include "counters/guard.hpp"
#include "counters/queries.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_conversation_changed);
PG_FUNCTION_INFO_V1(chatopt_conversations_truncated);
PGDLLEXPORT Datum chatopt_conversation_changed(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_conversations_truncated(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {


void run(const Chat& chat, const Datum* keys, int count, const char* format, const char* table, const char* column) {
  (void)run_as_owner(chat, psprintf(format, table, column), count, keys);
}

void refuse_if_referenced(const Chat& chat, Datum key, const char* messages, const char* column) {
  const char* sql = psprintf("SELECT FROM %s WHERE %s = $1 LIMIT 1", messages, column);
  if (run_as_owner(chat, sql, 1, &key) == 0) return;
  Oid output;
  bool varlena;
  getTypeOutputInfo(chat.key_type.type, &output, &varlena);
  ereport(ERROR, (errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
                  errmsg("update or delete on table \"%s\" would leave messages without their conversation",
                         get_rel_name(chat.conversations)),
                  errdetail("Key (%s)=(%s) is still referenced from table \"%s\".",
                            get_attname(chat.conversations, conversation_key_column(chat), false), OidOutputFunctionCall(output, key),
                            get_rel_name(chat.messages))));
}

// What the foreign key that was replaced would have done to the messages.
void act_on_messages(const Chat& chat, char action, const Datum* keys, bool deleted) {
  const Source& source = *source_of(chat.messages);
  const char* messages = qualified_name(chat.messages);
  const char* column = quoted_column(chat.messages, source.conversation);
  switch (action) {
    case FKCONSTR_ACTION_CASCADE:
      if (deleted)
        run(chat, keys, 1, "DELETE FROM %s WHERE %s = $1", messages, column);
      else
        (void)run_as_owner(chat, psprintf("UPDATE %s SET %s = $2 WHERE %s = $1", messages, column, column), 2, keys);
      break;
    case FKCONSTR_ACTION_SETNULL:
      (void)run_as_owner(chat, psprintf("UPDATE %s SET %s = NULL WHERE %s = $1", messages, column, column), 1, keys);
      break;
    case FKCONSTR_ACTION_SETDEFAULT:
      (void)run_as_owner(chat, psprintf("UPDATE %s SET %s = DEFAULT WHERE %s = $1", messages, column, column), 1,
                         keys);
      break;
    default:
      refuse_if_referenced(chat, keys[0], messages, column);
  }
}

// Counters of their own table come, go and change their key with the conversation.
void keep_counter_row(const Chat& chat, TriggerEvent event, const Datum* keys) {
  const char* counters = qualified_name(chat.counters);
  const char* key = quoted_column(chat.counters, chat.key);
  if (TRIGGER_FIRED_BY_INSERT(event))
    run(chat, keys, 1, "INSERT INTO %s (%s) VALUES ($1) ON CONFLICT DO NOTHING", counters, key);
  else if (TRIGGER_FIRED_BY_DELETE(event))
    run(chat, keys, 1, "DELETE FROM %s WHERE %s = $1", counters, key);
  else
    (void)run_as_owner(chat, psprintf("UPDATE %s SET %s = $2 WHERE %s = $1", counters, key, key), 2, keys);
}

bool same_key(const Chat& chat, Datum a, Datum b) {
  return datum_image_eq(a, b, chat.key_type.by_value, chat.key_type.length);
}

void changed(const Chat& chat, TriggerData* data) {
  TupleDesc descriptor = RelationGetDescr(data->tg_relation);
  const AttrNumber column = data->tg_trigger->tgattr[0];
  const bool update = TRIGGER_FIRED_BY_UPDATE(data->tg_event);
  bool null;
  Datum keys[2];
  keys[0] = heap_getattr(data->tg_trigtuple, column, descriptor, &null);
  keys[1] = update ? heap_getattr(data->tg_newtuple, column, descriptor, &null) : keys[0];
  if (update && same_key(chat, keys[0], keys[1])) return;
  if (chat.counters != chat.conversations) keep_counter_row(chat, data->tg_event, keys);
  if (chat.reads != nullptr && !TRIGGER_FIRED_BY_INSERT(data->tg_event))
    follower()->conversation_gone(chat, keys[0], update ? &keys[1] : nullptr);
  if (!chat.enforce || TRIGGER_FIRED_BY_INSERT(data->tg_event)) return;
  const char* action = data->tg_trigger->tgargs[update ? 1 : 0];
  act_on_messages(chat, action[0], keys, !update);
}

}  // namespace
}  // namespace chatopt::counters

Datum chatopt_conversation_changed(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  auto* data = CALLED_AS_TRIGGER(fcinfo) ? reinterpret_cast<TriggerData*>(fcinfo->context) : nullptr;
  if (data == nullptr || !TRIGGER_FIRED_AFTER(data->tg_event) || !TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
      data->tg_trigger->tgnattr != 1 || data->tg_trigger->tgnargs != 2)
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function \"conversation_changed\" must be fired by a trigger of chatopt.attach")));
  const Chat* chat = chat_of_conversations(RelationGetRelid(data->tg_relation));
  if (chat != nullptr && !chat->disabled) changed(*chat, data);
  return PointerGetDatum(nullptr);
}

// AFTER TRUNCATE of the conversations: counters of their own table go too. With
// the foreign key gone, messages must have gone in the same statement.
Datum chatopt_conversations_truncated(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  auto* data = CALLED_AS_TRIGGER(fcinfo) ? reinterpret_cast<TriggerData*>(fcinfo->context) : nullptr;
  if (data == nullptr || !TRIGGER_FIRED_BY_TRUNCATE(data->tg_event) || !TRIGGER_FIRED_AFTER(data->tg_event))
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function \"conversations_truncated\" must be fired AFTER TRUNCATE")));
  const Chat* chat = chat_of_conversations(RelationGetRelid(data->tg_relation));
  if (chat == nullptr || chat->disabled) return PointerGetDatum(nullptr);
  if (chat->enforce &&
      run_as_owner(*chat, psprintf("SELECT FROM %s LIMIT 1", qualified_name(chat->messages)), 0, nullptr) > 0)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot truncate table \"%s\": its conversations have messages",
                           RelationGetRelationName(data->tg_relation)),
                    errdetail("Table \"%s\" refers to it through chatopt (enforce_conversation).",
                              get_rel_name(chat->messages)),
                    errhint("Truncate table \"%s\" at the same time.", get_rel_name(chat->messages))));
  if (chat->reads != nullptr) follower()->conversations_truncated(*chat);
  if (chat->counters != chat->conversations)
    (void)run_as_owner(*chat, psprintf("DELETE FROM %s", qualified_name(chat->counters)), 0, nullptr);
  return PointerGetDatum(nullptr);
}
