// Receipt counts of a range against asking every member about every number.
#include "core/reads/sweep.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "skip_model.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

// Members, who left and came back, with acknowledgements above their positions.
struct Group {
  std::vector<SweepMember> members;
  std::set<std::pair<std::int32_t, std::int64_t>> delivered;  // slot, number
  std::set<std::pair<std::int32_t, std::int64_t>> read;

  Group(Random& random, std::int64_t last, int slots) {
    for (std::int32_t slot = 0; slot < slots; ++slot) {
      std::int64_t joined = pick(random, last + 1);
      for (std::int64_t intervals = 1 + pick(random, 3); intervals > 0; --intervals) {
        Positions at = joined_at(joined);
        mark_upto(at, Mark::kDelivered, joined + pick(random, last - joined + 1), last);
        mark_upto(at, Mark::kRead, joined + pick(random, last - joined + 1), last);
        const std::int64_t left = at.delivered + pick(random, last - at.delivered + 1);
        if (intervals > 1 || pick(random, 4) == 0) leave(at, left);
        members.push_back({at, slot});
        acknowledge(random, members.back(), last);
        joined = left + pick(random, last - left + 1);
      }
    }
    std::shuffle(members.begin(), members.end(), random);
  }
  void acknowledge(Random& random, const SweepMember& member, std::int64_t last) {
    for (std::int64_t acks = pick(random, 20); acks > 0; --acks) {
      const std::int64_t number = 1 + pick(random, last);
      if (!holds(member.positions, number) || number <= member.positions.read) continue;
      delivered.insert({member.slot, number});
      if (pick(random, 2) == 0) read.insert({member.slot, number});
    }
  }
  [[nodiscard]] std::map<std::int64_t, AckChunk> chunks(std::int32_t slot) const {
    std::map<std::int64_t, AckChunk> result;
    for (const auto& [by, number] : delivered)
      if (by == slot) ack(result[skip_chunk(0, number)], Mark::kDelivered, number);
    for (const auto& [by, number] : read)
      if (by == slot) ack(result[skip_chunk(0, number)], Mark::kRead, number);
    return result;
  }
  [[nodiscard]] MessageCounts by_asking(std::int64_t number, std::int32_t sender) const {
    MessageCounts result{};
    for (const SweepMember& member : members) {
      const ReceiptStatus status = status_of(member.positions, number);
      if (status == ReceiptStatus::kNone) continue;
      if (sender != kNobody && members[static_cast<std::size_t>(sender)].slot == member.slot) continue;
      const bool seen = status == ReceiptStatus::kSeen || read.contains({member.slot, number});
      ++result.recipients;
      result.delivered += seen || status != ReceiptStatus::kSent || delivered.contains({member.slot, number}) ? 1 : 0;
      result.read += seen ? 1 : 0;
    }
    return result;
  }
};

TEST(Sweep, CountsAreThoseOfAskingEveryMember) {
  Random random(101);
  for (int round = 0; round < 400; ++round) {
    const std::int64_t last = 1 + pick(random, round % 10 == 0 ? 20000 : 60);
    const Group group(random, last, static_cast<int>(1 + pick(random, 12)));
    const std::int64_t first = 1 + pick(random, last);
    const std::int64_t size = 1 + pick(random, std::min<std::int64_t>(last - first + 1, 6000));
    std::vector<std::int32_t> senders;
    const bool with_senders = pick(random, 4) != 0;
    for (std::int64_t i = 0; with_senders && i < size; ++i)
      senders.push_back(static_cast<std::int32_t>(pick(random, static_cast<std::int64_t>(group.members.size()) + 1)) -
                        1);
    std::vector<MessageCounts> counts(static_cast<std::size_t>(size), MessageCounts{7, 7, 7});
    const SweepRange range{first, senders, counts};
    sweep(group.members, range);
    for (std::size_t member = 0; member < group.members.size(); ++member)
      for (const auto& [index, chunk] : group.chunks(group.members[member].slot))
        sweep_acks(group.members, static_cast<std::int32_t>(member), index, chunk, range);
    for (std::int64_t i = 0; i < size; ++i) {
      const auto at = static_cast<std::size_t>(i);
      ASSERT_EQ(counts[at], group.by_asking(first + i, with_senders ? senders[at] : kNobody)) << round << ' ' << i;
    }
  }
}

TEST(Sweep, RemovedNumbersHaveNoCounts) {
  Random random(102);
  for (int round = 0; round < 100; ++round) {
    const std::int64_t last = 30000;
    Kinds kinds;
    for (int i = 0; i < 20; ++i) {
      const std::int64_t at = 1 + pick(random, last - 1);
      const std::int64_t to = std::min(last, at + pick(random, i == 0 ? 15000 : 40));
      kinds.assign(at, to, i % 3 == 2 ? SkipKind::kUncounted : SkipKind::kRemoved);
    }
    const Rows rows = kinds.rows(last);
    const std::int64_t first = 1 + pick(random, last);
    const std::int64_t size = 1 + pick(random, std::min<std::int64_t>(last - first + 1, 10000));
    std::vector<MessageCounts> counts(static_cast<std::size_t>(size), MessageCounts{3, 2, 1});
    const SweepRange range{first, {}, counts};
    SweepRemoved removed(range);
    RowLookup lookup(rows);
    skip_visit(lookup, last, first, first + size - 1, removed);
    for (std::int64_t i = 0; i < size; ++i) {
      const MessageCounts wanted = kinds.at(first + i) == SkipKind::kRemoved ? kRemovedCounts : MessageCounts{3, 2, 1};
      ASSERT_EQ(counts[static_cast<std::size_t>(i)], wanted) << first + i;
    }
  }
}

TEST(Sweep, WorksAtTheGreatestNumbers) {
  constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();
  const SweepMember members[] = {{joined_at(last - 2), 0}, {joined_at(last), 1}, {joined_at(0), 2}};
  MessageCounts counts[3];
  const std::int32_t senders[] = {kNobody, 2, 0};
  const SweepRange range{last - 2, senders, counts};
  sweep(members, range);
  EXPECT_EQ(counts[0], (MessageCounts{1, 0, 0}));
  EXPECT_EQ(counts[1], (MessageCounts{1, 0, 0}));
  EXPECT_EQ(counts[2], (MessageCounts{1, 0, 0}));
  AckChunk chunk{};
  ack(chunk, Mark::kRead, last);
  for (std::int32_t member = 0; member < 3; ++member) sweep_acks(members, member, skip_chunk(0, last), chunk, range);
  EXPECT_EQ(counts[2], (MessageCounts{1, 1, 1}));
}

}  // namespace
