// The skipped numbers as rows, against twins: after every change the rows are those made from scratch, and every
// question has the twin's answer.
#include "core/reads/skip_tree.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <ostream>
#include <vector>

#include <gtest/gtest.h>

#include "skip_model.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();
constexpr SkipKind kKinds[] = {SkipKind::kCounted, SkipKind::kRemoved, SkipKind::kUncounted};

// Both, changed together.
class Conversation {
 public:
  void apply(std::int64_t last, const std::vector<SkipChange>& changes) {
    last_ = std::max(last, last_);
    store_.begin();
    skip_apply(store_, last_, changes);
    for (const SkipChange& change : changes) kinds_.assign(change.first, change.last, change.kind);
    if (!changes.empty()) built_ = last_;
  }
  void one(std::int64_t last, std::int64_t first, std::int64_t to, SkipKind kind) { apply(last, {{first, to, kind}}); }
  void grow(std::int64_t last) { last_ = std::max(last, last_); }
  [[nodiscard]] bool rows_are_right() const { return same(store_.rows(), kinds_.rows(built_)); }

  void ask(std::int64_t number) const {
    RowLookup lookup(store_.rows());
    const std::int64_t wanted = number < 1 ? 0 : kinds_.count(1, std::min(number, last_));
    ASSERT_EQ(skipped_upto(lookup, last_, number), wanted) << number << " of " << last_;
    ASSERT_LE(lookup.leaves, 1);
    ASSERT_LE(lookup.nodes, std::max(skip_levels(last_), 1));
    CountingLookup counting(store_.rows());
    ASSERT_EQ(skipped_upto(counting, last_, number), wanted);
    ASSERT_LE(counting.leaves, 1);
    if (number < 1 || number > last_) {
      ASSERT_EQ(skip_kind_of(lookup, last_, number), SkipKind::kCounted);
      return;
    }
    ASSERT_EQ(skip_kind_of(lookup, last_, number), kinds_.at(number)) << number;
    ASSERT_EQ(skip_next_live(lookup, last_, number), kinds_.next_live(number, last_)) << number;
  }
  void ask_between(std::int64_t lower, std::int64_t upper) const {
    RowLookup lookup(store_.rows());
    const std::int64_t from = std::max<std::int64_t>(lower, 0);
    const std::int64_t to = std::min(upper, last_);
    const std::int64_t wanted = from < to ? kinds_.count(from + 1, to) : 0;
    ASSERT_EQ(skipped_between(lookup, last_, lower, upper), wanted) << lower << ' ' << upper;
    CountingLookup counting(store_.rows());
    ASSERT_EQ(skipped_between(counting, last_, lower, upper), wanted);
  }
  // The visitor gives exactly what is skipped, ascending.
  void visit(std::int64_t from, std::int64_t to) const {
    struct Collect {
      std::int64_t from;
      std::int64_t to;
      Kinds kinds;
      std::int64_t passed = 0;
      void leaf(std::int64_t chunk, const SkipLeaf& leaf) {
        EXPECT_GE(skip_last(0, chunk), from);
        EXPECT_LE(skip_first(0, chunk), to);
        pass(skip_first(0, chunk), skip_last(0, chunk));
        for (std::int64_t number = std::max(from, skip_first(0, chunk));; ++number) {
          const int bit = skip_bit(number);
          if (skip_leaf_kind(leaf, bit) != SkipKind::kCounted) kinds.assign(number, number, skip_leaf_kind(leaf, bit));
          if (number == std::min(to, skip_last(0, chunk))) break;
        }
      }
      void removed(std::int64_t first, std::int64_t last) {
        EXPECT_LE(from, first);
        EXPECT_LE(last, to);
        pass(first, last);
        kinds.assign(first, last, SkipKind::kRemoved);
      }
      void pass(std::int64_t first, std::int64_t last) {
        EXPECT_LT(passed, first);
        EXPECT_LE(first, last);
        passed = last;
      }
    } collect{from, to, {}};
    RowLookup lookup(store_.rows());
    skip_visit(lookup, last_, from, to, collect);
    Kinds wanted;
    kinds_.skipped(from, std::min(to, last_),
                   [&](std::int64_t a, std::int64_t b, SkipKind kind) { wanted.assign(a, b, kind); });
    std::vector<std::int64_t> left;
    std::vector<std::int64_t> right;
    const auto list = [](const Kinds& kinds, std::vector<std::int64_t>& into) {
      kinds.skipped(1, kGreatest, [&](std::int64_t a, std::int64_t b, SkipKind kind) {
        if (into.size() > 2 && into[into.size() - 2] == a - 1 && into.back() == static_cast<int>(kind)) {
          into[into.size() - 2] = b;
          return;
        }
        into.insert(into.end(), {a, b, static_cast<int>(kind)});
      });
    };
    list(wanted, left);
    list(collect.kinds, right);
    ASSERT_EQ(left, right);
  }

  [[nodiscard]] std::int64_t last() const { return last_; }
  [[nodiscard]] const RowStore& store() const { return store_; }
  [[nodiscard]] const Kinds& kinds() const { return kinds_; }

 private:
  RowStore store_;
  Kinds kinds_;
  std::int64_t last_ = 0;
  std::int64_t built_ = 0;
};

TEST(SkipTree, LevelsAndPlacesAtEveryBoundary) {
  EXPECT_EQ(skip_levels(0), 0);
  for (int level = 0; level < kSkipLevels; ++level) {
    const std::int64_t capacity = skip_capacity(level);
    EXPECT_EQ(skip_levels(capacity), level);
    EXPECT_EQ(skip_levels(capacity + 1), level + 1);
    for (const std::int64_t chunk : {0, 1, 5}) {
      EXPECT_EQ(skip_chunk(level, skip_first(level, chunk)), chunk);
      EXPECT_EQ(skip_chunk(level, skip_last(level, chunk)), chunk);
      EXPECT_EQ(skip_first(level, chunk + 1), skip_last(level, chunk) + 1);
    }
  }
  EXPECT_EQ(skip_levels(std::int64_t{1} << 36), 4);
  EXPECT_EQ(skip_levels(kGreatest), 9);
  for (int level = 0; level <= kSkipLevels; ++level)
    EXPECT_EQ(skip_last(level, skip_chunk(level, kGreatest)), kGreatest);
  EXPECT_EQ(skip_child(9, kGreatest), 7);
  EXPECT_EQ(skip_bit(4096), 4095);
  EXPECT_EQ(skip_bit(4097), 0);
}

TEST(SkipTree, ASmallConversationHasOneLeafAndNothingElse) {
  Conversation chat;
  chat.one(10, 3, 3, SkipKind::kRemoved);
  chat.one(4096, 4096, 4096, SkipKind::kUncounted);
  EXPECT_EQ(chat.store().rows().size(), 1U);
  EXPECT_EQ(chat.store().loads(), 1U);
  EXPECT_TRUE(chat.rows_are_right());
  chat.one(4096, 1, 4096, SkipKind::kRemoved);  // full, and still there: nothing is above it
  EXPECT_EQ(chat.store().rows().size(), 1U);
  EXPECT_TRUE(chat.rows_are_right());
  chat.one(4097, 4097, 4097, SkipKind::kRemoved);
  EXPECT_EQ(chat.store().rows().count({0, 0}), 0U);
  EXPECT_TRUE(chat.rows_are_right());
  chat.one(4097, 1, 4097, SkipKind::kCounted);
  EXPECT_TRUE(chat.store().rows().empty());
}

TEST(SkipTree, WhatChangesNothingWritesNothing) {
  Conversation chat;
  chat.one(1000000, 500000, 600000, SkipKind::kRemoved);
  chat.one(1000000, 700001, 700001, SkipKind::kUncounted);
  for (const SkipChange& change : std::vector<SkipChange>{{500000, 600000, SkipKind::kRemoved},
                                                          {520000, 520000, SkipKind::kRemoved},
                                                          {700001, 700001, SkipKind::kUncounted},
                                                          {1, 499999, SkipKind::kCounted},
                                                          {1000000, 1000000, SkipKind::kCounted}}) {
    chat.apply(1000000, {change});
    EXPECT_EQ(chat.store().writes(), 0U) << change.first;
  }
  chat.apply(1000000, {});
  EXPECT_EQ(chat.store().loads() + chat.store().writes(), 0U);
}

TEST(SkipTree, ADeleteWritesOneRowALevel) {
  Conversation chat;
  chat.one(std::int64_t{1} << 30, 1, 1, SkipKind::kRemoved);
  for (const std::int64_t number : {std::int64_t{77777777}, std::int64_t{1} << 30, std::int64_t{4096}}) {
    chat.one(std::int64_t{1} << 30, number, number, SkipKind::kRemoved);
    EXPECT_LE(chat.store().writes(), 4U);
    EXPECT_LE(chat.store().loads(), 4U);
    chat.one(std::int64_t{1} << 30, number, number, SkipKind::kUncounted);
    EXPECT_EQ(chat.store().writes(), 1U);  // the counts stay
  }
}

TEST(SkipTree, ARangeOfAnyLengthTakesTwoPaths) {
  for (const std::int64_t length : {std::int64_t{1000000000}, std::int64_t{1} << 40, std::int64_t{1} << 61}) {
    for (const std::int64_t first : {std::int64_t{1}, std::int64_t{5000}, std::int64_t{123456789}}) {
      Conversation chat;
      const std::int64_t last = first + length + 10;
      chat.one(last, first, first + length - 1, SkipKind::kRemoved);
      const auto levels = static_cast<std::size_t>(skip_levels(last));
      EXPECT_LE(chat.store().writes(), 2 * levels + 2);
      EXPECT_LE(chat.store().rows().size(), 2 * levels + 2);
      EXPECT_TRUE(chat.rows_are_right());
      for (const std::int64_t number : {first - 1, first, first + length / 3, first + length - 1, first + length, last})
        chat.ask(number);
      // Back in the middle: a path of rows comes out of the full one.
      const std::int64_t middle = first + length / 2;
      chat.one(last, middle, middle, SkipKind::kCounted);
      EXPECT_LE(chat.store().writes(), levels + 1);
      EXPECT_TRUE(chat.rows_are_right());
      chat.ask(middle);
      chat.one(last, middle, middle, SkipKind::kRemoved);
      EXPECT_TRUE(chat.rows_are_right());
      chat.one(last, 1, last, SkipKind::kCounted);
      EXPECT_TRUE(chat.store().rows().empty());
    }
  }
}

TEST(SkipTree, GrowthBuildsTheNodesThatWereMissed) {
  Conversation chat;
  chat.one(100, 7, 9, SkipKind::kRemoved);
  for (const std::int64_t last : {std::int64_t{4097}, std::int64_t{300000}, std::int64_t{1} << 31, kGreatest}) {
    chat.grow(last);
    for (const std::int64_t number : {std::int64_t{8}, std::int64_t{4096}, std::int64_t{4097}, last}) chat.ask(number);
    chat.ask_between(0, last);
    chat.ask_between(8, last);
    chat.visit(1, last);
  }
  EXPECT_EQ(chat.store().rows().size(), 1U);
  chat.one(kGreatest, kGreatest, kGreatest, SkipKind::kUncounted);
  EXPECT_EQ(chat.store().rows().size(), 10U + 9U);
  EXPECT_TRUE(chat.rows_are_right());
  chat.ask(kGreatest);
  chat.one(kGreatest, 1, kGreatest, SkipKind::kRemoved);
  EXPECT_TRUE(chat.rows_are_right());
  EXPECT_EQ(chat.store().rows().size(), 10U);
  chat.ask(kGreatest - 1);
}

TEST(SkipTree, ANodeFullOfRemovedIsToldFromOneWithUncounted) {
  Conversation chat;
  const std::int64_t last = 64 * 4096 * 3;
  chat.one(last, 1, last, SkipKind::kRemoved);
  chat.one(last, 70000, 70000, SkipKind::kUncounted);
  EXPECT_TRUE(chat.rows_are_right());
  chat.ask(70000);
  chat.ask(69999);
  chat.one(last, 200000, 200000, SkipKind::kUncounted);
  EXPECT_TRUE(chat.rows_are_right());
  chat.one(last, 70000, 70000, SkipKind::kRemoved);  // its neighbour still has a row
  EXPECT_TRUE(chat.rows_are_right());
  chat.one(last, 200000, 200000, SkipKind::kRemoved);
  EXPECT_TRUE(chat.rows_are_right());
  EXPECT_EQ(chat.store().rows().size(), 1U);
}

TEST(SkipTree, EveryKindAtEveryBoundary) {
  for (int level = 0; level < kSkipLevels; ++level) {
    const std::int64_t at = skip_capacity(level);
    std::vector<std::int64_t> numbers{1, at - 1, at, at + 1, at + 2, 2 * at, 2 * at + 1};
    if (level == 8) numbers.insert(numbers.end(), {std::int64_t{1} << 62, kGreatest - 1, kGreatest});
    if (level == 3) numbers.push_back(std::int64_t{1} << 31);
    std::sort(numbers.begin(), numbers.end());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      for (std::size_t j = i; j < numbers.size(); ++j) {
        for (const SkipKind kind : kKinds) {
          if (kind == SkipKind::kUncounted && numbers[j] - numbers[i] > 10000) continue;
          Conversation chat;
          chat.one(numbers.back(), at, at, SkipKind::kRemoved);
          chat.one(numbers.back(), numbers[i], numbers[j], kind);
          ASSERT_TRUE(chat.rows_are_right()) << level << ' ' << numbers[i] << ' ' << numbers[j];
          for (const std::int64_t number : numbers) chat.ask(number);
        }
      }
    }
  }
}

struct Shape {
  const char* name;
  std::int64_t start;     // the greatest number at first
  std::int64_t universe;  // and at last
  int rounds;
  int most_changes;     // a round
  std::int64_t spread;  // of one round's changes; 0: anywhere
  int check_every;      // rounds; the whole of the rows
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

class RandomChanges : public testing::TestWithParam<Shape> {
 protected:
  std::int64_t number(std::int64_t last) {
    const std::int64_t near = pick(random_, 5) - 2;
    switch (pick(random_, 4)) {
      case 0:
        return std::clamp<std::int64_t>(skip_capacity(static_cast<int>(pick(random_, 9))) + near, 1, last);
      case 1:  // somewhere of some size
        return 1 + pick(random_, std::min(last, std::int64_t{2} << pick(random_, 62)));
      case 2:  // a boundary of leaves
        return std::clamp<std::int64_t>(pick(random_, std::max<std::int64_t>(last / 4096, 1)) * 4096 + near, 1, last);
      default:
        return 1 + pick(random_, last);
    }
  }
  // From the wanted first number on; ranges that hold one boundary more often than chance would.
  std::int64_t end(std::int64_t first, std::int64_t last, SkipKind kind) {
    const std::int64_t left = last - first;
    std::int64_t length = 0;
    switch (pick(random_, 8)) {
      case 0:
        length = pick(random_, 10000);
        break;
      case 1:
        length = pick(random_, 100);
        break;
      case 2:
        length = skip_last(0, skip_chunk(0, first)) - first;
        break;
      case 3:
        length = kind == SkipKind::kUncounted ? 5000 : pick(random_, std::int64_t{1} << pick(random_, 62));
        break;
      case 4:
        length = kind == SkipKind::kUncounted ? 0 : left;
        break;
      default:
        break;
    }
    return first + std::min(length, left);
  }
  std::vector<SkipChange> changes(std::int64_t last) {
    const Shape& shape = GetParam();
    std::vector<SkipChange> result;
    const std::int64_t wanted = 1 + pick(random_, shape.most_changes);
    std::int64_t at = number(last);
    const std::int64_t most = shape.spread == 0 ? last : std::min(last, at + std::min(shape.spread, last - at));
    const bool ranges = pick(random_, 10) == 0;
    while (static_cast<std::int64_t>(result.size()) < wanted && at <= most) {
      const SkipKind kind = kKinds[pick(random_, 3)];
      const std::int64_t to = ranges ? end(at, most, kind) : at;
      result.push_back({at, to, kind});
      if (to == kGreatest) break;
      at = to + 1;
      if (at < most) at += pick(random_, std::max<std::int64_t>((most - at) / wanted, 2));
    }
    return result;
  }
  void ask(const Conversation& chat) {
    const std::int64_t last = chat.last();
    const std::int64_t a = number(last);
    const std::int64_t b =
        pick(random_, 2) == 0 ? number(last) : a + pick(random_, std::min<std::int64_t>(last - a + 1, 3000));
    chat.ask(a);
    chat.ask(b);
    chat.ask_between(std::min(a, b), std::max(a, b));
    chat.ask_between(a, last);
  }

  Random random_{20240};
};

TEST_P(RandomChanges, RowsAndAnswersAreTheTwins) {
  const Shape& shape = GetParam();
  Conversation chat;
  std::int64_t last = shape.start;
  std::int64_t made = 0;
  for (int round = 1; round <= shape.rounds; ++round) {
    if (last < shape.universe && pick(random_, 20) == 0)
      last += 1 + pick(random_, std::min(last, shape.universe - last));
    const std::vector<SkipChange> round_changes = changes(last);
    made += static_cast<std::int64_t>(round_changes.size());
    chat.apply(last, round_changes);
    ASSERT_NO_FATAL_FAILURE(ask(chat)) << round;
    if (round % shape.check_every == 0) {
      ASSERT_TRUE(chat.rows_are_right()) << round;
      const std::int64_t from = number(last);
      ASSERT_NO_FATAL_FAILURE(chat.visit(from, from + std::min<std::int64_t>(last - from, 100000)));
    }
    // Now and then all is put back, in one range: few segments keep the twin quick.
    if (chat.kinds().segments() > 1500) chat.one(last, 1, last, kKinds[pick(random_, 2)]);
    ASSERT_FALSE(HasFailure()) << round;
  }
  EXPECT_TRUE(chat.rows_are_right());
  EXPECT_GT(made, shape.rounds);
}

INSTANTIATE_TEST_SUITE_P(
    SkipTree, RandomChanges,
    testing::Values(Shape{"one_leaf", 1, 4096, 20000, 30, 0, 20}, Shape{"dense", 4000, 20000, 16000, 30, 0, 50},
                    Shape{"two_levels", 200000, 300000, 16000, 50, 5000, 100},
                    Shape{"millions", 1000, std::int64_t{1} << 24, 8000, 40, 0, 100},
                    Shape{"sparse", 1000, std::int64_t{1} << 40, 5000, 30, 0, 500},
                    Shape{"hot_places", std::int64_t{1} << 31, std::int64_t{1} << 40, 10000, 60, 9000, 50},
                    Shape{"all", std::int64_t{1} << 20, kGreatest, 3000, 30, 0, 750}),
    [](const auto& info) { return info.param.name; });

}  // namespace
