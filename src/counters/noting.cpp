// The functions in the WHEN of our AFTER ROW triggers. PostgreSQL evaluates WHEN
// right after each row landed, was changed or removed, before the statement's
// next row; so this is where a row is noted. They return true once a statement:
// the one event this queues is chatopt.write_counters(), at the statement's end.
//
// Everybody may execute them, as WHEN asks for it. They take nothing on trust:
// only the executor, evaluating a trigger's WHEN, can pass OLD's or NEW's
// tableoid and ctid in the form that genuine() asks for, so what they are told
// has happened. Called by hand they refuse.

#include "counters/counter_row.hpp"
#include "counters/location.hpp"
#include "counters/purge_mark.hpp"
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

// Called with OLD's or NEW's tableoid, and as many ctids, by the executor?
bool genuine(FunctionCallInfo fcinfo, int rows) {
  auto* call = reinterpret_cast<FuncExpr*>(fcinfo->flinfo->fn_expr);
  if (call == nullptr || !IsA(call, FuncExpr) || list_length(call->args) <= rows) return false;
  bool result = is_row_of_trigger(static_cast<Node*>(linitial(call->args)), TableOidAttributeNumber);
  for (int i = 1; i <= rows; ++i)
    result = result && is_row_of_trigger(static_cast<Node*>(list_nth(call->args, i)), SelfItemPointerAttributeNumber);
  return result;
}

[[noreturn]] void raise_by_hand() {
  ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                  errmsg("this function can only be called in the WHEN clause of a chatopt trigger"),
                  errhint("chatopt.attach creates these triggers.")));
  pg_unreachable();
}

// The call site, ready for this row; NULL when there is nothing to note.
Site* ready_site(FunctionCallInfo fcinfo, int rows, bool messages) {
  auto* site = static_cast<Site*>(fcinfo->flinfo->fn_extra);
  if (site == nullptr) {
    if (!genuine(fcinfo, rows)) raise_by_hand();
    site = site_of(fcinfo);
  }
  const Oid relation = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
  if (site->source == nullptr || site->generation != cache_generation() || site->relation != relation) {
    // A row moved between partitions is noted on the leaves; for the root's own
    // foreign keys PostgreSQL evaluates the root's triggers too and drops them.
    if (!OidIsValid(relation) || get_rel_relkind(relation) == RELKIND_PARTITIONED_TABLE) return nullptr;
    site->source = source_of(relation);
    if (site->source->messages != messages) raise_by_hand();
    site->relation = relation;
    site->generation = cache_generation();
    site->counter = nullptr;
  }
  return site;
}

// The condition's value follows the ctids; without a condition every row counts.
bool counted_argument(FunctionCallInfo fcinfo, int position) {
  return PG_NARGS() <= position || (!PG_ARGISNULL(position) && PG_GETARG_BOOL(position));
}

core::RowLocation location_argument(FunctionCallInfo fcinfo, int position) {
  return location_of(PG_GETARG_OID(0), *PG_GETARG_ITEMPOINTER(position));
}

// A stored version of a row. Its values point into the slot's buffer.
struct Version {
  TupleTableSlot* slot;
  bool has_conversation;
  Datum conversation;
};

Version read_version(Relation relation, const Source& source, ItemPointer place) {
  Version version;
  version.slot = table_slot_create(relation, nullptr);
  if (!table_tuple_fetch_row_version(relation, place, SnapshotAny, version.slot))
    elog(ERROR, "row of table \"%s\" is gone while its trigger runs", RelationGetRelationName(relation));
  bool null;
  version.conversation = slot_getattr(version.slot, source.conversation, &null);
  version.has_conversation = !null;
  return version;
}

// A version of a message.
struct MessageRow {
  Version version;
  bool numbered;  // has a conversation and a number
  core::Message message;
  Datum key;
  Datum time;
  Datum sender;
  Datum mentions;
};

// The bytes of an array of members, none where it is NULL or has no element. In a table of their own mentions go by the
// message's key.
core::Bytes mentions_of(const Source& source, MessageRow* row) {
  if (source.chat->mentions_apart) return row->message.key;
  if (source.mentions == 0) return {};
  bool null;
  row->mentions = slot_getattr(row->version.slot, source.mentions, &null);
  if (null) return {};
  const core::Bytes image = pg::image_of(&row->mentions, source.mentions_type);
  int32 dimensions;  // what an array begins with
  std::memcpy(&dimensions, image.data(), sizeof dimensions);
  return dimensions == 0 ? core::Bytes{} : image;
}

void read_message(const Source& source, Version version, bool counted, MessageRow* row) {
  row->version = version;
  bool null;
  const Datum number = slot_getattr(version.slot, source.number, &null);
  row->numbered = version.has_conversation && !null;
  if (!row->numbered) return;
  row->message.number = source.number_is_int4 ? DatumGetInt32(number) : DatumGetInt64(number);
  row->message.counted = counted;
  row->key = slot_getattr(version.slot, source.key, &null);
  if (!null) row->message.key = pg::image_of(&row->key, source.key_type);
  row->message.time_null = true;
  if (source.time != 0) row->time = slot_getattr(version.slot, source.time, &row->message.time_null);
  if (!row->message.time_null) row->message.time = pg::image_of(&row->time, source.time_type);
  row->message.sender_null = true;
  if (source.chat->note_senders || source.chat->note_mentions)
    row->sender = slot_getattr(version.slot, source.sender, &row->message.sender_null);
  if (!row->message.sender_null) row->message.sender = pg::image_of(&row->sender, source.sender_type);
  row->message.mentions_kept = source.chat->note_mentions;
  if (source.chat->note_mentions) row->message.mentions = mentions_of(source, row);
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
  core::Counter& counter = counter_for(site, ledger, &row->version.conversation);
  if (!pg::cpp_zone([&] { return ledger.landed(counter, row->message); })) raise_changed(*site->source);
}

// The counter of a row that was there before: its conversation may have another
// key by now.
core::Counter& counter_before(Site* site, core::Ledger& ledger, Datum* key) {
  core::Counter& counter = counter_for(site, ledger, key);
  return *pg::cpp_zone([&] { return &ledger.renamed_counter(counter); });
}

// A message of a partition that is being purged: does it count for nothing by now? Its counter is locked first, as an
// insert does, and kept: whether a purge has been there does not change under us.
bool is_purged(Site* site, core::Ledger& ledger, MessageRow* row) {
  const Source& source = *site->source;
  if (!source.purging) return false;
  core::Counter& counter = counter_before(site, ledger, &row->version.conversation);
  if (!counter.locked()) (void)lock_counter_row(*source.chat, ledger, counter);
  return is_up_to(purge_mark_now(source.relation), source, row->version.conversation, row->message.number);
}

void note_removed(Site* site, core::Ledger& ledger, MessageRow* row) {
  // Not left out: it may land in another partition with its number.
  if (is_purged(site, ledger, row)) row->message.counted = false;
  core::Counter& counter = counter_before(site, ledger, &row->version.conversation);
  pg::cpp_zone([&] { ledger.removed(counter, row->message); });
}

Datum once_a_statement(Site* site, core::Ledger& ledger) {
  PG_RETURN_BOOL(pg::cpp_zone([&] { return ledger.first_note(site->statement); }));
}

bool same(core::Bytes a, core::Bytes b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

bool same_conversation(const Source& source, Version* a, Version* b) {
  return a->has_conversation && b->has_conversation &&
         same(pg::image_of(&a->conversation, source.conversation_type),
              pg::image_of(&b->conversation, source.conversation_type));
}

// Was it the conversation whose key changed, not the row that moved?
bool follows_rename(const Source& source, core::Ledger& ledger, Version* from, Version* to) {
  if (!from->has_conversation || !to->has_conversation) return false;
  const core::Bytes a = pg::image_of(&from->conversation, source.conversation_type);
  const core::Bytes b = pg::image_of(&to->conversation, source.conversation_type);
  return ledger.was_renamed(source.chat->counters, a, b);
}

// More than one row is under way, or another trigger had the last word on this
// one: what landed is read from the table.
bool note_insert(FunctionCallInfo fcinfo, Site* site, core::Ledger& ledger, bool counted) {
  const Source& source = *site->source;
  Relation relation = table_open(source.relation, NoLock);
  MessageRow row = {};
  read_message(source, read_version(relation, source, PG_GETARG_ITEMPOINTER(1)), counted, &row);
  if (source.chat->mentions_after) row.message.mentions = {};
  if (row.numbered)
    note_landed(site, ledger, &row);
  else
    ledger.passed_landed();
  ExecDropSingleTupleTableSlot(row.version.slot);
  table_close(relation, NoLock);
  return row.numbered;
}

// The row stayed in its conversation. False: no counter depends on what changed.
bool note_in_place(Site* site, core::Ledger& ledger, MessageRow* before, MessageRow* after) {
  if (before->numbered != after->numbered) raise_changed(*site->source);
  if (!before->numbered) return false;
  const core::Message& a = before->message;
  const core::Message& b = after->message;
  if (a.number != b.number) {
    if (site->source->purging) refuse_if_purging(*site->source);
    // Only an import may renumber, and then the trigger before has let it.
    note_removed(site, ledger, before);
    note_landed(site, ledger, after);
    return true;
  }
  const bool mentions = b.mentions_kept && core::Ledger::mentions_others(a, b);
  if (!a.counted && !b.counted && !mentions) return false;
  if (!mentions && a.counted == b.counted && same(a.key, b.key) && a.time_null == b.time_null && same(a.time, b.time) &&
      a.sender_null == b.sender_null && same(a.sender, b.sender))
    return false;
  if (is_purged(site, ledger, before)) return false;
  core::Counter& counter = counter_for(site, ledger, &after->version.conversation);
  pg::cpp_zone([&] { ledger.changed(counter, a, b); });
  return true;
}

bool note_change(Site* site, core::Ledger& ledger, MessageRow* before, MessageRow* after) {
  const Source& source = *site->source;
  if (same_conversation(source, &before->version, &after->version)) return note_in_place(site, ledger, before, after);
  const bool renamed = follows_rename(source, ledger, &before->version, &after->version);
  if (source.purging && after->version.has_conversation) refuse_move_if_purging(source, renamed);
  if (renamed) return false;
  if (before->numbered) note_removed(site, ledger, before);
  if (after->numbered) note_landed(site, ledger, after);
  return before->numbered || after->numbered;
}

bool note_update(FunctionCallInfo fcinfo, Site* site, core::Ledger& ledger) {
  const Source& source = *site->source;
  Relation relation = table_open(source.relation, NoLock);
  MessageRow before = {};
  MessageRow after = {};
  read_message(source, read_version(relation, source, PG_GETARG_ITEMPOINTER(1)), counted_argument(fcinfo, 3), &before);
  read_message(source, read_version(relation, source, PG_GETARG_ITEMPOINTER(2)), counted_argument(fcinfo, 4), &after);
  const bool noted = note_change(site, ledger, &before, &after);
  ExecDropSingleTupleTableSlot(before.version.slot);
  ExecDropSingleTupleTableSlot(after.version.slot);
  table_close(relation, NoLock);
  return noted;
}

bool note_delete(FunctionCallInfo fcinfo, Site* site, core::Ledger& ledger) {
  const Source& source = *site->source;
  Relation relation = table_open(source.relation, NoLock);
  MessageRow row = {};
  read_message(source, read_version(relation, source, PG_GETARG_ITEMPOINTER(1)), counted_argument(fcinfo, 2), &row);
  if (row.numbered) note_removed(site, ledger, &row);
  ExecDropSingleTupleTableSlot(row.version.slot);
  table_close(relation, NoLock);
  return row.numbered;
}

Datum member_of(const Source& source, Version* version, bool* null) {
  return slot_getattr(version->slot, source.key, null);
}

void note_member(Site* site, core::Ledger& ledger, Version* version, int64 by) {
  const Source& source = *site->source;
  core::Counter& counter = by < 0 ? counter_before(site, ledger, &version->conversation)
                                  : counter_for(site, ledger, &version->conversation);
  if (source.chat->member_count != 0) pg::cpp_zone([&] { ledger.members_changed(counter, by); });
  if (source.chat->reads == nullptr) return;
  bool null;
  Datum member = member_of(source, version, &null);
  if (null) return;
  const core::Bytes image = pg::image_of(&member, source.key_type);
  pg::cpp_zone([&] { by < 0 ? ledger.member_left(counter, image) : ledger.member_joined(counter, image); });
}

bool same_member(const Source& source, Version* a, Version* b) {
  bool a_null;
  bool b_null;
  Datum before = member_of(source, a, &a_null);
  Datum after = member_of(source, b, &b_null);
  if (a_null || b_null) return a_null && b_null;
  return same(pg::image_of(&before, source.key_type), pg::image_of(&after, source.key_type));
}

bool note_member_moved(Site* site, core::Ledger& ledger, Version* before, bool was_counted, Version* after,
                       bool is_counted) {
  const Source& source = *site->source;
  const bool leaves = before->has_conversation && was_counted;
  const bool joins = after->has_conversation && is_counted;
  if (leaves && joins && (source.chat->reads == nullptr || same_member(source, before, after)) &&
      (same_conversation(source, before, after) || follows_rename(source, ledger, before, after)))
    return false;
  if (leaves) note_member(site, ledger, before, -1);
  if (joins) note_member(site, ledger, after, 1);
  return leaves || joins;
}

bool keeps_members(const Chat& chat) { return chat.member_count != 0 || chat.reads != nullptr; }

Datum note_one_member(FunctionCallInfo fcinfo, int condition, int64 by) {
  Site* site = ready_site(fcinfo, 1, false);
  if (site == nullptr || !keeps_members(*site->source->chat) || !counted_argument(fcinfo, condition))
    PG_RETURN_BOOL(false);
  auto& ledger = counters::ledger();
  Relation relation = table_open(site->source->relation, NoLock);
  Version version = read_version(relation, *site->source, PG_GETARG_ITEMPOINTER(1));
  if (version.has_conversation) note_member(site, ledger, &version, by);
  ExecDropSingleTupleTableSlot(version.slot);
  table_close(relation, NoLock);
  if (!version.has_conversation) PG_RETURN_BOOL(false);
  return once_a_statement(site, ledger);
}

}  // namespace
}  // namespace chatopt::counters

using namespace chatopt::counters;

// message_inserted(NEW.tableoid, NEW.ctid [, counted])
Datum chatopt_message_inserted(PG_FUNCTION_ARGS) {
  Site* site = ready_site(fcinfo, 1, true);
  if (site == nullptr) PG_RETURN_BOOL(false);
  auto& ledger = chatopt::counters::ledger();
  const bool counted = counted_argument(fcinfo, 2);
  const chatopt::core::RowLocation row = location_argument(fcinfo, 1);
  const bool alone = site->source->numbered_last && !site->source->chat->note_senders &&
                     !site->source->chat->note_mentions &&
                     chatopt::pg::cpp_zone([&] { return ledger.sole_landed(row, counted); });
  if (!alone && !note_insert(fcinfo, site, ledger, counted)) PG_RETURN_BOOL(false);
  return once_a_statement(site, ledger);
}

// message_updated(NEW.tableoid, OLD.ctid, NEW.ctid [, counted before, counted after])
Datum chatopt_message_updated(PG_FUNCTION_ARGS) {
  Site* site = ready_site(fcinfo, 2, true);
  if (site == nullptr) PG_RETURN_BOOL(false);
  auto& ledger = chatopt::counters::ledger();
  if (!note_update(fcinfo, site, ledger)) PG_RETURN_BOOL(false);
  return once_a_statement(site, ledger);
}

// message_deleted(OLD.tableoid, OLD.ctid [, counted])
Datum chatopt_message_deleted(PG_FUNCTION_ARGS) {
  Site* site = ready_site(fcinfo, 1, true);
  if (site == nullptr) PG_RETURN_BOOL(false);
  auto& ledger = chatopt::counters::ledger();
  if (!note_delete(fcinfo, site, ledger)) PG_RETURN_BOOL(false);
  return once_a_statement(site, ledger);
}

// member_inserted(NEW.tableoid, NEW.ctid, conversation, member [, counted])
Datum chatopt_member_inserted(PG_FUNCTION_ARGS) { return note_one_member(fcinfo, 4, 1); }

// member_deleted(OLD.tableoid, OLD.ctid [, counted])
Datum chatopt_member_deleted(PG_FUNCTION_ARGS) { return note_one_member(fcinfo, 2, -1); }

// member_updated(NEW.tableoid, OLD.ctid, NEW.ctid [, counted before, counted after])
Datum chatopt_member_updated(PG_FUNCTION_ARGS) {
  Site* site = ready_site(fcinfo, 2, false);
  if (site == nullptr || !keeps_members(*site->source->chat)) PG_RETURN_BOOL(false);
  auto& ledger = chatopt::counters::ledger();
  Relation relation = table_open(site->source->relation, NoLock);
  Version before = read_version(relation, *site->source, PG_GETARG_ITEMPOINTER(1));
  Version after = read_version(relation, *site->source, PG_GETARG_ITEMPOINTER(2));
  const bool noted = note_member_moved(site, ledger, &before, counted_argument(fcinfo, 3), &after,
                                       counted_argument(fcinfo, 4));
  ExecDropSingleTupleTableSlot(before.slot);
  ExecDropSingleTupleTableSlot(after.slot);
  table_close(relation, NoLock);
  if (!noted) PG_RETURN_BOOL(false);
  return once_a_statement(site, ledger);
}
