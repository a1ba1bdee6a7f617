// Positions, unread marks and acknowledgements: all short sequences of events, and long random ones, against a twin
// that keeps for every number whether it was delivered and read.
#include "core/reads/acks.hpp"
#include "core/reads/positions.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "../support/bitmaps.hpp"
#include "skip_model.hpp"

namespace {

using namespace chatopt::core;
using chatopt::test::Kinds;
using chatopt::test::pick;
using chatopt::test::Random;
using chatopt::test::RowLookup;
using chatopt::test::Rows;

struct Event {
  enum class Kind { kMark, kAck, kUnread } kind;
  Mark mark;
  std::int64_t number;
};

struct AckRows {
  std::map<std::int64_t, AckChunk> chunks;
  bool load(std::int64_t index, AckChunk& chunk) noexcept {
    const auto found = chunks.find(index);
    if (found == chunks.end()) return false;
    chunk = found->second;
    return true;
  }
};

// What the rows of one member say, changed as the glue would.
struct Member {
  Positions positions;
  std::int64_t unread_mark = kNoUnreadMark;
  AckRows acks;

  unsigned take(const Event& event, std::int64_t last, const Rows& rows) {
    if (event.kind == Event::Kind::kUnread) return mark_unread(positions, unread_mark, event.number);
    unsigned changed = 0;
    if (event.kind == Event::Kind::kMark) {
      changed = mark_upto(positions, unread_mark, event.mark, event.number, last);
      if (acks.chunks.empty()) return changed;
    } else {
      if (!ack_is_news(positions, event.mark, event.number, last)) return 0;
      if (!ack(acks.chunks.try_emplace(skip_chunk(0, event.number)).first->second, event.mark, event.number)) return 0;
    }
    RowLookup lookup(rows);
    changed |= absorb(positions, acks, lookup, last);
    for (auto chunk = acks.chunks.begin(); chunk != acks.chunks.end();) {
      ack_drop(chunk->second, chunk->first, positions);
      chunk = ack_is_empty(chunk->second) ? acks.chunks.erase(chunk) : std::next(chunk);
    }
    return changed;
  }
  [[nodiscard]] bool holds(Mark mark, std::int64_t number) const {
    if (number <= position(positions, mark)) return true;
    const auto found = acks.chunks.find(skip_chunk(0, number));
    return found != acks.chunks.end() && ack_holds(found->second, mark, number);
  }
};

// The naive one: a flag for every number and status.
struct MemberTwin {
  std::int64_t joined = 0;
  std::set<std::int64_t> delivered;
  std::set<std::int64_t> read;

  void take(const Event& event, std::int64_t last) {
    if (event.kind == Event::Kind::kUnread || event.number < 1) return;
    const std::int64_t to = std::min(event.number, last);
    if (event.kind == Event::Kind::kAck && event.number > last) return;
    const std::int64_t from = event.kind == Event::Kind::kMark ? joined + 1 : std::max(event.number, joined + 1);
    for (std::int64_t number = from; number <= to; ++number) {
      delivered.insert(number);
      if (event.mark == Mark::kRead) read.insert(number);
    }
  }
};

void check(const Member& member, const MemberTwin& twin, const Kinds& kinds, std::int64_t last) {
  const Positions& at = member.positions;
  ASSERT_LE(at.joined, at.read);
  ASSERT_LE(at.read, at.delivered);
  ASSERT_LE(at.delivered, last);
  for (std::int64_t number = at.joined + 1; number <= last; ++number) {
    if (kinds.at(number) == SkipKind::kRemoved) continue;
    ASSERT_EQ(member.holds(Mark::kRead, number), twin.read.contains(number)) << number;
    ASSERT_EQ(member.holds(Mark::kDelivered, number), twin.delivered.contains(number)) << number;
  }
  // Nothing that a position tells is kept, and nothing that it could take along is left.
  for (const auto& [index, chunk] : member.acks.chunks) {
    ASSERT_FALSE(ack_is_empty(chunk));
    for (int bit = 0; bit < 4096; ++bit) {
      const std::int64_t number = skip_first(0, index) + bit;
      const bool read = ack_holds(chunk, Mark::kRead, number);
      const bool delivered = ack_holds(chunk, Mark::kDelivered, number);
      if (read) {
        ASSERT_GT(number, at.read + 1);
      }
      if (delivered && !read) {
        ASSERT_GT(number, at.delivered + 1);
      }
      if (read) {
        ASSERT_TRUE(delivered);
      }
    }
  }
  ASSERT_TRUE(member.unread_mark == kNoUnreadMark || (at.joined <= member.unread_mark && member.unread_mark < at.read));
  ASSERT_LE(unread_position(at, member.unread_mark), at.read);
}

bool same(const Member& a, const Member& b) {
  return a.positions == b.positions && a.unread_mark == b.unread_mark && a.acks.chunks.size() == b.acks.chunks.size() &&
         std::equal(a.acks.chunks.begin(), a.acks.chunks.end(), b.acks.chunks.begin(), [](auto& x, auto& y) {
           return x.first == y.first && chatopt::test::same_bytes(x.second, y.second);
         });
}

class AllSequences {
 public:
  AllSequences(std::int64_t last, std::int64_t joined, const Kinds& kinds) : last_(last), kinds_(kinds) {
    rows_ = kinds.rows(last);
    for (std::int64_t number = 0; number <= last + 1; ++number) {
      for (const Mark mark : {Mark::kDelivered, Mark::kRead}) {
        events_.push_back({Event::Kind::kMark, mark, number});
        events_.push_back({Event::Kind::kAck, mark, number});
      }
      events_.push_back({Event::Kind::kUnread, Mark::kRead, number});
    }
    Member member;
    member.positions = joined_at(joined);
    MemberTwin twin;
    twin.joined = joined;
    step(member, twin, 0);
  }
  [[nodiscard]] std::int64_t steps() const { return steps_; }

 private:
  void step(const Member& before, const MemberTwin& twin_before, int depth) {
    ++steps_;
    check(before, twin_before, kinds_, last_);
    if (depth == 4 || testing::Test::HasFailure()) return;
    for (const Event& event : events_) {
      Member after = before;
      const unsigned changed = after.take(event, last_, rows_);
      EXPECT_EQ((changed & kReadMoved) != 0, after.positions.read != before.positions.read);
      EXPECT_EQ((changed & kDeliveredMoved) != 0, after.positions.delivered != before.positions.delivered);
      EXPECT_EQ((changed & kUnreadMarkMoved) != 0, after.unread_mark != before.unread_mark);
      EXPECT_GE(after.positions.read, before.positions.read);
      EXPECT_GE(after.positions.delivered, before.positions.delivered);
      if (same(before, after)) continue;  // whatever follows was seen without it
      Member again = after;
      EXPECT_EQ(again.take(event, last_, rows_), 0U);
      EXPECT_TRUE(same(again, after));
      MemberTwin twin = twin_before;
      twin.take(event, last_);
      step(after, twin, depth + 1);
    }
  }

  std::int64_t last_;
  const Kinds& kinds_;
  Rows rows_;
  std::vector<Event> events_;
  std::int64_t steps_ = 0;
};

TEST(Positions, AllSequencesOfFourEvents) {
  std::int64_t steps = 0;
  for (const std::int64_t last : {0, 1, 3, 4, 6}) {
    for (const std::int64_t joined : {std::int64_t{0}, last / 2}) {
      Kinds none;
      steps += AllSequences(last, joined, none).steps();
      if (last < 3 || last == 6) continue;
      Kinds some;
      some.assign(2, 2, SkipKind::kRemoved);
      some.assign(last, last, SkipKind::kRemoved);
      some.assign(3, 3, SkipKind::kUncounted);
      steps += AllSequences(last, joined, some).steps();
    }
    ASSERT_FALSE(HasFailure()) << last;
  }
  EXPECT_GT(steps, 50000);
}

TEST(Positions, EventsInAnyOrderGiveTheSame) {
  Random random(91);
  const Kinds none;
  for (int round = 0; round < 300; ++round) {
    const std::int64_t last = 1 + pick(random, 12);
    const Rows rows;
    std::vector<Event> events(static_cast<std::size_t>(1 + pick(random, 10)));
    for (Event& event : events)
      event = {pick(random, 3) == 0 ? Event::Kind::kMark : Event::Kind::kAck,
               pick(random, 2) == 0 ? Mark::kRead : Mark::kDelivered, pick(random, last + 3)};
    Member first;
    for (const Event& event : events) first.take(event, last, rows);
    for (int order = 0; order < 10; ++order) {
      std::shuffle(events.begin(), events.end(), random);
      Member other;
      for (const Event& event : events) other.take(event, last, rows);
      ASSERT_TRUE(same(first, other)) << round;
    }
  }
}

TEST(Positions, LongRandomSequencesOverSeveralChunks) {
  Random random(92);
  for (int round = 0; round < 12; ++round) {
    Kinds kinds;
    std::int64_t last = 6000 + pick(random, 8000);
    for (int i = 0; i < 40; ++i) {
      const std::int64_t at = 1 + pick(random, last - 1000);
      const std::int64_t length = i == 0 ? 5000 : pick(random, 60);
      kinds.assign(at, std::min(last, at + length), i % 4 == 3 ? SkipKind::kUncounted : SkipKind::kRemoved);
    }
    Member member;
    member.positions = joined_at(pick(random, 50));
    MemberTwin twin;
    twin.joined = member.positions.joined;
    Rows rows = kinds.rows(last);
    for (int step = 0; step < 1500; ++step) {
      if (pick(random, 100) == 0) {
        last += pick(random, 50);
        rows = kinds.rows(last);
      }
      Event event{Event::Kind::kAck, pick(random, 3) == 0 ? Mark::kDelivered : Mark::kRead, 0};
      const std::int64_t kind = pick(random, 100);
      if (kind == 0) event.kind = Event::Kind::kMark;
      if (kind == 1) event.kind = Event::Kind::kUnread;
      const std::int64_t near = member.positions.read + pick(random, 30);
      event.number = event.kind == Event::Kind::kAck && pick(random, 5) == 0 ? pick(random, last + 2) : near;
      member.take(event, last, rows);
      twin.take(event, last);
      if (step % 50 == 0) {
        ASSERT_NO_FATAL_FAILURE(check(member, twin, kinds, last)) << step;
      }
    }
    ASSERT_NO_FATAL_FAILURE(check(member, twin, kinds, last));
    EXPECT_GT(member.positions.read, member.positions.joined);
  }
}

TEST(Positions, ALongRemovedRangeIsPassedAtOnce) {
  const std::int64_t last = std::int64_t{1} << 41;
  Kinds kinds;
  kinds.assign(3, last - 2, SkipKind::kRemoved);
  const Rows rows = kinds.rows(last);
  RowLookup lookup(rows);
  Member member;
  ack(member.acks.chunks[0], Mark::kRead, 1);
  ack(member.acks.chunks[0], Mark::kRead, 2);
  ack(member.acks.chunks[skip_chunk(0, last - 1)], Mark::kRead, last - 1);
  EXPECT_EQ(absorb(member.positions, member.acks, lookup, last), kReadMoved | kDeliveredMoved);
  EXPECT_EQ(member.positions.read, last - 1);
  EXPECT_LT(lookup.nodes + lookup.leaves, 4000);
}

TEST(Positions, ReachTheGreatestNumber) {
  constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();
  Positions positions = joined_at(last - 2);
  std::int64_t mark = kNoUnreadMark;
  EXPECT_EQ(mark_unread(positions, mark, std::numeric_limits<std::int64_t>::min()), 0U);
  AckRows acks;
  ack(acks.chunks[skip_chunk(0, last)], Mark::kRead, last);
  ack(acks.chunks[skip_chunk(0, last)], Mark::kRead, last - 1);
  const Rows rows;
  RowLookup lookup(rows);
  EXPECT_EQ(absorbed(acks, lookup, last, Mark::kRead, positions.read), last);
  EXPECT_EQ(mark_upto(positions, mark, Mark::kRead, last, last), kReadMoved | kDeliveredMoved);
  EXPECT_TRUE(ack_drop(acks.chunks[skip_chunk(0, last)], skip_chunk(0, last), positions));
  EXPECT_TRUE(ack_is_empty(acks.chunks[skip_chunk(0, last)]));
}

TEST(Positions, AMembershipThatHasEndedIsFrozen) {
  Positions positions = joined_at(3);
  mark_upto(positions, Mark::kRead, 5, 8);
  leave(positions, 8);
  const Positions before = positions;
  std::int64_t mark = kNoUnreadMark;
  EXPECT_EQ(mark_upto(positions, mark, Mark::kRead, 8, 9), 0U);
  EXPECT_EQ(mark_unread(positions, mark, 4), 0U);
  EXPECT_FALSE(ack_is_news(positions, Mark::kRead, 7, 9));
  leave(positions, 9);
  EXPECT_EQ(positions, before);
  EXPECT_EQ(positions.left, 8);
}

TEST(Positions, WhatAnEarlierMembershipAcknowledgedStays) {
  Positions positions = joined_at(6);
  AckChunk chunk = {};
  ack(chunk, Mark::kDelivered, 3);
  ack(chunk, Mark::kRead, 5);
  ack(chunk, Mark::kRead, 8);
  mark_upto(positions, Mark::kRead, 9, 9);
  EXPECT_TRUE(ack_drop(chunk, 0, positions));
  EXPECT_TRUE(ack_holds(chunk, Mark::kDelivered, 3));
  EXPECT_FALSE(ack_holds(chunk, Mark::kRead, 3));
  EXPECT_TRUE(ack_holds(chunk, Mark::kRead, 5));
  EXPECT_FALSE(ack_holds(chunk, Mark::kDelivered, 8));
  EXPECT_FALSE(ack_drop(chunk, 0, positions));
}

TEST(Positions, TheUnreadMarkMovesUpByReadingAndGoesWhereItEnds) {
  Positions positions = joined_at(2);
  std::int64_t mark = kNoUnreadMark;
  mark_upto(positions, mark, Mark::kRead, 10, 12);
  EXPECT_EQ(mark_unread(positions, mark, 5), kUnreadMarkMoved);
  EXPECT_EQ(unread_position(positions, mark), 4);
  EXPECT_EQ(mark_upto(positions, mark, Mark::kDelivered, 12, 12), kDeliveredMoved);
  EXPECT_EQ(mark_upto(positions, mark, Mark::kRead, 7, 12), kUnreadMarkMoved);
  EXPECT_EQ(unread_position(positions, mark), 7);
  EXPECT_EQ(mark_unread(positions, mark, 1), kUnreadMarkMoved);
  EXPECT_EQ(mark, 2);  // not below joined
  EXPECT_EQ(mark_upto(positions, mark, Mark::kRead, 10, 12), kUnreadMarkMoved);
  EXPECT_EQ(mark, kNoUnreadMark);
  EXPECT_EQ(mark_unread(positions, mark, 11), 0U);
  EXPECT_EQ(mark_unread(positions, mark, 10), kUnreadMarkMoved);
  EXPECT_EQ(mark_upto(positions, mark, Mark::kRead, 99, 12), kReadMoved | kUnreadMarkMoved);
  EXPECT_EQ(positions.read, 12);
  EXPECT_EQ(mark, kNoUnreadMark);
}

TEST(Acks, ChunksComeBackFromTheirBitmaps) {
  AckChunk chunk{};
  for (const std::int64_t number : {1, 64, 65, 4096, 2000}) ack(chunk, Mark::kDelivered, number);
  for (const std::int64_t number : {64, 100, 4095}) ack(chunk, Mark::kRead, number);
  std::vector<std::byte> delivered(kSkipBitmapBound);
  std::vector<std::byte> read(kSkipBitmapBound);
  delivered.resize(skip_write_bitmap(chunk.delivered, delivered.data()));
  read.resize(skip_write_bitmap(chunk.read, read.data()));
  AckChunk back;
  ASSERT_TRUE(ack_from_bitmaps(delivered, read, back));
  EXPECT_TRUE(chatopt::test::same_bytes(back, chunk));
  EXPECT_FALSE(ack_from_bitmaps(read, delivered, back));  // read, but not delivered
  EXPECT_TRUE(ack_holds(back, Mark::kDelivered, 1));
  EXPECT_FALSE(ack_from_bitmaps(chatopt::test::parsed("{4096}"), chatopt::test::parsed("{}"), back));
}

}  // namespace
