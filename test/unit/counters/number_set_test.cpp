#include "core/counters/number_set.hpp"

#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "../support/arena.hpp"

namespace {

using chatopt::core::NumberRange;
using chatopt::core::NumberSet;
using chatopt::test::Arena;

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

void insert_all(NumberSet& numbers, std::initializer_list<std::int64_t> values) {
  for (const std::int64_t value : values) numbers.insert(value);
}

std::vector<std::int64_t> members(const NumberSet& numbers, std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> result;
  for (std::int64_t number = first; number <= last; ++number)
    if (numbers.contains(number)) result.push_back(number);
  return result;
}

// How many ranges the twin's numbers make.
std::size_t ranges_of(const std::set<std::int64_t>& numbers) {
  std::size_t result = 0;
  for (const std::int64_t number : numbers) result += numbers.contains(number - 1) ? 0 : 1;
  return result;
}

// The set's ranges as they are told.
std::vector<NumberRange> ranges(const NumberSet& numbers) {
  std::vector<NumberRange> result;
  numbers.for_each([&](std::int64_t first, std::int64_t last) { result.push_back({first, last}); });
  return result;
}

using Numbers = std::vector<std::int64_t>;
using Ranges = std::vector<NumberRange>;

TEST(NumberSet, IsEmptyWhenMadeAndAllocatesNothing) {
  Arena arena;
  const NumberSet numbers(arena);
  EXPECT_TRUE(numbers.empty());
  EXPECT_FALSE(numbers.contains(0));
  EXPECT_EQ(numbers.range_count(), 0U);
  EXPECT_EQ(arena.allocations(), 0U);
}

TEST(NumberSet, ContainsWhatWasInsertedAndNothingElse) {
  Arena arena;
  NumberSet numbers(arena);
  insert_all(numbers, {5, 1, 9});
  EXPECT_EQ(members(numbers, -2, 12), (Numbers{1, 5, 9}));
  EXPECT_FALSE(numbers.empty());
}

TEST(NumberSet, NumbersInsertedInOrderTakeOneRange) {
  Arena arena;
  NumberSet numbers(arena);
  for (std::int64_t number = 1; number <= 10000; ++number) numbers.insert(number);
  EXPECT_EQ(numbers.range_count(), 1U);
  EXPECT_EQ(arena.live_blocks(), 1U);
  EXPECT_TRUE(numbers.contains(1));
  EXPECT_TRUE(numbers.contains(10000));
  EXPECT_FALSE(numbers.contains(10001));
}

TEST(NumberSet, NumbersInsertedInDescendingOrderTakeOneRange) {
  Arena arena;
  NumberSet numbers(arena);
  for (std::int64_t number = 100; number >= 1; --number) numbers.insert(number);
  EXPECT_EQ(numbers.range_count(), 1U);
  EXPECT_EQ(members(numbers, 0, 101).size(), 100U);
}

TEST(NumberSet, EveryOtherNumberTakesARangeEach) {
  Arena arena;
  NumberSet numbers(arena);
  for (std::int64_t number = 0; number < 100; number += 2) numbers.insert(number);
  EXPECT_EQ(numbers.range_count(), 50U);
}

TEST(NumberSet, TheNumberBetweenTwoRangesJoinsThem) {
  Arena arena;
  NumberSet numbers(arena);
  insert_all(numbers, {1, 2, 4, 5});
  EXPECT_EQ(numbers.range_count(), 2U);
  numbers.insert(3);
  EXPECT_EQ(numbers.range_count(), 1U);
  EXPECT_EQ(members(numbers, 0, 6), (Numbers{1, 2, 3, 4, 5}));
}

TEST(NumberSet, InsertingAgainChangesNothing) {
  Arena arena;
  NumberSet numbers(arena);
  insert_all(numbers, {1, 2, 3});
  insert_all(numbers, {1, 2, 3});
  EXPECT_EQ(numbers.range_count(), 1U);
  EXPECT_EQ(members(numbers, 0, 4), (Numbers{1, 2, 3}));
}

TEST(NumberSet, ErasesAtEitherEndOfARange) {
  Arena arena;
  NumberSet numbers(arena);
  insert_all(numbers, {1, 2, 3});
  numbers.erase(1);
  EXPECT_EQ(members(numbers, 0, 4), (Numbers{2, 3}));
  numbers.erase(3);
  EXPECT_EQ(members(numbers, 0, 4), (Numbers{2}));
  EXPECT_EQ(numbers.range_count(), 1U);
  numbers.erase(2);
  EXPECT_TRUE(numbers.empty());
}

TEST(NumberSet, ErasingInTheMiddleSplitsARange) {
  Arena arena;
  NumberSet numbers(arena);
  insert_all(numbers, {1, 2, 3, 4, 5});
  numbers.erase(3);
  EXPECT_EQ(numbers.range_count(), 2U);
  EXPECT_EQ(members(numbers, 0, 6), (Numbers{1, 2, 4, 5}));
}

TEST(NumberSet, ErasingWhatIsNotThereChangesNothing) {
  Arena arena;
  NumberSet numbers(arena);
  numbers.erase(1);
  EXPECT_TRUE(numbers.empty());
  insert_all(numbers, {3, 4});
  for (const std::int64_t number : {2, 5, 100, -1}) numbers.erase(number);
  EXPECT_EQ(members(numbers, 0, 6), (Numbers{3, 4}));
}

TEST(NumberSet, HoldsTheLeastAndTheGreatestNumberThereIs) {
  Arena arena;
  NumberSet numbers(arena);
  insert_all(numbers, {kGreatest, kLeast, kGreatest - 1, kLeast + 1});
  insert_all(numbers, {kGreatest, kLeast});
  EXPECT_EQ(numbers.range_count(), 2U);
  EXPECT_TRUE(numbers.contains(kLeast));
  EXPECT_TRUE(numbers.contains(kGreatest));
  EXPECT_FALSE(numbers.contains(0));
  numbers.erase(kGreatest);
  numbers.erase(kLeast);
  EXPECT_FALSE(numbers.contains(kGreatest));
  EXPECT_FALSE(numbers.contains(kLeast));
  EXPECT_TRUE(numbers.contains(kGreatest - 1));
  EXPECT_TRUE(numbers.contains(kLeast + 1));
}

TEST(NumberSet, ClearGivesTheMemoryBack) {
  Arena arena;
  NumberSet numbers(arena);
  insert_all(numbers, {1, 3, 5});
  numbers.clear();
  EXPECT_TRUE(numbers.empty());
  EXPECT_FALSE(numbers.contains(3));
  EXPECT_EQ(arena.live_blocks(), 0U);
  numbers.insert(7);
  EXPECT_EQ(members(numbers, 0, 10), (Numbers{7}));
}

TEST(NumberSet, ACopyInOtherMemoryIsIndependent) {
  Arena arena;
  Arena other;
  NumberSet numbers(arena);
  insert_all(numbers, {1, 2, 5});
  NumberSet copy(numbers, other);
  EXPECT_EQ(other.live_blocks(), 2U);
  copy.erase(1);
  numbers.insert(9);
  EXPECT_EQ(members(copy, 0, 10), (Numbers{2, 5}));
  EXPECT_EQ(members(numbers, 0, 10), (Numbers{1, 2, 5, 9}));
}

TEST(NumberSet, AssignmentCopiesIntoTheTargetsOwnMemory) {
  Arena arena;
  Arena other;
  NumberSet numbers(arena);
  NumberSet target(other);
  insert_all(numbers, {1, 2, 5});
  target.insert(7);
  target = numbers;
  EXPECT_EQ(members(target, 0, 10), (Numbers{1, 2, 5}));
  EXPECT_EQ(other.live_blocks(), 2U);
  EXPECT_EQ(members(numbers, 0, 10), (Numbers{1, 2, 5}));
}

TEST(NumberSet, MovingTakesTheNumbersWithoutAllocation) {
  Arena arena;
  NumberSet numbers(arena);
  insert_all(numbers, {1, 5});
  const std::size_t before = arena.allocations();
  const NumberSet moved(std::move(numbers));
  EXPECT_EQ(arena.allocations(), before);
  EXPECT_EQ(members(moved, 0, 10), (Numbers{1, 5}));
}

// Ranges

TEST(NumberSet, ForEachTellsTheRangesInAscendingOrder) {
  Arena arena;
  NumberSet numbers(arena);
  EXPECT_EQ(ranges(numbers), Ranges{});
  insert_all(numbers, {9, 5, 1, 2, 3, 10});
  EXPECT_EQ(ranges(numbers), (Ranges{{1, 3}, {5, 5}, {9, 10}}));
}

TEST(NumberSet, RangeFromIsTheRangeThatHoldsTheNumberOrTheNextOne) {
  Arena arena;
  NumberSet numbers(arena);
  EXPECT_EQ(numbers.range_from(kLeast), std::nullopt);
  insert_all(numbers, {3, 4, 5, 9});
  EXPECT_EQ(numbers.range_from(kLeast), (NumberRange{3, 5}));
  for (const std::int64_t number : {2, 3, 4, 5}) EXPECT_EQ(numbers.range_from(number), (NumberRange{3, 5})) << number;
  for (const std::int64_t number : {6, 8, 9}) EXPECT_EQ(numbers.range_from(number), (NumberRange{9, 9})) << number;
  EXPECT_EQ(numbers.range_from(10), std::nullopt);
  EXPECT_EQ(numbers.range_from(kGreatest), std::nullopt);
}

TEST(NumberSet, ARangeTakesInWhatItOverlapsAndTouches) {
  const struct {
    NumberRange inserted;
    Ranges become;
  } cases[] = {
      {{1, 3}, {{1, 3}, {10, 19}, {30, 39}, {50, 59}}},      // apart
      {{1, 9}, {{1, 19}, {30, 39}, {50, 59}}},               // touches from below
      {{20, 24}, {{10, 24}, {30, 39}, {50, 59}}},            // touches from above
      {{20, 29}, {{10, 39}, {50, 59}}},                      // touches both
      {{15, 34}, {{10, 39}, {50, 59}}},                      // overlaps both
      {{12, 15}, {{10, 19}, {30, 39}, {50, 59}}},            // within
      {{10, 19}, {{10, 19}, {30, 39}, {50, 59}}},            // the same
      {{5, 60}, {{5, 60}}},                                  // around all
      {{5, 55}, {{5, 59}}},                                  // a new beginning
      {{61, 61}, {{10, 19}, {30, 39}, {50, 59}, {61, 61}}},  // apart, above
      {{60, 60}, {{10, 19}, {30, 39}, {50, 60}}},            // one number
      {{4, 3}, {{10, 19}, {30, 39}, {50, 59}}},              // none
  };
  for (const auto& [inserted, become] : cases) {
    SCOPED_TRACE(inserted.first);
    Arena arena;
    NumberSet numbers(arena);
    for (const std::int64_t first : {50, 10, 30}) numbers.insert_range(first, first + 9);
    numbers.insert_range(inserted.first, inserted.last);
    EXPECT_EQ(ranges(numbers), become);
    EXPECT_EQ(arena.live_blocks(), become.size());
  }
}

TEST(NumberSet, AnErasedRangeCutsSplitsAndTakesAway) {
  const struct {
    NumberRange erased;
    Ranges become;
  } cases[] = {
      {{1, 9}, {{10, 19}, {30, 39}}},              // below
      {{20, 29}, {{10, 19}, {30, 39}}},            // between
      {{40, 90}, {{10, 19}, {30, 39}}},            // above
      {{10, 19}, {{30, 39}}},                      // one whole
      {{5, 12}, {{13, 19}, {30, 39}}},             // a lower end
      {{18, 25}, {{10, 17}, {30, 39}}},            // an upper end
      {{18, 31}, {{10, 17}, {32, 39}}},            // both
      {{12, 14}, {{10, 11}, {15, 19}, {30, 39}}},  // a middle
      {{0, 90}, {}},                               // all
      {{15, 39}, {{10, 14}}},                      // to the last number
      {{15, 14}, {{10, 19}, {30, 39}}},            // none
  };
  for (const auto& [erased, become] : cases) {
    SCOPED_TRACE(erased.first);
    Arena arena;
    NumberSet numbers(arena);
    for (const std::int64_t first : {10, 30}) numbers.insert_range(first, first + 9);
    numbers.erase_range(erased.first, erased.last);
    EXPECT_EQ(ranges(numbers), become);
    EXPECT_EQ(arena.live_blocks(), become.size());
  }
}

TEST(NumberSet, RangesReachFromTheLeastToTheGreatestNumber) {
  Arena arena;
  NumberSet numbers(arena);
  numbers.insert_range(kGreatest - 1, kGreatest);
  numbers.insert_range(kLeast, kLeast + 1);
  EXPECT_EQ(ranges(numbers), (Ranges{{kLeast, kLeast + 1}, {kGreatest - 1, kGreatest}}));
  numbers.insert_range(kLeast, kGreatest);
  EXPECT_EQ(ranges(numbers), (Ranges{{kLeast, kGreatest}}));
  numbers.erase_range(0, kGreatest);
  EXPECT_EQ(ranges(numbers), (Ranges{{kLeast, -1}}));
  numbers.erase_range(kLeast, kLeast);
  EXPECT_EQ(ranges(numbers), (Ranges{{kLeast + 1, -1}}));
  numbers.erase_range(kLeast, kGreatest);
  EXPECT_TRUE(numbers.empty());
}

TEST(NumberSet, LeavesNoMemoryBehind) {
  Arena arena;
  {
    NumberSet numbers(arena);
    insert_all(numbers, {1, 3, 5, 7});
  }
  EXPECT_EQ(arena.live_blocks(), 0U);
}

TEST(NumberSet, AgreesWithAStdSetOverRandomOperations) {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Arena arena;
    NumberSet numbers(arena);
    std::set<std::int64_t> twin;
    const std::int64_t span = seed % 2 == 0 ? 24 : 300;  // crowded, and with room between
    for (int step = 0; step < 5000; ++step) {
      const auto number = static_cast<std::int64_t>(random() % static_cast<unsigned>(span)) - 5;
      const auto last = number + static_cast<std::int64_t>(random() % 12) - 1;
      const auto what = random() % 1000;
      if (what == 0) {
        numbers.clear();
        twin.clear();
      } else if (what < 400) {
        numbers.insert(number);
        twin.insert(number);
      } else if (what < 800) {
        numbers.erase(number);
        twin.erase(number);
      } else if (what < 900) {
        numbers.insert_range(number, last);
        for (std::int64_t each = number; each <= last; ++each) twin.insert(each);
      } else {
        numbers.erase_range(number, last);
        for (std::int64_t each = number; each <= last; ++each) twin.erase(each);
      }
      ASSERT_EQ(numbers.empty(), twin.empty());
      ASSERT_EQ(numbers.range_count(), ranges_of(twin)) << "ranges are disjoint and not adjacent";
      ASSERT_EQ(arena.live_blocks(), numbers.range_count());
      for (std::int64_t probe = -6; probe < span + 10; ++probe)
        ASSERT_EQ(numbers.contains(probe), twin.contains(probe)) << "step " << step << ", number " << probe;
      const auto range = numbers.range_from(number);
      const auto next = twin.lower_bound(number);
      ASSERT_EQ(range.has_value(), next != twin.end());
      if (range) {
        ASSERT_LE(range->first, *next);
        ASSERT_GE(range->last, *next);
      }
    }
  }
}

TEST(NumberSet, AFailedAllocationLeavesTheSetAsItWas) {
  for (const unsigned seed : {11U, 12U, 13U}) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Arena arena;
    NumberSet numbers(arena);
    std::set<std::int64_t> twin;
    int failures = 0;
    for (int step = 0; step < 5000; ++step) {
      const auto number = static_cast<std::int64_t>(random() % 60);
      const auto last = random() % 2 == 0 ? number : number + static_cast<std::int64_t>(random() % 5);
      const bool insert = random() % 2 == 0;
      arena.fail_at(random() % 3 == 0 ? 1 : 0);
      try {
        if (insert)
          last == number ? numbers.insert(number) : numbers.insert_range(number, last);
        else
          last == number ? numbers.erase(number) : numbers.erase_range(number, last);
        for (std::int64_t each = number; each <= last; ++each)
          if (insert)
            twin.insert(each);
          else
            twin.erase(each);
      } catch (const std::bad_alloc&) {
        ++failures;
      }
      arena.fail_at(0);
      ASSERT_EQ(numbers.range_count(), ranges_of(twin));
      ASSERT_EQ(arena.live_blocks(), numbers.range_count());
      for (std::int64_t probe = -1; probe <= 70; ++probe) ASSERT_EQ(numbers.contains(probe), twin.contains(probe));
    }
    EXPECT_GT(failures, 100);
  }
}

TEST(NumberSet, AFailedCopyThrowsBadAllocAndLeavesNothingBehind) {
  Arena arena;
  NumberSet numbers(arena);
  for (std::int64_t number = 0; number < 40; number += 2) numbers.insert(number);
  for (std::size_t n = 1; n <= 20; ++n) {
    Arena other;
    other.fail_at(n);
    EXPECT_THROW(NumberSet(numbers, other), std::bad_alloc);
    EXPECT_EQ(other.live_blocks(), 0U);
  }
  EXPECT_EQ(numbers.range_count(), 20U);
}

}  // namespace
