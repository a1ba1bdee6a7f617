#include "reads/following.hpp"

#include "counters/queries.hpp"
#include "pg/boundary.hpp"
#include "reads/head_row.hpp"
#include "reads/marks.hpp"
#include "reads/membership.hpp"
#include "reads/mentioning.hpp"
#include "reads/queue.hpp"
#include "reads/skipping.hpp"
#include "reads/state_row.hpp"

namespace chatopt::reads {
namespace {

using Entry = core::MemberNotes::Entry;
using Event = core::MemberNotes::Event;

struct Followed {
  Datum member;
  Entry entry;
};

int in_member_order(const void* left, const void* right, void* argument) {
  auto* reads = static_cast<Reads*>(argument);
  return DatumGetInt32(FunctionCall2Coll(&reads->member_order, reads->states.key[0].collation,
                                         static_cast<const Followed*>(left)->member,
                                         static_cast<const Followed*>(right)->member));
}

// The head, made for a conversation that had no message before; its members so
// far are there to read the first. False: backfill has yet to reach it.
bool ready_head(const Reads& reads, Relation table, Datum conversation, int64 stored_last, Head* head) {
  if (find_head(reads, conversation, head)) return true;
  if (stored_last != 0) return false;
  *head = {};
  head->filled = true;
  join_present_members(reads, table, conversation, stored_last, head);
  insert_head(reads, conversation, head);
  return true;
}

// Everybody of whom something was noted, in the order of the index on members:
// the order in which rows are locked everywhere.
void follow_members(Reads& reads, Relation table, Datum conversation, const core::MemberNotes& notes, int64 joined,
                    int64 last, Head* head) {
  const std::size_t count = notes.size();
  auto* members = static_cast<Followed*>(MemoryContextAllocHuge(CurrentMemoryContext, count * sizeof(Followed)));
  for (std::size_t i = 0; i < count; ++i) {
    members[i].entry = notes.entry(i);
    members[i].member = pg::datum_of(members[i].entry.member, reads.member_type);
  }
  if (count > 1) qsort_arg(members, count, sizeof(Followed), in_member_order, &reads);
  for (std::size_t i = 0; i < count; ++i) {
    const StateKey key = {members[i].member, conversation};
    const Entry& entry = members[i].entry;
    if (head != nullptr && entry.event == Event::kJoined) join(reads, table, key, joined, head);
    read_own(reads, table, key, Max(entry.sent, entry.sent_since_join), last);
    if (head != nullptr && entry.event == Event::kLeft) leave(reads, table, key, last, head);
  }
  pfree(members);
}

bool any_event(const core::MemberNotes& notes) {
  for (std::size_t i = 0; i < notes.size(); ++i)
    if (notes.entry(i).event != Event::kNone) return true;
  return false;
}

void follow(Reads& reads, const core::Counter& counter, const core::TrackedNotes* notes, int64 stored_last) {
  const Datum conversation = pg::datum_of(counter.key(), reads.conversation_type);
  Relation table = table_open(reads.read_state, RowExclusiveLock);
  const bool skips = notes != nullptr && !notes->skips.empty();
  const bool events = notes != nullptr && any_event(notes->members);
  const bool mentions = OidIsValid(reads.mentions) && notes != nullptr &&
                        (!notes->mentioned.empty() || !notes->skips.removed.empty());
  Head head;
  bool ready = false;
  if (skips || events || mentions || stored_last == 0)
    ready = ready_head(reads, table, conversation, stored_last, &head);
  if (ready && skips) write_skips(reads, conversation, notes->skips, counter.last(), head);
  if (notes != nullptr && notes->members.size() > 0) {
    const Head before = head;
    // Before a conversation is filled in, its last batch will see who is a member.
    const bool kept = ready && head.filled;
    // The first message is to be read by whoever joins with it.
    const int64 joined = stored_last == 0 ? 0 : counter.last();
    follow_members(reads, table, conversation, notes->members, joined, counter.last(), kept ? &head : nullptr);
    if (kept && (before.next_slot != head.next_slot || before.members != head.members))
      write_head(reads, conversation, head);
  }
  if (ready && mentions) write_mentions(reads, conversation, *notes, stored_last);
  table_close(table, NoLock);
}

}  // namespace

// An unread mark follows only what is news: a message that came back, or went
// to another partition, was not sent now.
void read_own(const Reads& reads, Relation table, const StateKey& key, int64 number, int64 last) {
  if (number == 0 || !reads.own_messages_read) return;
  StateRow row;
  if (raise_positions(reads, table, key, {number, number, nullptr}, &row) == Raised::kMoved && row.read_moved)
    settle_marks(reads, key, number, last, &row);
}

void counter_written(const counters::Chat& chat, const core::Counter& counter, int64 stored_last) {
  const core::TrackedNotes* notes = counter.tracked_notes();
  if (notes == nullptr && (stored_last != 0 || counter.last() == 0)) return;
  // As for the counters: what the statement made of these rows becomes visible.
  CommandCounterIncrement();
  follow(*chat.reads, counter, notes, stored_last);
}

void conversation_gone(const counters::Chat& chat, Datum from, const Datum* to) {
  const Reads& reads = *chat.reads;
  const Datum keys[] = {from, to == nullptr ? from : *to};
  // Positions first, in the order in which batches lock them.
  const char* state = counters::qualified_name(reads.read_state);
  (void)counters::run_as_owner(
      chat, psprintf("SELECT FROM %s WHERE conversation_id = $1 ORDER BY member_id, joined_seq FOR UPDATE", state), 1,
      keys);
  for (const Oid table : {reads.read_state, reads.read_marks, reads.read_log, reads.skipped_numbers, reads.read_heads,
                          reads.views, reads.mentions}) {
    if (!OidIsValid(table)) continue;
    const char* name = counters::qualified_name(table);
    (void)counters::run_as_owner(
        chat,
        psprintf(to == nullptr ? "DELETE FROM %s WHERE conversation_id = $1"
                               : "UPDATE %s SET conversation_id = $2 WHERE conversation_id = $1",
                 name),
        to == nullptr ? 1 : 2, keys);
  }
  const Oid queue = to == nullptr ? InvalidOid : queue_of(chat.messages);
  if (OidIsValid(queue) && get_rel_name(queue) != nullptr)
    (void)counters::run_as_owner(
        chat, psprintf("UPDATE %s SET conversation_id = $2 WHERE conversation_id = $1", counters::qualified_name(queue)),
        2, keys);
}

void conversations_truncated(const counters::Chat& chat) {
  const Reads& reads = *chat.reads;
  for (const Oid table : {reads.read_state, reads.read_marks, reads.read_log, reads.skipped_numbers, reads.read_heads,
                          reads.views, reads.mentions})
    if (OidIsValid(table))
      (void)counters::run_as_owner(chat, psprintf("DELETE FROM %s", counters::qualified_name(table)), 0, nullptr);
}

}  // namespace chatopt::reads
