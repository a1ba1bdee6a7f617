// The functions in the WHEN of our AFTER ROW triggers. PostgreSQL evaluates WHEN
// right after each row landed, was changed or removed, before the statement's
// next row; so this is where a row is noted. They return true once a statement:
// the one event this queues is chatopt.write_counters(), at the statement's end.
//
// Everybody may execute them, as WHEN asks for it. They take nothing on trust:
// only the executor, evaluating a trigger's WHEN, can pass OLD's or NEW's
// tableoid and ctid in the form that genuine() asks for, so what they are told
// has happened. Called by hand they refuse.

#include "counters/site.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_message_inserted);
PG_FUNCTION_INFO_V1(chatopt_message_updated);
PG_FUNCTION_INFO_V1(chatopt_message_deleted);
PG_FUNCTION_INFO_V1(chatopt_member_inserted);
PG_FUNCTION_INFO_V1(chatopt_member_updated);
PG_FUNCTION_INFO_V1(chatopt_member_deleted);
PGDLLEXPORT Datum chatopt_message_inserted(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_message_updated(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_message_deleted(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_member_inserted(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_member_updated(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_member_deleted(PG_FUNCTION_ARGS);
}

namespace chatopt::counters {
namespace {

// In a WHEN clause at run time OLD is INNER_VAR and NEW is OUTER_VAR; in every
// other expression those stand for the outputs of a plan below, which are never
// system columns.
bool is_row_of_trigger(const Node* argument, AttrNumber system_column) {
  if (argument == nullptr || !IsA(argument, Var)) return false;
  const auto* var = reinterpret_cast<const Var*>(argument);
  return (var->varno == INNER_VAR || var->varno == OUTER_VAR) && var->varattno == system_column;
}

bool genuine(FunctionCallInfo fcinfo) {
  auto* call = reinterpret_cast<FuncExpr*>(fcinfo->flinfo->fn_expr);
  return call != nullptr && IsA(call, FuncExpr) && list_length(call->args) >= 2 &&
         is_row_of_trigger(static_cast<Node*>(linitial(call->args)), TableOidAttributeNumber) &&
         is_row_of_trigger(static_cast<Node*>(lsecond(call->args)), SelfItemPointerAttributeNumber);
}

[[noreturn]] void raise_by_hand() {
  ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                  errmsg("this function can only be called in the WHEN clause of a chatopt trigger"),
                  errhint("chatopt.attach creates these triggers.")));
  pg_unreachable();
}

// The call site, ready for this row; NULL when there is nothing to note.
Site* ready_site(FunctionCallInfo fcinfo) {
  auto* site = static_cast<Site*>(fcinfo->flinfo->fn_extra);
  if (site == nullptr) {
    if (!genuine(fcinfo)) raise_by_hand();
    site = site_of(fcinfo);
  }
  const Oid relation = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
  if (site->source == nullptr || site->generation != cache_generation() || site->relation != relation) {
    // A row moved between partitions is noted on the leaves; for the root's own
    // foreign keys PostgreSQL evaluates the root's triggers too and drops them.
    if (!OidIsValid(relation) || get_rel_relkind(relation) == RELKIND_PARTITIONED_TABLE) return nullptr;
    site->source = source_of(relation);
    site->relation = relation;
    site->generation = cache_generation();
    site->counter = nullptr;
  }
  return site;
}

// Five arguments from `first` on: conversation, number, key, time, counted.
struct MessageRow {
  bool numbered;  // has a conversation and a number
  Datum conversation;
  Datum key;
  Datum time;
  core::Message message;
};

MessageRow message_row(FunctionCallInfo fcinfo, int first, const Source& source) {
  MessageRow row = {};
  row.numbered = !PG_ARGISNULL(first) && !PG_ARGISNULL(first + 1);
  row.conversation = PG_GETARG_DATUM(first);
  if (!row.numbered) return row;
  row.message.number = source.number_is_int4 ? PG_GETARG_INT32(first + 1) : PG_GETARG_INT64(first + 1);
  row.key = PG_GETARG_DATUM(first + 2);
  row.time = PG_GETARG_DATUM(first + 3);
  return row;
}

// The images point into the row, so it must stay where it is.
void take_images(FunctionCallInfo fcinfo, int first, const Source& source, MessageRow* row) {
  if (!PG_ARGISNULL(first + 2)) row->message.key = pg::image_of(&row->key, source.key_type);
  row->message.time_null = source.time == 0 || PG_ARGISNULL(first + 3);
  if (!row->message.time_null) row->message.time = pg::image_of(&row->time, source.time_type);
  row->message.counted = !PG_ARGISNULL(first + 4) && PG_GETARG_BOOL(first + 4);
}

[[noreturn]] void raise_changed(const Source& source) {
  ereport(ERROR,
          (errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
           errmsg("the conversation or sequence number of a message in table \"%s\" was changed after it was numbered",
                  get_rel_name(source.relation)),
           errhint("A trigger that changes the conversation must sort, by name, before \"zzz_chatopt_number\", and the "
                   "statement must name the column in its SET list.")));
  pg_unreachable();
}

void note_landed(Site* site, core::Ledger& ledger, MessageRow* row) {
  core::Counter& counter = counter_for(site, ledger, &row->conversation);
  if (!pg::cpp_zone([&] { return ledger.landed(counter, row->message); })) raise_changed(*site->source);
}

void note_removed(Site* site, core::Ledger& ledger, MessageRow* row) {
  core::Counter& counter = counter_for(site, ledger, &row->conversation);
  pg::cpp_zone([&] { ledger.removed(counter, row->message); });
}

bool first_note(Site* site, core::Ledger& ledger) {
  return pg::cpp_zone([&] { return ledger.first_note(site->statement); });
}

bool same(core::Bytes a, core::Bytes b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

// Was it the conversation whose key changed, not the message that moved?
bool follows_rename(Site* site, core::Ledger& ledger, Datum* from, Datum* to) {
  const core::Bytes a = pg::image_of(from, site->source->conversation_type);
  const core::Bytes b = pg::image_of(to, site->source->conversation_type);
  return ledger.was_renamed(site->source->chat->counters, a, b);
}

bool same_conversation(Site* site, Datum* from, Datum* to) {
  return same(pg::image_of(from, site->source->conversation_type), pg::image_of(to, site->source->conversation_type));
}

// The row stayed in its conversation. False: no counter depends on what changed.
bool note_in_place(Site* site, core::Ledger& ledger, MessageRow* before, MessageRow* after) {
  if (before->numbered != after->numbered) raise_changed(*site->source);
  if (!before->numbered) return false;
  if (before->message.number != after->message.number) {
    // Only an import may renumber, and then the trigger before has let it.
    note_removed(site, ledger, before);
    note_landed(site, ledger, after);
    return true;
  }
  const core::Message& a = before->message;
  const core::Message& b = after->message;
  if (!a.counted && !b.counted) return false;
  if (a.counted == b.counted && same(a.key, b.key) && a.time_null == b.time_null && same(a.time, b.time))
    return false;
  core::Counter& counter = counter_for(site, ledger, &after->conversation);
  pg::cpp_zone([&] { ledger.changed(counter, a, b); });
  return true;
}

bool note_update(FunctionCallInfo fcinfo, Site* site) {
  const Source& source = *site->source;
  MessageRow before = message_row(fcinfo, 2, source);
  MessageRow after = message_row(fcinfo, 7, source);
  if (before.numbered) take_images(fcinfo, 2, source, &before);
  if (after.numbered) take_images(fcinfo, 7, source, &after);
  const bool had = !PG_ARGISNULL(2);
  const bool has = !PG_ARGISNULL(7);
  auto& ledger = counters::ledger();
  if (had && has && same_conversation(site, &before.conversation, &after.conversation))
    return note_in_place(site, ledger, &before, &after);
  if (had && has && follows_rename(site, ledger, &before.conversation, &after.conversation)) return false;
  if (before.numbered) note_removed(site, ledger, &before);
  if (after.numbered) note_landed(site, ledger, &after);
  return before.numbered || after.numbered;
}

// member rows: conversation, member, counted from `first` on.
struct MemberRow {
  bool counted;
  Datum conversation;
};

MemberRow member_row(FunctionCallInfo fcinfo, int first) {
  return {!PG_ARGISNULL(first) && !PG_ARGISNULL(first + 2) && PG_GETARG_BOOL(first + 2), PG_GETARG_DATUM(first)};
}

void note_member(Site* site, core::Ledger& ledger, MemberRow* row, int64 by) {
  core::Counter& counter = counter_for(site, ledger, &row->conversation);
  pg::cpp_zone([&] { ledger.members_changed(counter, by); });
}

Datum note_one_member(FunctionCallInfo fcinfo, int64 by) {
  Site* site = ready_site(fcinfo);
  if (site == nullptr) PG_RETURN_BOOL(false);
  MemberRow row = member_row(fcinfo, 2);
  if (!row.counted || site->source->chat->member_count == 0) PG_RETURN_BOOL(false);
  auto& ledger = counters::ledger();
  note_member(site, ledger, &row, by);
  PG_RETURN_BOOL(first_note(site, ledger));
}

}  // namespace
}  // namespace chatopt::counters

using namespace chatopt::counters;

Datum chatopt_message_inserted(PG_FUNCTION_ARGS) {
  Site* site = ready_site(fcinfo);
  if (site == nullptr) PG_RETURN_BOOL(false);
  MessageRow row = message_row(fcinfo, 2, *site->source);
  if (!row.numbered) PG_RETURN_BOOL(false);
  take_images(fcinfo, 2, *site->source, &row);
  auto& ledger = chatopt::counters::ledger();
  note_landed(site, ledger, &row);
  PG_RETURN_BOOL(first_note(site, ledger));
}

Datum chatopt_message_updated(PG_FUNCTION_ARGS) {
  Site* site = ready_site(fcinfo);
  if (site == nullptr || !note_update(fcinfo, site)) PG_RETURN_BOOL(false);
  PG_RETURN_BOOL(first_note(site, chatopt::counters::ledger()));
}

Datum chatopt_message_deleted(PG_FUNCTION_ARGS) {
  Site* site = ready_site(fcinfo);
  if (site == nullptr) PG_RETURN_BOOL(false);
  MessageRow row = message_row(fcinfo, 2, *site->source);
  if (!row.numbered) PG_RETURN_BOOL(false);
  take_images(fcinfo, 2, *site->source, &row);
  auto& ledger = chatopt::counters::ledger();
  note_removed(site, ledger, &row);
  PG_RETURN_BOOL(first_note(site, ledger));
}

Datum chatopt_member_inserted(PG_FUNCTION_ARGS) { return note_one_member(fcinfo, 1); }

Datum chatopt_member_deleted(PG_FUNCTION_ARGS) { return note_one_member(fcinfo, -1); }

Datum chatopt_member_updated(PG_FUNCTION_ARGS) {
  Site* site = ready_site(fcinfo);
  if (site == nullptr || site->source->chat->member_count == 0) PG_RETURN_BOOL(false);
  MemberRow before = member_row(fcinfo, 2);
  MemberRow after = member_row(fcinfo, 5);
  auto& ledger = chatopt::counters::ledger();
  if (before.counted && after.counted &&
      (same_conversation(site, &before.conversation, &after.conversation) ||
       follows_rename(site, ledger, &before.conversation, &after.conversation)))
    PG_RETURN_BOOL(false);
  if (!before.counted && !after.counted) PG_RETURN_BOOL(false);
  if (before.counted) note_member(site, ledger, &before, -1);
  if (after.counted) note_member(site, ledger, &after, 1);
  PG_RETURN_BOOL(first_note(site, ledger));
}
