#include "reads/recipients.hpp"

#include "core/reads/sweep.hpp"
#include "reads/audience.hpp"
#include "reads/people.hpp"
#include "reads/senders.hpp"
#include "reads/skip_rows.hpp"

namespace chatopt::reads {
namespace {

using core::ReceiptStatus;

bool is_removed(const Reads& reads, Datum conversation, const ConversationRow& row, int64 number) {
  if (row.messages == row.last) return false;  // none ever was
  Relation table = table_open(reads.skipped_numbers, AccessShareLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  SkipLookup lookup(reads, table, slot, conversation, GetActiveSnapshot());
  const bool removed = core::skip_kind_of(lookup, row.last, number) == core::SkipKind::kRemoved;
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  return removed;
}

bool is_told(const Reads& reads, Datum conversation, int64 number) {
  Audience audience;
  return find_audience(reads, conversation, &audience) && audience.detail == Detail::kWho && number >= 1 &&
         number <= audience.conversation.last && !is_removed(reads, conversation, audience.conversation, number);
}

// What this person has acknowledged of the number, out of order.
ReceiptStatus acknowledged(const List* acks, int32 person, int64 number) {
  ReceiptStatus status = ReceiptStatus::kNone;
  ListCell* cell;
  foreach (cell, acks) {
    const auto* row = static_cast<const AckRow*>(lfirst(cell));
    if (row->person != person) continue;
    if (core::ack_holds(row->chunk, core::Mark::kRead, number)) return ReceiptStatus::kSeen;
    if (core::ack_holds(row->chunk, core::Mark::kDelivered, number)) status = ReceiptStatus::kDelivered;
  }
  return status;
}

void add(const Reads& reads, const Membership& membership, ReceiptStatus status, int64 number, int32* capacity,
         Recipients* recipients) {
  if (recipients->count == *capacity) {
    *capacity *= 2;
    recipients->rows =
        static_cast<Recipient*>(repalloc_huge(recipients->rows, static_cast<Size>(*capacity) * sizeof(Recipient)));
  }
  const pg::ValueType& type = reads.member_type;
  recipients->rows[recipients->count++] = {
      datumCopy(membership.member, type.by_value, type.length),
      membership.slot,
      core::is_open(membership.positions),
      status,
      membership.positions.read == number && !membership.read_at_null,
      membership.read_at,
  };
}

}  // namespace

Recipients find_recipients(const Reads& reads, Datum conversation, int64 number) {
  Recipients recipients = {};
  if (!is_told(reads, conversation, number)) return recipients;
  People people(reads.member_type, CurrentMemoryContext);
  int32 sender;
  find_senders(reads, conversation, number, number, &people, &sender);
  if (sender == kNoMessage) return recipients;
  const List* acks = find_acks(reads, conversation, number, number, &people);
  int32 capacity = 64;
  recipients.known = true;
  recipients.rows = static_cast<Recipient*>(palloc(static_cast<Size>(capacity) * sizeof(Recipient)));
  MembershipScan scan = begin_memberships(reads, conversation, Policies::kObeyed);
  while (next_membership(&scan)) {
    ReceiptStatus status = core::status_of(scan.membership.positions, number);
    const int32 person = people.find(scan.membership.member);
    if (status == ReceiptStatus::kNone || (person != core::kNobody && person == sender)) continue;
    if (person != core::kNobody) status = Max(status, acknowledged(acks, person, number));
    add(reads, scan.membership, status, number, &capacity, &recipients);
  }
  end_memberships(&scan);
  return recipients;
}

}  // namespace chatopt::reads
