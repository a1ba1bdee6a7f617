// core/counters/skips.hpp: three sets, a number in one of them at most, against a map.
#include "core/counters/skips.hpp"

#include <cstdint>
#include <map>
#include <new>
#include <random>

#include <gtest/gtest.h>

#include "../support/arena.hpp"

namespace {

using chatopt::core::NumberSet;
using chatopt::core::Skips;
using chatopt::test::Arena;

using Set = NumberSet Skips::*;
constexpr Set kSets[] = {&Skips::removed, &Skips::uncounted, &Skips::counted};
constexpr std::int64_t kSpan = 50;

TEST(Skips, AreEmptyWhenMadeAndAllocateNothing) {
  Arena arena;
  const Skips skips(arena);
  EXPECT_TRUE(skips.empty());
  EXPECT_FALSE(skips.contains(1));
  EXPECT_EQ(arena.allocations(), 0U);
}

TEST(Skips, TheLatestSetOfANumberIsTheOneThatHasIt) {
  for (const Set before : kSets)
    for (const Set after : kSets) {
      Arena arena;
      Skips skips(arena);
      skips.move_to(before, 7);
      skips.move_to(after, 7);
      for (const Set set : kSets) EXPECT_EQ((skips.*set).contains(7), set == after);
      EXPECT_TRUE(skips.contains(7));
      EXPECT_FALSE(skips.contains(8));
    }
}

TEST(Skips, ARemovedRangeTakesItsNumbersOutOfTheOthers) {
  Arena arena;
  Skips skips(arena);
  for (const std::int64_t number : {2, 4, 6}) skips.move_to(&Skips::uncounted, number);
  for (const std::int64_t number : {1, 5, 7}) skips.move_to(&Skips::counted, number);
  skips.remove_range(3, 6);
  for (std::int64_t number = 3; number <= 6; ++number) {
    EXPECT_TRUE(skips.removed.contains(number));
    EXPECT_FALSE(skips.uncounted.contains(number));
    EXPECT_FALSE(skips.counted.contains(number));
  }
  EXPECT_TRUE(skips.uncounted.contains(2));
  EXPECT_TRUE(skips.counted.contains(1));
  EXPECT_TRUE(skips.counted.contains(7));
}

TEST(Skips, ACopyIsIndependent) {
  Arena arena;
  Arena other;
  Skips skips(arena);
  skips.move_to(&Skips::counted, 3);
  Skips copy(skips, other);
  skips.move_to(&Skips::removed, 3);
  EXPECT_TRUE(copy.counted.contains(3));
  EXPECT_FALSE(copy.removed.contains(3));
}

// With memory failing now and then: what it was about may be lost, nothing else, and no number is in two sets.
TEST(Skips, AgreeWithAMapOverRandomOperations) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Arena arena;
    Skips skips(arena);
    std::map<std::int64_t, Set> twin;
    int failures = 0;
    for (int step = 0; step < 4000; ++step) {
      const auto first = static_cast<std::int64_t>(random() % kSpan);
      const bool range = random() % 8 == 0;
      const auto last = range ? first + static_cast<std::int64_t>(random() % 10) : first;
      const Set set = range ? &Skips::removed : kSets[random() % 3];
      arena.fail_at(random() % 4 == 0 ? 1 + random() % 2 : 0);
      bool failed = false;
      try {
        if (range)
          skips.remove_range(first, last);
        else
          skips.move_to(set, first);
      } catch (const std::bad_alloc&) {
        failed = true;
        ++failures;
      }
      arena.fail_at(0);
      for (std::int64_t number = 0; number < kSpan + 10; ++number) {
        const bool concerned = first <= number && number <= last;
        if (concerned && !failed) twin[number] = set;
        int sets = 0;
        for (const Set each : kSets)
          if ((skips.*each).contains(number)) {
            ++sets;
            if (concerned && failed) twin[number] = each;
            ASSERT_TRUE(twin.contains(number)) << number;
            ASSERT_EQ(twin[number], each) << number;
          }
        ASSERT_LE(sets, 1) << number;
        if (sets == 0 && concerned && failed) twin.erase(number);
        ASSERT_EQ(sets == 1, twin.contains(number)) << number;
        ASSERT_EQ(skips.contains(number), twin.contains(number)) << number;
      }
    }
    EXPECT_GT(failures, 50);
  }
}

}  // namespace
