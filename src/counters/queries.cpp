#include "counters/queries.hpp"

#include "counters/counter_row.hpp"
#include "counters/guard.hpp"
#include "pg/identity.hpp"

namespace chatopt::counters {

const char* qualified_name(Oid relation) {
  return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));
}

const char* quoted_column(Oid relation, AttrNumber column) {
  return quote_identifier(get_attname(relation, column, false));
}

uint64 run_as_owner(const Chat& chat, const char* sql, int keys, const Datum* values) {
  const pg::Identity before = pg::become_owner(chat.owner);
  SPI_connect();
  Oid types[2] = {chat.key_type.type, chat.key_type.type};
  Datum arguments[2] = {keys > 0 ? values[0] : Datum{0}, keys > 1 ? values[1] : Datum{0}};
  const int result = SPI_execute_with_args(sql, keys, types, arguments, nullptr, false, 0);
  if (result < 0) elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
  const uint64 rows = SPI_processed;
  SPI_finish();
  pg::become(before);
  return rows;
}

bool create_counter_row(const Chat& chat, core::Bytes conversation, bool* made) {
  // The conversations table's key is found as the guard trigger names it.
  const AttrNumber key = conversation_key_column(chat);
  const Datum value = pg::datum_of(conversation, chat.key_type);
  StringInfoData sql;
  initStringInfo(&sql);
  appendStringInfo(&sql, "SELECT FROM %s WHERE %s = $1 FOR KEY SHARE", qualified_name(chat.conversations),
                   quoted_column(chat.conversations, key));
  if (run_as_owner(chat, sql.data, 1, &value) == 0) return false;
  resetStringInfo(&sql);
  appendStringInfo(&sql, "INSERT INTO %s (%s) VALUES ($1) ON CONFLICT DO NOTHING", qualified_name(chat.counters),
                   quoted_column(chat.counters, chat.key));
  *made = run_as_owner(chat, sql.data, 1, &value) > 0;
  return true;
}

bool number_is_taken(const Chat& chat, core::Bytes conversation, int64 number) {
  const Source& source = *source_of(chat.messages);
  const Datum value = pg::datum_of(conversation, source.conversation_type);
  StringInfoData sql;
  initStringInfo(&sql);
  appendStringInfo(&sql, "SELECT FROM %s WHERE %s = $1 AND %s = %lld LIMIT 1", qualified_name(chat.messages),
                   quoted_column(chat.messages, source.conversation), quoted_column(chat.messages, source.number),
                   static_cast<long long>(number));
  return run_as_owner(chat, sql.data, 1, &value) > 0;
}

}  // namespace chatopt::counters
