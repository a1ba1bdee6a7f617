// chatopt.receipt_counts(): how many members should get, have, and have seen each
// message of a range. No identity is in the answer, so policies on the read state
// do not change it; a message that the caller may not see has none.

#include "core/reads/sweep.hpp"
#include "reads/audience.hpp"
#include "reads/call.hpp"
#include "reads/memberships.hpp"
#include "reads/people.hpp"
#include "reads/senders.hpp"
#include "reads/skip_rows.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_receipt_counts);
PGDLLEXPORT Datum chatopt_reads_receipt_counts(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

constexpr int64 kMostNumbers = 100000;

// Every membership, and of people of interest which are theirs.
struct Intervals {
  core::SweepMember* rows;
  int32* next;   // the person's next one
  int32* first;  // of each person
  int32 count;
  int32 capacity;
};

template <class T>
T* room_for(int32 count) {
  return static_cast<T*>(MemoryContextAllocHuge(CurrentMemoryContext, static_cast<Size>(Max(count, 1)) * sizeof(T)));
}

void add(Intervals* intervals, const Membership& membership, int32 person) {
  if (intervals->count == intervals->capacity) {
    intervals->capacity *= 2;
    const auto capacity = static_cast<Size>(intervals->capacity);
    intervals->rows =
        static_cast<core::SweepMember*>(repalloc_huge(intervals->rows, capacity * sizeof(core::SweepMember)));
    intervals->next = static_cast<int32*>(repalloc_huge(intervals->next, capacity * sizeof(int32)));
  }
  const int32 index = intervals->count++;
  intervals->rows[index] = {membership.positions, membership.slot};
  if (person == core::kNobody) return;
  intervals->next[index] = intervals->first[person];
  intervals->first[person] = index;
}

Intervals find_intervals(const Reads& reads, Datum conversation, const People& people) {
  constexpr int32 kFirstCapacity = 128;
  Intervals intervals = {room_for<core::SweepMember>(kFirstCapacity), room_for<int32>(kFirstCapacity),
                         room_for<int32>(people.count()), 0, kFirstCapacity};
  for (int32 i = 0; i < people.count(); ++i) intervals.first[i] = core::kNobody;
  MembershipScan scan = begin_memberships(reads, conversation, Policies::kIgnored);
  while (next_membership(&scan)) add(&intervals, scan.membership, people.find(scan.membership.member));
  end_memberships(&scan);
  return intervals;
}

// The sender's interval in which the message is; core::kNobody: none of theirs.
int32 interval_of(const Intervals& intervals, int32 person, int64 number) {
  int32 index = person < 0 ? core::kNobody : intervals.first[person];
  while (index != core::kNobody && !core::holds(intervals.rows[index].positions, number)) index = intervals.next[index];
  return index;
}

void count_acks(const Intervals& intervals, const List* acks, const core::SweepRange& range) {
  const std::span<const core::SweepMember> members(intervals.rows, static_cast<std::size_t>(intervals.count));
  ListCell* cell;
  foreach (cell, acks) {
    const auto* row = static_cast<const AckRow*>(lfirst(cell));
    for (int32 i = intervals.first[row->person]; i != core::kNobody; i = intervals.next[i])
      core::sweep_acks(members, i, row->index, row->chunk, range);
  }
}

void take_out_removed(const Reads& reads, Datum conversation, const ConversationRow& row,
                      const core::SweepRange& range) {
  if (row.messages == row.last) return;  // no number ever was
  Relation table = table_open(reads.skipped_numbers, AccessShareLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  SkipLookup lookup(reads, table, slot, conversation, GetActiveSnapshot());
  core::SweepRemoved removed(range);
  core::skip_visit(lookup, row.last, range.first, range.first + static_cast<int64>(range.counts.size()) - 1, removed);
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
}

void count(const Reads& reads, Datum conversation, const ConversationRow& row, std::span<core::MessageCounts> counts,
           int64 from) {
  const auto numbers = static_cast<int32>(counts.size());
  auto* senders = room_for<int32>(numbers);  // people, then intervals
  People people(reads.member_type, CurrentMemoryContext);
  find_senders(reads, conversation, from, from + numbers - 1, &people, senders);
  const List* acks = find_acks(reads, conversation, from, from + numbers - 1, &people);
  const Intervals intervals = find_intervals(reads, conversation, people);
  auto* senders_at = room_for<int32>(numbers);
  for (int32 i = 0; i < numbers; ++i) senders_at[i] = interval_of(intervals, senders[i], from + i);
  const core::SweepRange range = {from, {senders_at, counts.size()}, counts};
  core::sweep({intervals.rows, static_cast<std::size_t>(intervals.count)}, range);
  count_acks(intervals, acks, range);
  take_out_removed(reads, conversation, row, range);
  for (int32 i = 0; i < numbers; ++i)
    if (senders[i] == kNoMessage) counts[static_cast<std::size_t>(i)] = core::kRemovedCounts;
}

void check_size(int64 from, int64 upto) {
  // As unsigned: both ends may be anywhere.
  if (upto >= from && static_cast<uint64>(upto) - static_cast<uint64>(from) >= static_cast<uint64>(kMostNumbers))
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many message numbers"),
                    errdetail("From %lld to %lld there are more than %lld.", static_cast<long long>(from),
                              static_cast<long long>(upto), static_cast<long long>(kMostNumbers)),
                    errhint("Ask for fewer numbers at a time.")));
}

void put_rows(ReturnSetInfo* result, int64 from, std::span<const core::MessageCounts> counts) {
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const core::MessageCounts& at = counts[i];
    const bool unknown = at == core::kRemovedCounts;
    Datum values[] = {Int64GetDatum(from + static_cast<int64>(i)), Int64GetDatum(at.recipients),
                      Int64GetDatum(at.delivered), Int64GetDatum(at.read)};
    bool nulls[] = {false, unknown, unknown, unknown};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
}

}  // namespace
}  // namespace chatopt::reads

// receipt_counts(messages, conversation, from_seq, to_seq) -> TABLE (seq, recipients, delivered, seen)
Datum chatopt_reads_receipt_counts(PG_FUNCTION_ARGS) {
  using namespace chatopt::reads;
  Call* call = ready_call(fcinfo, true, false);
  const Reads& reads = *call->reads;
  check_may_read(call);
  int64 from = number_argument(fcinfo, 2, "from_seq");
  int64 upto = number_argument(fcinfo, 3, "to_seq");
  check_size(from, upto);
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Datum conversation;
  Audience audience;
  if (!key_argument(fcinfo, call, 1, &conversation) || !find_audience(reads, conversation, &audience)) return Datum{0};
  from = Max(from, 1);
  upto = Min(upto, audience.conversation.last);
  if (from > upto) return Datum{0};
  const auto numbers = static_cast<int32>(upto - from + 1);
  const std::span counts(room_for<chatopt::core::MessageCounts>(numbers), static_cast<std::size_t>(numbers));
  for (auto& at : counts) at = chatopt::core::kRemovedCounts;
  if (audience.detail != Detail::kNothing) count(reads, conversation, audience.conversation, counts, from);
  put_rows(result, from, counts);
  return Datum{0};
}
