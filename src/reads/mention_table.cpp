#include "reads/mention_table.hpp"

#include <cstring>

#include "counters/follower.hpp"
#include "counters/ledgers.hpp"
#include "counters/queries.hpp"
#include "counters/writing.hpp"
#include "pg/boundary.hpp"
#include "pg/identity.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_mentions_changed);
PGDLLEXPORT Datum chatopt_mentions_changed(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

[[noreturn]] void raise_incomplete(Oid table) {
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("the chatopt triggers of table \"%s\" are not complete", get_rel_name(table)),
                  errhint("Call chatopt.track_reads with mentions => '...' again: it puts back what is missing.")));
  pg_unreachable();
}

// 0: none.
AttrNumber column_in_role(Oid table, const char* role) {
  counters::Role roles[counters::kMostRoles];
  const int count = counters::roles_of(table, roles);
  for (int i = 0; i < count; ++i)
    if (strcmp(roles[i].name, role) == 0) return roles[i].column;
  return 0;
}

bool is_immediate(Oid constraint) {
  HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
  if (!HeapTupleIsValid(tuple)) return false;
  const auto* form = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple));
  const bool result = !form->condeferrable && form->convalidated;
  ReleaseSysCache(tuple);
  return result;
}

// Messages that a statement's rows are of, as they are now, by (conversation, number).
const char* places_query(const Reads& reads, TriggerData* data) {
  const Oid messages = reads.chat->messages;
  const counters::Source& source = *counters::source_of(messages);
  const char* message = counters::quoted_column(reads.mention_table, mention_columns(reads.mention_table).message);
  const char* conversation = counters::quoted_column(messages, source.conversation);
  const char* number = counters::quoted_column(messages, source.number);
  StringInfoData rows;
  initStringInfo(&rows);
  for (const char* table : {data->tg_trigger->tgoldtable, data->tg_trigger->tgnewtable})
    if (table != nullptr)
      appendStringInfo(&rows, "%sSELECT %s AS message FROM %s", rows.len == 0 ? "" : " UNION ", message,
                       quote_identifier(table));
  return psprintf(
      "SELECT DISTINCT new.%s, new.%s::bigint FROM (%s) AS t JOIN %s AS new ON new.%s = t.message WHERE new.%s IS NOT "
      "NULL AND new.%s IS NOT NULL",
      conversation, number, rows.data, counters::qualified_name(messages),
      counters::quoted_column(messages, source.key), conversation, number);
}

// A plan for each kind of statement on one table.
struct Kept {
  Oid table;
  uint64 generation;
  SPIPlanPtr plan[2][2];  // with old rows, with new ones
};
constinit Kept kept = {InvalidOid, 0, {}};

SPIPlanPtr plan_for(const Reads& reads, TriggerData* data) {
  const uint64 generation = counters::cache_generation();
  if (kept.table != reads.mention_table || kept.generation != generation) {
    for (auto& plans : kept.plan)
      for (SPIPlanPtr& plan : plans) {
        if (plan != nullptr) (void)SPI_freeplan(plan);
        plan = nullptr;
      }
    kept.table = reads.mention_table;
    kept.generation = generation;
  }
  SPIPlanPtr* plan = &kept.plan[data->tg_oldtable != nullptr][data->tg_newtable != nullptr];
  if (*plan == nullptr) {
    SPIPlanPtr made = SPI_prepare(places_query(reads, data), 0, nullptr);
    if (made == nullptr || SPI_keepplan(made) != 0)
      elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
    *plan = made;
  }
  return *plan;
}

// Of the messages found: were all their counters locked already, and which they are, in one number.
struct Found {
  bool all_locked;
  uint64 fingerprint;
};

void note_place(const Reads& reads, core::Ledger& ledger, Datum conversation, int64 number, Found* found) {
  const core::Bytes key = pg::image_of(&conversation, reads.conversation_type);
  core::Counter& counter = counters::counter_of(*reads.chat, ledger, key);
  found->all_locked = found->all_locked && counter.locked();
  found->fingerprint += hash_bytes_extended(reinterpret_cast<const unsigned char*>(key.data()),
                                            static_cast<int>(key.size()), static_cast<uint64>(number));
  pg::cpp_zone([&ledger, &counter, number] { ledger.mentions_changed(counter, number); });
}

Found note_places(const Reads& reads, TriggerData* data, core::Ledger& ledger) {
  Found found = {true, 0};
  const pg::Identity before = pg::become_owner(reads.chat->owner);
  SPI_connect();
  if (SPI_register_trigger_data(data) != SPI_OK_TD_REGISTER) elog(ERROR, "rows of a trigger are not to be had");
  if (SPI_execute_plan(plan_for(reads, data), nullptr, nullptr, false, 0) != SPI_OK_SELECT)
    elog(ERROR, "query of messages failed");
  SPITupleTable* rows = SPI_tuptable;
  for (uint64 i = 0; i < SPI_processed; ++i) {
    bool null;
    const Datum conversation = SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &null);
    const int64 number = DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &null));
    note_place(reads, ledger, conversation, number, &found);
  }
  SPI_finish();
  pg::become(before);
  return found;
}

// A message may move while its counter is waited for. What was found while all counters were locked stays so.
void follow_rows(const Reads& reads, TriggerData* data) {
  auto& ledger = counters::ledger();
  uint64 before = 0;
  for (bool done = false; !done;) {
    const Found found = note_places(reads, data, ledger);
    counters::write_noted(ledger);
    done = found.all_locked || found.fingerprint == before;
    before = found.fingerprint;
  }
}

bool has_rows(const TriggerData* data) {
  return (data->tg_oldtable != nullptr && tuplestore_tuple_count(data->tg_oldtable) > 0) ||
         (data->tg_newtable != nullptr && tuplestore_tuple_count(data->tg_newtable) > 0);
}

void follow(TriggerData* data) {
  const Oid table = RelationGetRelid(data->tg_relation);
  const counters::Chat* chat = chat_of_mention_table(table);
  if (chat == nullptr)
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("table \"%s\" does not hold the mentions of a chat", get_rel_name(table)),
             errdetail("It carries triggers of chatopt, but chatopt's configuration does not name it, as after a "
                       "restore of some tables only."),
             errhint("Call chatopt.track_reads for the messages table, or drop the triggers.")));
  if (chat->disabled || chat->reads == nullptr || chat->reads->mention_table != table) return;
  if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
    (void)counters::run_as_owner(*chat, psprintf("DELETE FROM %s", counters::qualified_name(chat->reads->mentions)), 0,
                                 nullptr);
  else if (has_rows(data))
    follow_rows(*chat->reads, data);
}

}  // namespace

MentionColumns mention_columns(Oid table) {
  const MentionColumns columns = {column_in_role(table, "message"), column_in_role(table, "member")};
  if (columns.message == 0 || columns.member == 0) raise_incomplete(table);
  return columns;
}

bool mentions_come_after(const counters::Chat& chat, Oid table) {
  Relation relation = table_open(table, AccessShareLock);
  bool result = false;
  ListCell* cell;
  const AttrNumber key = column_in_role(chat.messages, "message_id");
  foreach (cell, RelationGetFKeyList(relation)) {
    const auto* foreign = static_cast<const ForeignKeyCacheInfo*>(lfirst(cell));
    result = result || (foreign->confrelid == chat.messages && foreign->nkeys == 1 && foreign->confkey[0] == key &&
                        foreign->conkey[0] == mention_columns(table).message && pg::is_enforced(*foreign) &&
                        is_immediate(foreign->conoid));
  }
  table_close(relation, AccessShareLock);
  return result;
}

}  // namespace chatopt::reads

// A trigger for each statement; and one for each row that is there for the columns it names.
Datum chatopt_mentions_changed(PG_FUNCTION_ARGS) {
  auto* data = CALLED_AS_TRIGGER(fcinfo) ? reinterpret_cast<TriggerData*>(fcinfo->context) : nullptr;
  if (data == nullptr)
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("function \"mentions_changed\" must be fired by a trigger of chatopt.track_reads")));
  if (TRIGGER_FIRED_FOR_ROW(data->tg_event))
    return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple);
  if (TRIGGER_FIRED_AFTER(data->tg_event)) chatopt::reads::follow(data);
  return PointerGetDatum(nullptr);
}
