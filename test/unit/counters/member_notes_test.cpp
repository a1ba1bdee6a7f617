// What core/counters/member_notes.hpp keeps, and that it is enough: the entry of
// a member comes to the same as its events, one by one.
#include "core/counters/member_notes.hpp"

#include <algorithm>
#include <cstdint>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "../support/arena.hpp"
#include "../support/messages.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;
using Event = MemberNotes::Event;

static_assert(std::is_nothrow_destructible_v<MemberNotes>);

void expect(const MemberNotes& notes, std::size_t place, const std::string& member, std::int64_t sent,
            std::int64_t sent_since_join, Event event) {
  const MemberNotes::Entry entry = notes.entry(place);
  EXPECT_EQ(text(entry.member), member);
  EXPECT_EQ(entry.sent, sent);
  EXPECT_EQ(entry.sent_since_join, sent_since_join);
  EXPECT_EQ(entry.event, event);
}

TEST(MemberNotes, OneEntryAMemberInOrderOfFirstAppearance) {
  Arena arena;
  MemberNotes notes(arena);
  EXPECT_TRUE(notes.empty());
  notes.sent(bytes("b"), 4);
  notes.joined(bytes("a"));
  notes.sent(bytes("b"), 6);
  notes.left(bytes(""));
  notes.sent(bytes("b"), 5);
  ASSERT_EQ(notes.size(), 3U);
  EXPECT_FALSE(notes.empty());
  expect(notes, 0, "b", 6, 0, Event::kNone);
  expect(notes, 1, "a", 0, 0, Event::kJoined);
  expect(notes, 2, "", 0, 0, Event::kLeft);
}

TEST(MemberNotes, KeysAreToldApartByLengthToo) {
  Arena arena;
  MemberNotes notes(arena);
  const std::string keys[] = {"", std::string(1, '\0'), std::string(2, '\0'), "a", std::string("a\0", 2)};
  for (const std::string& key : keys) notes.joined(bytes(key));
  ASSERT_EQ(notes.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(text(notes.entry(i).member), keys[i]);
}

TEST(MemberNotes, WhatWasSentIsKeptByWhetherItsSenderIsKnownToBeAMember) {
  Arena arena;
  MemberNotes notes(arena);
  notes.sent(bytes("a"), 7);
  notes.joined(bytes("a"));
  notes.sent(bytes("a"), 3);
  expect(notes, 0, "a", 7, 3, Event::kJoined);
  notes.left(bytes("a"));
  notes.sent(bytes("a"), 9);
  expect(notes, 0, "a", 7, 3, Event::kLeft);
  notes.joined(bytes("a"));
  notes.sent(bytes("a"), 5);
  expect(notes, 0, "a", 7, 5, Event::kJoined);
}

TEST(MemberNotes, OneSenderWithAShortKeyAllocatesNothing) {
  Arena arena;
  MemberNotes notes(arena);
  const std::string key(24, 'k');
  for (std::int64_t number = 1; number <= 1000; ++number) notes.sent(bytes(key), number);
  expect(notes, 0, key, 1000, 0, Event::kNone);
  EXPECT_EQ(arena.allocations(), 0U);
}

TEST(MemberNotes, ManyMembersAreFoundAgainAndTakeFewBlocks) {
  Arena arena;
  MemberNotes notes(arena);
  constexpr std::size_t kMembers = 100000;
  const auto key = [](std::size_t i) { return "member " + std::to_string(i); };
  for (std::size_t i = 0; i < kMembers; ++i) notes.joined(bytes(key(i)));
  for (std::size_t i = 0; i < kMembers; i += 7) notes.sent(bytes(key(i)), static_cast<std::int64_t>(i + 1));
  ASSERT_EQ(notes.size(), kMembers);
  for (std::size_t i = 0; i < kMembers; ++i) {
    const bool sent = i % 7 == 0;
    ASSERT_EQ(text(notes.entry(i).member), key(i));
    ASSERT_EQ(notes.entry(i).sent_since_join, sent ? static_cast<std::int64_t>(i + 1) : 0);
  }
  EXPECT_LE(arena.live_blocks(), 3U);
  EXPECT_LT(arena.allocations(), 150U) << "grows by a part of its size, not by an entry";
}

TEST(MemberNotes, ClearedItBeginsAnew) {
  Arena arena;
  MemberNotes notes(arena);
  for (int i = 0; i < 100; ++i) notes.joined(bytes(std::to_string(i)));
  notes.clear();
  EXPECT_TRUE(notes.empty());
  notes.left(bytes("99"));
  notes.sent(bytes("new"), 3);
  ASSERT_EQ(notes.size(), 2U);
  expect(notes, 0, "99", 0, 0, Event::kLeft);
  expect(notes, 1, "new", 3, 0, Event::kNone);
}

TEST(MemberNotes, ACopyInOtherMemoryIsIndependent) {
  for (const int members : {1, 10, 500}) {
    SCOPED_TRACE(members);
    Arena other;
    std::optional<Arena> arena(std::in_place);
    std::optional<MemberNotes> notes(std::in_place, *arena);
    for (int i = 0; i < members; ++i) notes->sent(bytes(std::to_string(i)), i + 1);
    MemberNotes copy(*notes, other);
    notes->left(bytes("0"));
    notes->joined(bytes("x"));
    copy.sent(bytes("0"), 1000);
    copy.joined(bytes("y"));
    notes.reset();
    arena.reset();
    ASSERT_EQ(copy.size(), static_cast<std::size_t>(members) + 1);
    expect(copy, 0, "0", 1000, 0, Event::kNone);
    for (int i = 1; i < members; ++i)
      expect(copy, static_cast<std::size_t>(i), std::to_string(i), i + 1, 0, Event::kNone);
    expect(copy, static_cast<std::size_t>(members), "y", 0, 0, Event::kJoined);
  }
}

TEST(MemberNotes, AFailedAllocationChangesNothing) {
  Arena arena;
  int failures = 0;
  {
    MemberNotes notes(arena);
    std::mt19937_64 random(5);
    std::vector<std::string> members;
    for (int step = 0; step < 20000; ++step) {
      const std::string member(random() % 3 == 0 ? 40 : 1, static_cast<char>('a' + random() % 26));
      const std::string key = member + std::to_string(random() % 100);
      const bool known = std::find(members.begin(), members.end(), key) != members.end();
      arena.fail_at(random() % 2 == 0 ? 1 + random() % 3 : 0);
      try {
        notes.joined(bytes(key));
        if (!known) members.push_back(key);
      } catch (const std::bad_alloc&) {
        ++failures;
        ASSERT_FALSE(known) << "a member that is there takes no memory";
      }
      arena.fail_at(0);
      ASSERT_EQ(notes.size(), members.size());
      if (members.size() == 400) {
        for (std::size_t i = 0; i < members.size(); ++i) ASSERT_EQ(text(notes.entry(i).member), members[i]);
        notes.clear();
        members.clear();
      }
    }
  }
  EXPECT_GT(failures, 20);
  EXPECT_EQ(arena.live_blocks(), 0U);
}

TEST(MemberNotes, AFailedCopyLeavesNothingBehind) {
  Arena arena;
  MemberNotes notes(arena);
  for (int i = 0; i < 100; ++i) notes.joined(bytes(std::to_string(i)));
  for (std::size_t n = 1; n <= 3; ++n) {
    Arena other;
    other.fail_at(n);
    EXPECT_THROW(MemberNotes(notes, other), std::bad_alloc);
    EXPECT_EQ(other.live_blocks(), 0U);
  }
}

// An entry against its events. The model: the intervals of one member, as the
// read states keep them.

struct Interval {
  std::int64_t joined;
  std::optional<std::int64_t> left;
  std::int64_t read;
  bool operator==(const Interval&) const = default;
};

class Membership {
 public:
  explicit Membership(std::vector<Interval> intervals, std::int64_t last)
      : intervals_(std::move(intervals)), last_(last) {}

  [[nodiscard]] bool member() const { return !intervals_.empty() && !intervals_.back().left; }
  [[nodiscard]] bool left_at_last() const { return !intervals_.empty() && intervals_.back().left == last_; }
  void raise(std::int64_t number) { intervals_.back().read = std::max(intervals_.back().read, number); }
  void join() {
    if (member()) return;
    if (left_at_last())
      intervals_.back().left.reset();
    else
      intervals_.push_back({last_, std::nullopt, last_});
  }
  void leave() {
    if (member()) intervals_.back().left = last_;
  }
  void send(std::int64_t number) {
    if (member()) raise(number);
  }

  void apply(const MemberNotes::Entry& entry) {
    if (member()) raise(entry.sent);
    if (entry.event == Event::kJoined) {
      join();
      raise(entry.sent_since_join);
    }
    if (entry.event == Event::kLeft && (member() || left_at_last())) {
      raise(entry.sent_since_join);
      intervals_.back().left = last_;
    }
  }

  // Those that hold a number.
  [[nodiscard]] std::vector<Interval> seen() const {
    std::vector<Interval> result = intervals_;
    std::erase_if(result, [](const Interval& interval) { return interval.left == interval.joined; });
    return result;
  }

 private:
  std::vector<Interval> intervals_;
  std::int64_t last_;
};

constexpr std::int64_t kLast = 9;

// An event: 0 joined, -1 left, else a number sent.
void tell(MemberNotes& notes, std::int64_t event) {
  if (event == 0)
    notes.joined(bytes("m"));
  else if (event == -1)
    notes.left(bytes("m"));
  else
    notes.sent(bytes("m"), event);
}

void happen(Membership& membership, std::int64_t event) {
  if (event == 0)
    membership.join();
  else if (event == -1)
    membership.leave();
  else
    membership.send(event);
}

TEST(MemberNotes, AnEntryComesToTheSameAsItsEventsInEverySequenceAndFromEveryMembership) {
  const std::vector<Interval> before[] = {
      {},
      {{2, std::nullopt, 2}},
      {{2, std::nullopt, 6}},
      {{2, std::nullopt, kLast}},
      {{kLast, std::nullopt, kLast}},
      {{1, 3, 2}, {5, std::nullopt, 5}},
      {{2, 5, 4}},
      {{2, kLast, 4}},
      {{2, kLast, kLast}},
      {{kLast, kLast, kLast}},
      {{1, 3, 2}, {5, kLast, 6}},
  };
  const std::int64_t events[] = {0, -1, 3, 6, kLast};
  std::size_t sequences = 0;
  for (const auto& intervals : before)
    for (std::size_t code = 1; code <= 5 + 25 + 125 + 625 + 3125 + 15625; ++code) {  // up to six events
      std::vector<std::int64_t> sequence;
      for (std::size_t rest = code; rest > 0; rest = (rest - 1) / 5) sequence.push_back(events[(rest - 1) % 5]);
      Arena arena;
      MemberNotes notes(arena);
      Membership one_by_one(intervals, kLast);
      Membership at_once(intervals, kLast);
      for (const std::int64_t event : sequence) {
        tell(notes, event);
        happen(one_by_one, event);
      }
      at_once.apply(notes.entry(0));
      ASSERT_EQ(at_once.seen(), one_by_one.seen()) << "events " << testing::PrintToString(sequence);
      ++sequences;
    }
  EXPECT_GT(sequences, 100000U);
}

}  // namespace
