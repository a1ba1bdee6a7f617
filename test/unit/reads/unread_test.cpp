// Unread messages: the formula against counting every number, and what its shortcuts read.
#include "core/reads/unread.hpp"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "skip_model.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

// One conversation as one member sees it, number by number.
struct Model {
  std::vector<SkipKind> kinds{SkipKind::kCounted};  // of number 0, which is none
  std::vector<bool> own{false};
  std::vector<bool> acked{false};
  RowStore store;

  [[nodiscard]] std::int64_t last() const { return static_cast<std::int64_t>(kinds.size()) - 1; }
  void send(SkipKind kind, bool is_own, bool is_acked) {
    kinds.push_back(SkipKind::kCounted);
    own.push_back(is_own);
    acked.push_back(is_acked);
    if (kind != SkipKind::kCounted) set(last(), kind);
  }
  void set(std::int64_t number, SkipKind kind) {
    kinds[static_cast<std::size_t>(number)] = kind;
    store.begin();
    const SkipChange change{number, number, kind};
    skip_apply(store, last(), {&change, 1});
  }
  [[nodiscard]] UnreadCounters counters() const {
    std::int64_t live = 0;
    for (std::size_t number = 1; number < kinds.size(); ++number) live += kinds[number] == SkipKind::kCounted ? 1 : 0;
    return {last(), live};
  }
  template <class Wanted>
  [[nodiscard]] std::int64_t count(std::int64_t position, Wanted wanted) const {
    std::int64_t result = 0;
    for (auto number = static_cast<std::size_t>(position + 1); number < kinds.size(); ++number)
      result += kinds[number] == SkipKind::kCounted && wanted(number) ? 1 : 0;
    return result;
  }
  // What the glue would ask.
  [[nodiscard]] std::int64_t by_formula(std::int64_t position) const {
    RowLookup lookup(store.rows());
    const std::int64_t own_above = count(position, [&](std::size_t n) { return own[n] && !acked[n]; });
    std::int64_t acked_above = 0;
    for (std::int64_t chunk = 0; chunk <= skip_chunk(0, last()); ++chunk) {
      std::uint64_t numbers[64] = {};
      for (int bit = 0; bit < 4096; ++bit) {
        const auto number = static_cast<std::size_t>(skip_first(0, chunk) + bit);
        if (number < acked.size() && acked[number]) numbers[bit / 64] |= std::uint64_t{1} << bit % 64;
      }
      acked_above += live_in_chunk(lookup, last(), chunk, numbers, position);
    }
    return unread(lookup, counters(), position, own_above, acked_above);
  }
  [[nodiscard]] std::int64_t by_counting(std::int64_t position) const {
    return count(position, [&](std::size_t n) { return !own[n] && !acked[n]; });
  }
};

TEST(Unread, EachNumberIsTakenOffOnceWhateverItIsTwice) {
  // Every combination of what one number can be, one after the other.
  const SkipKind kinds[] = {SkipKind::kCounted, SkipKind::kRemoved, SkipKind::kUncounted};
  Model model;
  for (const SkipKind kind : kinds)
    for (const bool own : {false, true})
      for (const bool acked : {false, true}) model.send(kind, own, acked);
  EXPECT_EQ(model.counters().message_count, 4);
  EXPECT_EQ(model.by_counting(0), 1);
  for (std::int64_t position = 0; position <= model.last(); ++position)
    EXPECT_EQ(model.by_formula(position), model.by_counting(position)) << position;
}

TEST(Unread, IsWhatCountingEveryNumberGives) {
  Random random(81);
  for (int round = 0; round < 60; ++round) {
    Model model;
    const std::int64_t messages = 1 + pick(random, round % 6 == 0 ? 10000 : 300);
    const std::int64_t dense = pick(random, 12);
    const auto kind = [&] {
      const std::int64_t draw = pick(random, 40);
      return draw >= dense ? SkipKind::kCounted : draw % 2 == 0 ? SkipKind::kRemoved : SkipKind::kUncounted;
    };
    for (std::int64_t i = 0; i < messages; ++i) {
      model.send(kind(), pick(random, 5) == 0, pick(random, 9) == 0);
      if (pick(random, 8) == 0) model.set(1 + pick(random, model.last()), kind());
    }
    for (int ask = 0; ask < 20; ++ask) {
      const std::int64_t position = ask == 0 ? 0 : pick(random, model.last() + 1);
      ASSERT_EQ(model.by_formula(position), model.by_counting(position)) << position << " of " << messages;
      RowLookup lookup(model.store.rows());
      ASSERT_EQ(live_after(lookup, model.counters(), position),
                model.count(position, [](std::size_t) { return true; }));
      ASSERT_LE(lookup.leaves, 2);  // the last one, where it is not stored, and the position's
    }
    ASSERT_FALSE(HasFailure());
  }
}

TEST(Unread, ShortcutsReadNoMoreThanTheySay) {
  const std::int64_t last = 1000000;
  Kinds kinds;
  kinds.assign(5, 9, SkipKind::kRemoved);
  kinds.assign(500000, 500010, SkipKind::kUncounted);
  kinds.assign(999990, 999990, SkipKind::kRemoved);
  const Rows rows = kinds.rows(last);
  const UnreadCounters counters{last, last - 17};
  const auto reads = [&](UnreadCounters given, std::int64_t position, std::int64_t wanted) {
    RowLookup lookup(rows);
    EXPECT_EQ(live_after(lookup, given, position), wanted) << position;
    return std::pair(lookup.leaves, lookup.nodes);
  };
  using Reads = std::pair<int, int>;
  EXPECT_EQ(reads(counters, last, 0), Reads(0, 0));
  EXPECT_EQ(reads(counters, last + 5, 0), Reads(0, 0));
  EXPECT_EQ(reads({last, last}, 7, last - 7), Reads(0, 0));  // as if nothing had ever been skipped
  EXPECT_EQ(reads(counters, last - 100, 99), Reads(1, 0));
  EXPECT_EQ(reads(counters, 500005, last - 500005 - 6), Reads(1, 2));
  EXPECT_EQ(reads(counters, 700000, last - 700000 - 1), Reads(0, 1));  // nothing is skipped below its child
  EXPECT_EQ(reads(counters, 0, last - 17), Reads(0, 0));
}

TEST(Unread, ALargeHoleCostsNothing) {
  const std::int64_t last = std::int64_t{1} << 40;
  Kinds kinds;
  kinds.assign(1001, last - 1000, SkipKind::kRemoved);
  const Rows rows = kinds.rows(last);
  for (const std::int64_t position : {std::int64_t{0}, std::int64_t{1000}, std::int64_t{1} << 39, last - 1000}) {
    RowLookup lookup(rows);
    EXPECT_EQ(live_after(lookup, {last, 2000}, position), std::max<std::int64_t>(1000 - position, 0) + 1000);
    EXPECT_LE(lookup.leaves, 1);
  }
}

TEST(Unread, IsNeverNegative) {
  RowLookup lookup(Kinds().rows(10));
  EXPECT_EQ(unread(lookup, {10, 10}, 4, 9, 9), 0);
}

}  // namespace
