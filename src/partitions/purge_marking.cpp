// Where a purge, or its way back, begins and ends: the mark of a partition.

#include "counters/config.hpp"
#include "counters/purge_mark.hpp"
#include "counters/queries.hpp"
#include "partitions/purging.hpp"
#include "pg/identity.hpp"

namespace chatopt::partitions {
namespace {

using counters::Chat;
using counters::PurgeMark;
using counters::qualified_name;
using counters::quoted_column;

uint64 run_on(Oid leaf, Oid parent, const char* sql) {
  Oid types[] = {OIDOID, OIDOID};
  Datum values[] = {ObjectIdGetDatum(leaf), ObjectIdGetDatum(parent)};
  return counters::run_as_config_owner(sql, lengthof(types), types, values, nullptr);
}

void begin(Oid leaf, Oid parent, const char* sql) {
  (void)run_on(leaf, parent,
               "DELETE FROM chatopt.partition_purge AS p WHERE (leaf <> $1 OR parent <> $2) AND (leaf = $1 OR NOT EXISTS "
               "(SELECT FROM pg_class WHERE oid = p.leaf))");
  (void)run_on(leaf, parent, sql);
  CacheInvalidateRelcacheByRelid(leaf);
}

void check_is_leaf(Oid parent, Oid leaf) {
  if (get_rel_relkind(leaf) != RELKIND_RELATION || !get_rel_relispartition(leaf) ||
      !list_member_oid(get_partition_ancestors(leaf), parent))
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is not a partition of \"%s\"", get_rel_name(leaf), get_rel_name(parent))));
}

// Messages of the table whose conversation, or whose number, cannot be counted again.
const char* without_conversation(const Chat& chat, Oid leaf) {
  const counters::Source& source = *counters::source_of(chat.messages);
  const char* conversation = quoted_column(chat.messages, source.conversation);
  return psprintf(
      "SELECT DISTINCT new.%s FROM ONLY %s AS new WHERE new.%s IS NOT NULL AND NOT EXISTS (SELECT FROM %s AS c WHERE c.%s "
      "%s new.%s) ORDER BY 1",
      conversation, qualified_name(leaf), conversation, qualified_name(chat.counters),
      quoted_column(chat.counters, chat.key),
      counters::type_operator(source.conversation_type.type, counters::OrderOperator::kEqual), conversation);
}

const char* with_taken_number(const Chat& chat, Oid leaf) {
  const counters::Source& source = *counters::source_of(chat.messages);
  const char* conversation = quoted_column(chat.messages, source.conversation);
  const char* number = quoted_column(chat.messages, source.number);
  return psprintf(
      "SELECT new.%s, new.%s FROM ONLY %s AS new JOIN %s AS taken ON taken.%s %s new.%s AND taken.%s = new.%s ORDER BY "
      "1, 2",
      conversation, number, qualified_name(leaf), qualified_name(chat.messages), conversation,
      counters::type_operator(source.conversation_type.type, counters::OrderOperator::kEqual), conversation, number,
      number);
}

// The first three rows, as text.
const char* some_of(SPITupleTable* rows, uint64 count) {
  StringInfoData text;
  initStringInfo(&text);
  for (uint64 i = 0; i < Min(count, uint64{3}); ++i) {
    appendStringInfo(&text, "%s%s", i == 0 ? "" : ", ", SPI_getvalue(rows->vals[i], rows->tupdesc, 1));
    if (rows->tupdesc->natts > 1) appendStringInfo(&text, " number %s", SPI_getvalue(rows->vals[i], rows->tupdesc, 2));
  }
  if (count > 3) appendStringInfoString(&text, ", …");
  return text.data;
}

void refuse_if_any(Oid leaf, const char* sql, int code, const char* what) {
  if (SPI_execute(sql, false, 1000) != SPI_OK_SELECT) elog(ERROR, "query of messages failed");
  if (SPI_processed == 0) return;
  ereport(ERROR, (errcode(code), errmsg("table \"%s\" cannot come back", get_rel_name(leaf)),
                  errdetail("%s: %s.", what, some_of(SPI_tuptable, SPI_processed))));
}

void check_can_return(const Chat& chat, Oid leaf) {
  const pg::Identity before = pg::become_owner(chat.owner, SECURITY_RESTRICTED_OPERATION);
  SPI_connect();
  refuse_if_any(leaf, without_conversation(chat, leaf), ERRCODE_FOREIGN_KEY_VIOLATION,
                "It has messages of conversations that do not exist any more");
  refuse_if_any(leaf, with_taken_number(chat, leaf), ERRCODE_UNIQUE_VIOLATION,
                "It has messages whose numbers are on others by now");
  SPI_finish();
  pg::become(before);
}

}  // namespace

const Chat& chat_to_purge(Oid parent) {
  const Chat& chat = *counters::attached_chat(parent);
  if (chat.disabled || chat.filling || chat.index_missing)
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("the chat of table \"%s\" is %s", get_rel_name(parent), chat.disabled ? "disabled" : "not filled in"),
             errdetail("The messages of a partition are taken out of the counters before it goes."),
             chat.disabled ? errhint("Call chatopt.enable first.") : errhint("CALL chatopt.backfill first.")));
  return chat;
}

bool is_chat_partition(Oid parent) {
  const Chat* chat = counters::find_chat(parent);
  return chat != nullptr && chat->messages == parent;
}

void mark_retiring(Oid parent, Oid leaf) {
  (void)chat_to_purge(parent);
  LockRelationOid(parent, AccessShareLock);
  check_is_leaf(parent, leaf);
  const PurgeMark mark = counters::purge_mark_now(leaf);
  if (mark.parent == parent && !mark.returning) return;
  // Whoever writes to it now has no notion of the mark.
  if (mark.parent != parent) LockRelationOid(leaf, ShareLock);
  begin(leaf, parent,
        "INSERT INTO chatopt.partition_purge AS p (leaf, parent, direction) VALUES ($1, $2, 'retiring') ON CONFLICT "
        "(leaf) DO UPDATE SET direction = 'retiring', messages = 0");
}

void mark_returning(Oid parent, Oid leaf) {
  const Chat& chat = chat_to_purge(parent);
  LockRelationOid(parent, AccessShareLock);
  const PurgeMark mark = counters::purge_mark_now(leaf);
  if (get_rel_relispartition(leaf)) {
    check_is_leaf(parent, leaf);
    if (mark.parent != parent)
      ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                      errmsg("partition \"%s\" is not being retired", get_rel_name(leaf))));
  } else {
    LockRelationOid(leaf, ShareLock);
    check_can_return(chat, leaf);
  }
  begin(leaf, parent,
        "INSERT INTO chatopt.partition_purge AS p (leaf, parent, direction, finished) VALUES ($1, $2, 'returning', true) "
        "ON CONFLICT (leaf) DO UPDATE SET direction = 'returning', messages = 0");
}

void forget_purge(Oid leaf) {
  (void)run_on(leaf, InvalidOid, "DELETE FROM chatopt.partition_purge WHERE leaf = $1 AND $2 IS NOT NULL");
  if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(leaf))) CacheInvalidateRelcacheByRelid(leaf);
}

}  // namespace chatopt::partitions
