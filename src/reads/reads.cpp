#include "reads/reads.hpp"

#include <cstring>

#include "counters/follower.hpp"
#include "reads/filling.hpp"
#include "reads/following.hpp"
#include "reads/mention_table.hpp"
#include "reads/verifying.hpp"

namespace chatopt::reads {
namespace {

// Columns of chatopt.read_tracking, by position.
enum ConfigColumn {
  kMessages = 1,
  kReadState,
  kReadHeads,
  kSkippedNumbers,
  kReadMarks,
  kOwnMessages,
  kState,
  kPrivateSize,
  kSmallSize,
  kLargeSize,
  kReadLog = 13,
  kViews,
  kMentions,
  kMentionTable
};

void read_row(TupleTableSlot* slot, Reads* reads) {
  const auto value_at = [slot](ConfigColumn column) {
    bool null;
    return slot_getattr(slot, column, &null);
  };
  reads->read_state = DatumGetObjectId(value_at(kReadState));
  reads->read_heads = DatumGetObjectId(value_at(kReadHeads));
  reads->skipped_numbers = DatumGetObjectId(value_at(kSkippedNumbers));
  reads->read_marks = DatumGetObjectId(value_at(kReadMarks));
  reads->own_messages_read = strcmp(TextDatumGetCString(value_at(kOwnMessages)), "read") == 0;
  reads->filling = strcmp(TextDatumGetCString(value_at(kState)), "filling") == 0;
  reads->private_size = DatumGetInt32(value_at(kPrivateSize));
  reads->small_size = DatumGetInt32(value_at(kSmallSize));
  reads->large_size = DatumGetInt32(value_at(kLargeSize));
  const auto table_at = [slot](ConfigColumn column) {
    bool null;
    const Datum table = slot_getattr(slot, column, &null);
    return null ? InvalidOid : DatumGetObjectId(table);
  };
  reads->read_log = table_at(kReadLog);
  reads->views = table_at(kViews);
  reads->mentions = table_at(kMentions);
  reads->mention_table = table_at(kMentionTable);
}

// The configuration row that has this relation in this column: the messages table
// it is of, invalid where there is none.
Oid read_config(ConfigColumn column, Oid relation, Reads* reads) {
  const Oid schema = get_namespace_oid("chatopt", true);
  const Oid table = OidIsValid(schema) ? get_relname_relid("read_tracking", schema) : InvalidOid;
  if (!OidIsValid(table)) return InvalidOid;
  counters::watch_relation(table);
  Relation rel = table_open(table, AccessShareLock);
  Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
  TableScanDesc scan = table_beginscan(rel, snapshot, 0, nullptr);
  TupleTableSlot* slot = table_slot_create(rel, nullptr);
  Oid messages = InvalidOid;
  while (!OidIsValid(messages) && table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
    bool null;
    if (DatumGetObjectId(slot_getattr(slot, column, &null)) != relation) continue;
    messages = DatumGetObjectId(slot_getattr(slot, kMessages, &null));
    read_row(slot, reads);
  }
  ExecDropSingleTupleTableSlot(slot);
  table_endscan(scan);
  UnregisterSnapshot(snapshot);
  table_close(rel, AccessShareLock);
  return messages;
}

[[noreturn]] void raise_unusable(const counters::Chat& chat, Oid table) {
  const char* name = get_rel_name(table);
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  name == nullptr ? errmsg("a table that keeps the reads of \"%s\" is gone", get_rel_name(chat.messages))
                                  : errmsg("table \"%s\" cannot keep the reads of \"%s\" any more", name,
                                           get_rel_name(chat.messages)),
                  errdetail("chatopt.track_reads made it with a primary key."),
                  errhint("Call chatopt.untrack_reads, then chatopt.track_reads.")));
  pg_unreachable();
}

// By the unique B-tree, or any other, that begins with these columns.
pg::RowFinder find_index(const counters::Chat& chat, Oid table, std::initializer_list<AttrNumber> columns, bool unique) {
  counters::watch_relation(table);
  if (get_rel_name(table) == nullptr) raise_unusable(chat, table);
  Relation rel = table_open(table, AccessShareLock);
  List* indexes = RelationGetIndexList(rel);
  pg::RowFinder finder = {};
  ListCell* cell;
  foreach (cell, indexes) {
    Relation index = index_open(lfirst_oid(cell), AccessShareLock);
    const Form_pg_index form = index->rd_index;
    bool fits = form->indisvalid && (form->indisunique || !unique) && index->rd_rel->relam == BTREE_AM_OID &&
                form->indnkeyatts == static_cast<int>(columns.size()) && RelationGetIndexPredicate(index) == NIL;
    int position = 0;
    for (const AttrNumber column : columns) fits = fits && form->indkey.values[position++] == column;
    if (fits) finder = pg::finder_of(index, static_cast<int>(columns.size()));
    index_close(index, AccessShareLock);
    if (OidIsValid(finder.index)) break;
  }
  list_free(indexes);
  table_close(rel, AccessShareLock);
  if (!OidIsValid(finder.index)) raise_unusable(chat, table);
  return finder;
}

void read_order(Reads* reads) {
  Relation index = index_open(reads->states.index, AccessShareLock);
  const Oid type = index->rd_opcintype[0];
  fmgr_info_cxt(get_opfamily_proc(index->rd_opfamily[0], type, type, BTORDER_PROC), &reads->member_order,
                CurrentMemoryContext);
  index_close(index, AccessShareLock);
}

// Somebody who drops one of their tables wants no mentions; messages go on being sent.
void load_mentions(Reads* reads) {
  for (const Oid table : {reads->mentions, reads->mention_table})
    if (OidIsValid(table) && get_rel_name(table) == nullptr) reads->mentions = InvalidOid;
  if (!OidIsValid(reads->mentions)) {
    reads->mention_table = InvalidOid;
    return;
  }
  if (OidIsValid(reads->mention_table)) counters::watch_relation(reads->mention_table);
  const counters::Chat& chat = *reads->chat;
  reads->mention =
      find_index(chat, reads->mentions, {mention::kMember, mention::kConversation, mention::kNumber}, true);
  reads->mentions_by_number = find_index(chat, reads->mentions, {mention::kConversation, mention::kNumber}, false);
}

void load(counters::Chat* chat) {
  auto* reads = static_cast<Reads*>(palloc0(sizeof(Reads)));
  if (!OidIsValid(read_config(kMessages, chat->messages, reads))) {
    pfree(reads);
    return;
  }
  reads->chat = chat;
  reads->states = find_index(*chat, reads->read_state, {state::kMember, state::kConversation, state::kJoined}, true);
  reads->open_state = reads->states;
  reads->open_state.keys = 2;
  reads->open_state.null_column = state::kLeft;
  reads->members = find_index(*chat, reads->read_state, {state::kConversation}, false);
  reads->head = find_index(*chat, reads->read_heads, {head::kConversation}, true);
  reads->skipped =
      find_index(*chat, reads->skipped_numbers, {skipped::kConversation, skipped::kLevel, skipped::kChunk}, true);
  reads->mark = find_index(*chat, reads->read_marks, {mark::kMember, mark::kConversation, mark::kChunk}, true);
  reads->marks = find_index(*chat, reads->read_marks, {mark::kConversation}, false);
  // Somebody who drops the log wants none; messages go on being sent.
  if (OidIsValid(reads->read_log) && get_rel_name(reads->read_log) == nullptr) reads->read_log = InvalidOid;
  if (OidIsValid(reads->read_log))
    reads->log = find_index(*chat, reads->read_log, {log::kConversation, log::kMember, log::kUpto}, true);
  // Somebody who drops the table of views wants none; messages go on being sent.
  if (OidIsValid(reads->views) && get_rel_name(reads->views) == nullptr) reads->views = InvalidOid;
  if (OidIsValid(reads->views))
    reads->view = find_index(*chat, reads->views, {view::kConversation, view::kNumber, view::kSlot}, true);
  load_mentions(reads);
  reads->member_type = reads->states.key[0].type;
  reads->conversation_type = reads->states.key[1].type;
  read_order(reads);
  chat->reads = reads;
  chat->note_senders = reads->own_messages_read;
  chat->note_mentions = OidIsValid(reads->mentions);
  chat->mentions_apart = OidIsValid(reads->mention_table);
  chat->mentions_after = chat->mentions_apart && mentions_come_after(*chat, reads->mention_table);
}

constexpr counters::Follower kFollower = {
    load,    counter_written,        conversation_gone, conversations_truncated,
    "reads", unfilled_conversations, unfilled_numbers,  stray_conversations,
    fill,    write_tracked,          append_triggers,   verify};

}  // namespace

const counters::Chat* chat_of_read_state(Oid table) {
  Reads reads = {};
  const Oid messages = read_config(kReadState, table, &reads);
  return OidIsValid(messages) ? counters::attached_chat(messages) : nullptr;
}

const counters::Chat* chat_of_mention_table(Oid table) {
  Reads reads = {};
  const Oid messages = read_config(kMentionTable, table, &reads);
  return OidIsValid(messages) ? counters::attached_chat(messages) : nullptr;
}

bool tables_of(Oid messages, Reads* reads) { return OidIsValid(read_config(kMessages, messages, reads)); }

Oid read_state_of(Oid messages) {
  Reads reads = {};
  return OidIsValid(read_config(kMessages, messages, &reads)) ? reads.read_state : InvalidOid;
}

Reads* find_reads(Oid messages) { return counters::attached_chat(messages)->reads; }

Reads& tracked_reads(Oid messages) {
  const counters::Chat* chat = counters::attached_chat(messages);
  if (chat->reads == nullptr)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("reads of table \"%s\" are not tracked", get_rel_name(messages)),
                    errhint("Call chatopt.track_reads.")));
  return *chat->reads;
}

void init_reads() { counters::set_follower(&kFollower); }

}  // namespace chatopt::reads
