// Set algebra against sorted vectors and std::set, on every kind of set; the laws it obeys.
#include "core/bitmap/bitmap.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "../support/bitmaps.hpp"
#include "core/bitmap/kernels.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;
namespace kernels = chatopt::core::kernels;

class EveryPath : public testing::TestWithParam<kernels::Path> {
 protected:
  void SetUp() override {
    before_ = kernels::table().path;
    if (!kernels::use(GetParam())) GTEST_SKIP() << "not on this processor";
  }
  void TearDown() override { kernels::use(before_); }

 private:
  kernels::Path before_ = kernels::Path::kPortable;
};
INSTANTIATE_TEST_SUITE_P(Paths, EveryPath,
                         testing::Values(kernels::Path::kPortable, kernels::Path::kAvx2, kernels::Path::kAvx512));

void expect_set(const Encoded& set, const Members& members, const char* what) {
  ASSERT_TRUE(bitmap_is_valid(set)) << what;
  ASSERT_EQ(set, Twin::encode(members)) << what;
}

TEST_P(EveryPath, EveryOperationIsTheOneOfSortedVectors) {
  Random random(20);
  for (int round = 0; round < 120; ++round) {
    const Members a = random_members(random, random_size(random));
    const Members b = relative_of(random, a);
    const Encoded left = Twin::encode(a);
    const Encoded right = Twin::encode(b);
    for (const SetOperation operation : kOperations)
      ASSERT_NO_FATAL_FAILURE(expect_set(apply(operation, left, right), combined(operation, a, b), "apply"))
          << "round " << round << " operation " << static_cast<int>(operation) << " " << a.size() << " " << b.size();
    const Members both = combined(SetOperation::kIntersection, a, b);
    ASSERT_EQ(bitmap_overlaps(left, right), !both.empty()) << round;
    ASSERT_EQ(bitmap_contains(left, right), both == b) << round;
    ASSERT_EQ(bitmap_contains(right, left), both == a) << round;
  }
}

void expect_algebra(const Members& a, const Members& b) {
  const Encoded left = Twin::encode(a);
  const Encoded right = Twin::encode(b);
  for (const SetOperation operation : kOperations)
    ASSERT_NO_FATAL_FAILURE(expect_set(apply(operation, left, right), combined(operation, a, b), "apply"))
        << text_of(left) << " " << text_of(right) << " " << static_cast<int>(operation);
  const Members both = combined(SetOperation::kIntersection, a, b);
  ASSERT_EQ(bitmap_overlaps(left, right), !both.empty()) << text_of(left) << " " << text_of(right);
  ASSERT_EQ(bitmap_contains(left, right), both == b) << text_of(left) << " " << text_of(right);
  ASSERT_EQ(bitmap_contains(right, left), both == a) << text_of(left) << " " << text_of(right);
}

// Each number of [start, start + span) with the chance of one in so many, or all but so many.
Members evenly(Random& random, std::uint64_t start, std::uint64_t span, std::uint64_t one_in, bool but) {
  Members result;
  for (std::uint64_t member = start; member < start + span; ++member)
    if ((below(random, one_in) == 0) != but) result.push_back(static_cast<Member>(member));
  return result;
}

TEST_P(EveryPath, HoldsForGroupsAndDenseSetsNearEachOther) {
  Random random(25);
  constexpr std::uint64_t kUniverse = std::uint64_t{1} << 31;
  for (int round = 0; round < 3000; ++round) {
    const std::uint64_t spans[] = {16, 30, 64, 100, 300, 2000, 4090};
    const std::uint64_t span = 1 + below(random, spans[below(random, round % 8 == 0 ? 7 : 5)]);
    const std::uint64_t starts[] = {0, 1000, 1024, 65536 - span / 2, below(random, kUniverse - span), kUniverse - span};
    const std::uint64_t start = starts[below(random, 6)];
    const auto drawn = [&] { return evenly(random, start, span, 2 + below(random, 3), below(random, 2) == 0); };
    const Members a = drawn();
    Members b = drawn();
    if (below(random, 3) == 0) {
      // Little is left of their difference, their intersection or both.
      b = a;
      const bool turned = below(random, 2) == 0;
      if (turned) b = combined(SetOperation::kDifference, evenly(random, start, span, 1, false), a);
      for (std::uint64_t i = below(random, 4); i > 0 && !b.empty(); --i)
        b.erase(b.begin() + static_cast<std::ptrdiff_t>(below(random, b.size())));
    }
    ASSERT_NO_FATAL_FAILURE(expect_algebra(a, b)) << round;
  }
}

TEST_P(EveryPath, HoldsForSetsListedByMember) {
  Random random(26);
  constexpr std::uint64_t kUniverse = std::uint64_t{1} << 31;
  for (int round = 0; round < 150; ++round) {
    const std::uint64_t sizes[] = {5, 100, 300, 600, 3000, 9000};
    const std::uint64_t size = 2 + below(random, sizes[below(random, 6)]);
    const std::uint64_t gaps[] = {9, 12, 32, 130, 1000, 20000};
    const std::uint64_t gap = gaps[below(random, 6)];
    const std::uint64_t span = std::min(size * gap, kUniverse);
    const std::uint64_t starts[] = {0, 65536 - std::min<std::uint64_t>(span / 2, 65536),
                                    below(random, kUniverse - span + 1), kUniverse - span};
    const std::uint64_t start = starts[below(random, 4)];
    const auto drawn = [&](std::uint64_t n) {
      std::set<Member> result;
      while (result.size() < n) {
        const std::uint64_t member = start + below(random, span);
        result.insert(static_cast<Member>(member));
        // Some are neighbours, so that the result may be runs or bits.
        if (below(random, 12) == 0 && member + 1 < start + span) result.insert(static_cast<Member>(member + 1));
      }
      return Members(result.begin(), result.end());
    };
    const Members a = drawn(size);
    Members b = drawn(1 + below(random, size));
    if (round % 3 == 1) {
      // The neighbours of a: their union is runs.
      b.clear();
      for (const Member member : a)
        if (member < kMaxMember && (b.empty() || b.back() != member)) b.push_back(member + 1);
    }
    if (round % 3 == 2) {
      const Members more = drawn(1 + below(random, 10));
      b = combined(below(random, 2) == 0 ? SetOperation::kUnion : SetOperation::kDifference, a, more);
      if (below(random, 2) == 0) b = combined(SetOperation::kDifference, b, drawn(size / 2 + 1));
    }
    ASSERT_NO_FATAL_FAILURE(expect_algebra(a, b)) << round;
  }
}

TEST_P(EveryPath, HoldsForSetsOfAMillionMembers) {
  Random random(21);
  std::vector<std::uint64_t> universes{2000000};
  if (GetParam() == kernels::Path::kPortable) universes.push_back(std::uint64_t{1} << 31);
  for (const std::uint64_t universe : universes) {
    Members sets[2];
    for (Members& set : sets) {
      const int draws = universe > 1000000000 ? 150000 : 1300000;
      for (int i = 0; i < draws; ++i) set.push_back(static_cast<Member>(below(random, universe)));
      std::sort(set.begin(), set.end());
      set.erase(std::unique(set.begin(), set.end()), set.end());
    }
    const Encoded left = Twin::encode(sets[0]);
    const Encoded right = Twin::encode(sets[1]);
    ASSERT_TRUE(bitmap_is_valid(left));
    ASSERT_EQ(bitmap_cardinality(left), static_cast<Count>(sets[0].size()));
    for (const SetOperation operation : kOperations)
      ASSERT_NO_FATAL_FAILURE(
          expect_set(apply(operation, left, right), combined(operation, sets[0], sets[1]), "apply"));
    ASSERT_TRUE(bitmap_contains(apply(SetOperation::kUnion, left, right), left));
    ASSERT_FALSE(bitmap_overlaps(apply(SetOperation::kDifference, left, right), right));
    ASSERT_EQ(parsed(text_of(left)), left);
  }
}

TEST(Algebra, ObeysTheLaws) {
  Random random(22);
  const auto unite = [](const Encoded& a, const Encoded& b) { return apply(SetOperation::kUnion, a, b); };
  const auto meet = [](const Encoded& a, const Encoded& b) { return apply(SetOperation::kIntersection, a, b); };
  const auto minus = [](const Encoded& a, const Encoded& b) { return apply(SetOperation::kDifference, a, b); };
  const auto flip = [](const Encoded& a, const Encoded& b) { return apply(SetOperation::kSymmetricDifference, a, b); };
  const Encoded all = parsed("{0-2147483647}");
  const Encoded none = parsed("{}");
  for (int round = 0; round < 150; ++round) {
    const Members first = random_members(random, random_size(random));
    const Encoded a = built(first);
    const Encoded b = built(relative_of(random, first));
    const Encoded c = built(relative_of(random, first));
    ASSERT_EQ(unite(a, b), unite(b, a));
    ASSERT_EQ(meet(a, b), meet(b, a));
    ASSERT_EQ(flip(a, b), flip(b, a));
    ASSERT_EQ(unite(a, unite(b, c)), unite(unite(a, b), c));
    ASSERT_EQ(meet(a, meet(b, c)), meet(meet(a, b), c));
    ASSERT_EQ(flip(a, flip(b, c)), flip(flip(a, b), c));
    ASSERT_EQ(unite(a, a), a);
    ASSERT_EQ(meet(a, a), a);
    ASSERT_EQ(minus(a, a), none);
    ASSERT_EQ(unite(a, meet(a, b)), a);
    ASSERT_EQ(meet(a, unite(b, c)), unite(meet(a, b), meet(a, c)));
    ASSERT_EQ(flip(a, b), minus(unite(a, b), meet(a, b)));
    ASSERT_EQ(minus(c, unite(a, b)), meet(minus(c, a), minus(c, b)));
    if (round % 10 == 0) {
      // De Morgan, with complements: up to 32,768 chunks.
      ASSERT_EQ(minus(all, unite(a, b)), meet(minus(all, a), minus(all, b)));
      ASSERT_EQ(minus(all, meet(a, b)), unite(minus(all, a), minus(all, b)));
      ASSERT_EQ(minus(all, minus(all, a)), a);
      ASSERT_TRUE(bitmap_is_valid(minus(all, a)));
      ASSERT_EQ(bitmap_cardinality(minus(all, a)), (Count{1} << 31) - bitmap_cardinality(a));
    }
  }
}

TEST(Algebra, InsertAndEraseAreThoseOfStdSet) {
  Random random(23);
  for (int walk = 0; walk < 40; ++walk) {
    const Members start = random_members(random, random_size(random));
    std::set<Member> twin(start.begin(), start.end());
    Encoded set = Twin::encode(start);
    const std::uint64_t universe = std::uint64_t{1} << (1 + below(random, 31));
    for (int step = 0; step < 40; ++step) {
      Member member = static_cast<Member>(below(random, universe));
      if (!twin.empty() && below(random, 2) == 0) {
        const auto near = twin.lower_bound(member);
        if (near != twin.end()) member = *near;
      }
      if (below(random, 2) == 0) {
        ASSERT_EQ(bitmap_contains(set, member), twin.contains(member));
        twin.insert(member);
        set = with(set, member);
      } else {
        twin.erase(member);
        set = without(set, member);
      }
      ASSERT_EQ(bitmap_cardinality(set), static_cast<Count>(twin.size()));
      ASSERT_EQ(set, Twin::encode(Members(twin.begin(), twin.end())));
    }
  }
}

TEST(Algebra, RangesAreInsertedAndErased) {
  Random random(24);
  for (int round = 0; round < 200; ++round) {
    const Members members = random_members(random, random_size(random));
    const Encoded set = Twin::encode(members);
    std::int64_t lower = static_cast<std::int64_t>(below(random, std::uint64_t{1} << (1 + below(random, 31)))) - 10;
    if (!members.empty() && below(random, 2) == 0) lower = members[below(random, members.size())];
    const auto upper = lower + static_cast<std::int64_t>(below(random, std::uint64_t{1} << below(random, 19)));
    std::set<Member> twin(members.begin(), members.end());
    std::erase_if(twin, [&](Member member) { return member >= lower && member < upper; });
    ASSERT_EQ(without_range(set, lower, upper), Twin::encode(Members(twin.begin(), twin.end())));
    for (std::int64_t member = std::max<std::int64_t>(lower, 0); member < upper && member <= kMaxMember; ++member)
      twin.insert(static_cast<Member>(member));
    ASSERT_EQ(with_range(set, lower, upper), Twin::encode(Members(twin.begin(), twin.end())));
  }
}

TEST(Algebra, RangesAreClipped) {
  const Encoded set = parsed("{5,7}");
  constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(text_of(with_range(set, -kFar, kFar)), "{0-2147483647}");
  EXPECT_EQ(text_of(without_range(set, -kFar, kFar)), "{}");
  EXPECT_EQ(text_of(with_range(set, 2147483647, 2147483648)), "{5,7,2147483647}");
  EXPECT_EQ(text_of(with_range(set, 2147483648, 2147483649)), "{5,7}");
  EXPECT_EQ(text_of(with_range(set, 6, 6)), "{5,7}");
  EXPECT_EQ(text_of(with_range(set, 7, 6)), "{5,7}");
  EXPECT_EQ(text_of(with_range(set, -5, 0)), "{5,7}");
  EXPECT_EQ(text_of(without_range(set, 5, 6)), "{7}");
}

TEST(Algebra, BoundIsTightForGroups) {
  const Encoded alternating = parsed("{0,2,4,6,8,10,12,14,16,18,20,22,24,26,28}");
  const Encoded everybody = parsed("{0-29}");
  for (const SetOperation operation : kOperations) {
    EXPECT_LE(bitmap_bound(operation, alternating, alternating), 16U);
    EXPECT_LE(bitmap_bound(operation, alternating, everybody), 128U);
    EXPECT_LE(bitmap_bound(operation, everybody, everybody), 64U);
  }
  EXPECT_LE(bitmap_insert_bound(alternating, 17), 128U);
}

}  // namespace
