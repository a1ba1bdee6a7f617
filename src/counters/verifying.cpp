// chatopt.verify(): what is stored against what a count in plain SQL says.

#include "counters/verifying.hpp"

#include "counters/drift.hpp"
#include "counters/guard.hpp"
#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"
#include "pg/identity.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_verify);
PGDLLEXPORT Datum chatopt_verify(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {

struct Names {
  const char* messages;
  const char* conversations;
  const char* conversation_key;
  const char* counters;
  const char* key;
  const char* conversation;
  const char* number;
  const char* message_key;
  const char* time;  // "NULL" where there is none
  const char* counted;  // and not purged
};

Names names_of(const Chat& chat) {
  const Source& source = *source_of(chat.messages);
  const auto column = [&](AttrNumber attribute) { return quoted_column(chat.messages, attribute); };
  return {qualified_name(chat.messages),
          qualified_name(chat.conversations),
          quoted_column(chat.conversations, conversation_key_column(chat)),
          qualified_name(chat.counters),
          quoted_column(chat.counters, chat.key),
          column(source.conversation),
          column(source.number),
          column(source.key),
          source.time == 0 ? "NULL" : column(source.time),
          psprintf("((%s)%s)", counted_condition(chat.messages, "new"),
                   purged_condition(chat, "new", ActiveSnapshotSet() ? GetActiveSnapshot() : GetLatestSnapshot()))};
}

const char* counter_column(const Chat& chat, AttrNumber column) {
  return column == 0 ? "NULL" : psprintf("c.%s", quoted_column(chat.counters, column));
}

// Which conversations are looked at: all, one, or a sample. $1 is one key or NULL, $2 the share.
void append_picked(StringInfo sql, const Chat& chat, const Names& names) {
  appendStringInfo(sql,
                   "WITH picked AS MATERIALIZED (SELECT c.%s AS key, %s AS last, %s AS messages, %s AS members, "
                   "%s AS last_id, %s AS last_at FROM %s AS c WHERE ($1 IS NULL OR c.%s = $1) AND ($2 >= 1 OR "
                   "random() < $2)%s)",
                   names.key, counter_column(chat, chat.last_sequence_number), counter_column(chat, chat.message_count),
                   counter_column(chat, chat.member_count), counter_column(chat, chat.last_message_id),
                   counter_column(chat, chat.last_message_at), names.counters, names.key,
                   chat.filling ? psprintf(" AND c.%s IS NOT NULL",
                                           quoted_column(chat.counters, chat.last_sequence_number))
                                : "");
}

// For a part of the conversations only their messages are read, by index.
const char* only_picked(const char* column) {
  return psprintf("($1 IS NULL AND $2 >= 1 OR new.%s IN (SELECT key FROM picked))", column);
}

void append_counts(StringInfo sql, const Chat& chat, const Names& names) {
  appendStringInfo(sql,
                   ", counts AS (SELECT new.%s AS key, count(*) FILTER (WHERE %s) AS messages, max(new.%s) AS greatest, "
                   "max(new.%s) FILTER (WHERE %s) AS last, count(*) FILTER (WHERE new.%s IS NULL) AS unnumbered "
                   "FROM %s AS new WHERE new.%s IS NOT NULL AND %s GROUP BY new.%s)",
                   names.conversation, names.counted, names.number, names.number, names.counted, names.number,
                   names.messages, names.conversation, only_picked(names.conversation), names.conversation);
  appendStringInfo(sql,
                   ", lasts AS (SELECT DISTINCT ON (n.key) n.key, new.%s AS id, %s AS at FROM counts AS n JOIN %s AS "
                   "new ON new.%s = n.key AND new.%s = n.last AND %s ORDER BY n.key)",
                   names.message_key, source_of(chat.messages)->time == 0 ? "NULL" : psprintf("new.%s", names.time),
                   names.messages, names.conversation, names.number, names.counted);
  if (OidIsValid(chat.members) && chat.member_count != 0) {
    const Source& members = *source_of(chat.members);
    const char* conversation = quoted_column(chat.members, members.conversation);
    appendStringInfo(sql,
                     ", joined AS (SELECT new.%s AS key, count(*) AS members FROM %s AS new WHERE %s AND %s GROUP BY "
                     "new.%s)",
                     conversation, qualified_name(chat.members), counted_condition(chat.members, "new"),
                     only_picked(conversation), conversation);
  } else {
    appendStringInfoString(sql, ", joined AS (SELECT p.key, NULL::bigint AS members FROM picked AS p)");
  }
}

// One kind of difference in a counter row: stored against actual, as text.
void append_difference(StringInfo sql, const char* counter, const char* stored, const char* actual,
                       const char* differs) {
  appendStringInfo(sql, " UNION ALL SELECT p.key::text, '%s', (%s)::text, (%s)::text FROM compared AS p WHERE %s",
                   counter, stored, actual, differs);
}

void append_counter_differences(StringInfo sql, const Chat& chat) {
  appendStringInfoString(
      sql,
      ", compared AS (SELECT p.*, n.greatest, coalesce(n.messages, 0) AS actual_messages, coalesce(n.unnumbered, 0) AS "
      "unnumbered, coalesce(j.members, 0) AS actual_members, l.id AS actual_id, l.at AS actual_at FROM picked AS p "
      "LEFT JOIN counts AS n USING (key) LEFT JOIN joined AS j USING (key) LEFT JOIN lasts AS l USING (key))"
      " SELECT NULL::text, NULL::text, NULL::text, NULL::text WHERE false");
  append_difference(sql, "last_sequence_number", "p.last", "coalesce(p.greatest, 0)",
                    "p.last IS NULL OR p.last < p.greatest");
  append_difference(sql, "unnumbered messages", "NULL", "p.unnumbered", "p.unnumbered > 0");
  if (chat.message_count != 0)
    append_difference(sql, "message_count", "p.messages", "p.actual_messages",
                      "p.messages IS DISTINCT FROM p.actual_messages");
  if (chat.member_count != 0)
    append_difference(sql, "member_count", "p.members", "p.actual_members",
                      "p.members IS DISTINCT FROM p.actual_members");
  if (chat.last_message_id != 0)
    append_difference(sql, "last_message_id", "p.last_id", "p.actual_id", "p.last_id IS DISTINCT FROM p.actual_id");
  if (chat.last_message_at != 0)
    append_difference(sql, "last_message_at", "p.last_at", "p.actual_at", "p.last_at IS DISTINCT FROM p.actual_at");
}

// Numbers given twice, and messages of no conversation.
void append_message_differences(StringInfo sql, const Names& names) {
  appendStringInfo(sql,
                   " UNION ALL SELECT new.%s::text, 'duplicate number', new.%s::text, count(*)::text FROM %s AS new "
                   "WHERE new.%s IS NOT NULL AND new.%s IS NOT NULL AND %s GROUP BY new.%s, new.%s HAVING count(*) > 1",
                   names.conversation, names.number, names.messages, names.conversation, names.number,
                   only_picked(names.conversation), names.conversation, names.number);
  appendStringInfo(sql,
                   " UNION ALL SELECT new.%s::text, 'unknown conversation', NULL, count(*)::text FROM %s AS new WHERE "
                   "new.%s IS NOT NULL AND ($1 IS NULL OR new.%s = $1) AND $2 >= 1 AND NOT EXISTS (SELECT FROM %s AS c "
                   "WHERE c.%s = new.%s) GROUP BY new.%s",
                   names.conversation, names.messages, names.conversation, names.conversation, names.conversations,
                   names.conversation_key, names.conversation, names.conversation);
}

// Conversations without a row in the counter table. One without messages may
// wait for its first.
void append_missing_rows(StringInfo sql, const Names& names) {
  appendStringInfo(sql,
                   " UNION ALL SELECT o.%s::text, 'counter row', NULL, 'missing' FROM %s AS o WHERE ($1 IS NULL OR o.%s "
                   "= $1) AND $2 >= 1 AND NOT EXISTS (SELECT FROM %s AS c WHERE c.%s = o.%s) AND EXISTS (SELECT FROM %s "
                   "AS new WHERE new.%s = o.%s)",
                   names.conversation_key, names.conversations, names.conversation_key, names.counters, names.key,
                   names.conversation_key, names.messages, names.conversation, names.conversation_key);
}

// Triggers of ours that are missing, switched off or altered, on the tables and
// their partitions. Needs nothing but the configuration: they may all be gone.
const char* trigger_query(const Config& config) {
  StringInfoData sql;
  initStringInfo(&sql);
  appendStringInfo(
      &sql,
      "SELECT NULL::text, 'trigger ' || e.name, CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'O' THEN NULL ELSE "
      "CASE WHEN t.oid IS NULL THEN 'missing' ELSE 'altered' END END, e.place::text FROM ("
      "SELECT tree.relid AS place, n.name FROM (VALUES (%u::oid::regclass, true), (%u::oid::regclass, false)) AS "
      "tables(root, messages) CROSS JOIN LATERAL (SELECT p.relid, p.isleaf, p.relid = tables.root AS is_root FROM "
      "pg_partition_tree(tables.root) AS p UNION SELECT tables.root, true, true) AS tree CROSS JOIN (VALUES "
      "('zzz_chatopt_number', true, false), ('aaa_chatopt_insert', false, false), ('aaa_chatopt_update', false, false), "
      "('aaa_chatopt_delete', false, false), ('aaa_chatopt_truncate', false, true), ('zzz_chatopt_truncate', false, "
      "true)) AS n(name, messages_only, leaves_only) WHERE tables.root <> 0 AND (tables.messages OR NOT "
      "n.messages_only) AND (NOT n.leaves_only OR tree.isleaf OR tree.is_root)"
      " UNION SELECT %u::oid::regclass, 'zzz_chatopt_guard'",
      config.messages, config.members, config.counters);
  if (config.counters != config.conversations || config.enforce)
    appendStringInfo(&sql,
                     " UNION SELECT %u::oid::regclass, name FROM (VALUES ('aaa_chatopt_conversation'), "
                     "('zzz_chatopt_truncate')) AS c(name)",
                     config.conversations);
  if (config.counters != config.conversations)
    appendStringInfo(&sql, " UNION SELECT %u::oid::regclass, 'zzz_chatopt_guard'", config.conversations);
  follower()->append_triggers(&sql, config);
  appendStringInfoString(&sql,
                         ") AS e LEFT JOIN pg_trigger AS t ON t.tgrelid = e.place AND t.tgname = e.name WHERE "
                         "t.tgenabled IS DISTINCT FROM 'O' ORDER BY 4, 2");
  return sql.data;
}

// Do the triggers that name the columns stand?
bool columns_are_known(const Config& config) {
  Role roles[kMostRoles];
  return roles_of(config.messages, roles) > 0 && roles_of(config.counters, roles) > 0 &&
         roles_of(config.conversations, roles) > 0 && find_counted_condition(config.messages, "new") != nullptr &&
         (!OidIsValid(config.members) || find_counted_condition(config.members, "new") != nullptr);
}

Datum key_argument(const Chat& chat, Datum given) {
  Oid input;
  Oid parameter;
  getTypeInputInfo(chat.key_type.type, &input, &parameter);
  return OidInputFunctionCall(input, TextDatumGetCString(given), parameter, -1);
}

void verify(FunctionCallInfo fcinfo, const Config& config) {
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Drift drift = {result->setResult, result->setDesc, PG_ARGISNULL(1), Datum{0}, PG_GETARG_FLOAT8(2)};
  SPI_connect();
  if (!config.disabled) add_drift_rows(drift, trigger_query(config), 0, nullptr, nullptr, nullptr);
  if (columns_are_known(config)) {
    const Chat& chat = *attached_chat(config.messages);
    if (!drift.all) drift.key = key_argument(chat, PG_GETARG_DATUM(1));
    const pg::Identity before = pg::become_owner(chat.owner);
    add_drift_of(chat, drift, verify_query(chat));
    if (chat.reads != nullptr) follower()->verify(chat, drift);
    pg::become(before);
  }
  SPI_finish();
}

}  // namespace

const char* verify_query(const Chat& chat) {
  const Names names = names_of(chat);
  StringInfoData sql;
  initStringInfo(&sql);
  append_picked(&sql, chat, names);
  append_counts(&sql, chat, names);
  append_counter_differences(&sql, chat);
  append_message_differences(&sql, names);
  if (chat.counters != chat.conversations && !chat.filling) append_missing_rows(&sql, names);
  appendStringInfoString(&sql, " ORDER BY 1 NULLS FIRST, 2, 3");
  return sql.data;
}

void check_may_maintain(Oid messages, Oid counters) {
  for (const Oid table : {messages, counters})
    if (!pg::owns_relation(table, GetUserId()))
      aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(table));
}

}  // namespace chatopt::counters

// verify(messages regclass, conversation text, sample float8) -> TABLE
Datum chatopt_verify(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("messages and sample must not be null")));
  const float8 sample = PG_GETARG_FLOAT8(2);
  if (!(sample > 0 && sample <= 1))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("sample must be greater than 0 and at most 1"),
                    errhint("0.01 looks at about one conversation in a hundred.")));
  const Config config = attached_config(PG_GETARG_OID(0));
  check_may_maintain(config.messages, config.counters);
  InitMaterializedSRF(fcinfo, 0);
  verify(fcinfo, config);
  return Datum{0};
}
