// The builder against std::set, in every order and mixture; its memory; memory failing.
#include "core/bitmap/builder.hpp"

#include <algorithm>
#include <new>
#include <set>

#include <gtest/gtest.h>

#include "../support/arena.hpp"
#include "../support/bitmaps.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

Encoded encoded(const std::set<Member>& twin) { return Twin::encode(Members(twin.begin(), twin.end())); }

TEST(Builder, IsEmptyWhenMadeAndAllocatesNothing) {
  Arena arena;
  const Builder builder(arena);
  EXPECT_TRUE(builder.empty());
  EXPECT_EQ(builder.cardinality(), 0);
  EXPECT_EQ(text_of(written(builder)), "{}");
  EXPECT_EQ(arena.allocations(), 0U);
}

void take_step(Random& random, Builder& builder, std::set<Member>& twin, std::uint64_t universe) {
  const auto within = [&](std::uint64_t value) { return std::min<std::uint64_t>(value, kMaxMember); };
  switch (below(random, 12)) {
    case 0:
    case 1: {
      const Members set = random_members(random, random_size(random) / 4);
      builder.merge(Twin::encode(set));
      twin.insert(set.begin(), set.end());
      break;
    }
    case 2: {
      const std::uint64_t first = below(random, universe);
      const std::uint64_t last = within(first + below(random, 70000));
      builder.insert_range(static_cast<Member>(first), static_cast<Member>(last));
      for (std::uint64_t member = first; member <= last; ++member) twin.insert(twin.end(), static_cast<Member>(member));
      break;
    }
    case 3: {
      const Members set = relative_of(random, Members(twin.begin(), twin.end()));
      builder.intersect(Twin::encode(set));
      std::erase_if(twin, [&](Member member) { return !std::binary_search(set.begin(), set.end(), member); });
      break;
    }
    default: {
      const std::uint64_t start = below(random, universe);
      const std::uint64_t step = 1 + below(random, 3) * below(random, 100);
      for (std::uint64_t i = 0, member = start; i < 50 && member <= kMaxMember; ++i, member += step) {
        builder.insert(static_cast<Member>(member));
        twin.insert(static_cast<Member>(member));
      }
    }
  }
}

TEST(Builder, HoldsWhatStdSetHolds) {
  Random random(60);
  for (int walk = 0; walk < 60; ++walk) {
    Arena arena;
    Builder builder(arena);
    std::set<Member> twin;
    const std::uint64_t universe = std::uint64_t{1} << (4 + below(random, 28));
    for (int step = 0; step < 12; ++step) {
      take_step(random, builder, twin, universe);
      ASSERT_EQ(builder.cardinality(), static_cast<Count>(twin.size())) << walk << " " << step;
      ASSERT_EQ(builder.empty(), twin.empty());
      const Encoded set = written(builder);
      ASSERT_EQ(set, encoded(twin)) << walk << " " << step;
      ASSERT_EQ(written(builder), set);  // writing changes nothing
    }
    builder.clear();
    ASSERT_TRUE(builder.empty());
    builder.insert(5);
    ASSERT_EQ(text_of(written(builder)), "{5}");
  }
}

TEST(Builder, HoldsFullStretchesAsSuch) {
  Arena arena;
  Builder builder(arena);
  builder.insert_range(0, kMaxMember);
  EXPECT_LE(builder.memory_used(), 64U);
  builder.insert(77);
  builder.merge(parsed("{1,3,5-100000}"));
  EXPECT_LE(builder.memory_used(), 64U);
  EXPECT_EQ(text_of(written(builder)), "{0-2147483647}");
  EXPECT_EQ(builder.bound(), written(builder).size());
  builder.intersect(parsed("{1,70000-2147483000}"));
  EXPECT_EQ(text_of(written(builder)), "{1,70000-2147483000}");
  builder.insert_range(2, 69999);
  EXPECT_EQ(text_of(written(builder)), "{1-2147483000}");
  builder.intersect(parsed("{}"));
  EXPECT_TRUE(builder.empty());
}

TEST(Builder, TakesMillionsOfMembersInAnyOrder) {
  Random random(61);
  std::vector<Member> members;
  for (int i = 0; i < 300000; ++i) members.push_back(static_cast<Member>(below(random, std::uint64_t{1} << 31)));
  Members sorted = members;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const Encoded wanted = Twin::encode(sorted);
  EXPECT_EQ(built(members), wanted);
  EXPECT_EQ(built(sorted), wanted);
  std::reverse(sorted.begin(), sorted.end());
  EXPECT_EQ(built(sorted), wanted);
}

// Equal sets have equal bytes, whichever way they were built.
TEST(Builder, EveryWayLeadsToTheSameBytes) {
  Random random(62);
  for (int round = 0; round < 60; ++round) {
    const Members members = random_members(random, below(random, 1500));
    const Encoded wanted = Twin::encode(members);
    Encoded grown = parsed("{}");
    for (const Member member : members) grown = with(grown, member);
    ASSERT_EQ(grown, wanted);
    ASSERT_EQ(built(members), wanted);
    ASSERT_EQ(parsed(text_of(wanted)), wanted);
    Encoded halves[2] = {parsed("{}"), parsed("{}")};
    for (const Member member : members) halves[below(random, 2)] = with(halves[below(random, 2)], member);
    for (const Member member : members) halves[0] = with(halves[0], member);
    ASSERT_EQ(apply(SetOperation::kUnion, halves[0], halves[1]), wanted);
    Encoded shrunk = apply(SetOperation::kUnion, wanted, parsed("{0-100,65530-65540,2000000000-2147483647}"));
    Encoded surplus = apply(SetOperation::kDifference, shrunk, wanted);
    ASSERT_EQ(apply(SetOperation::kDifference, shrunk, surplus), wanted);
    ASSERT_EQ(apply(SetOperation::kSymmetricDifference, shrunk, surplus), wanted);
  }
}

TEST(Builder, SurvivesMemoryFailing) {
  Random random(63);
  for (int round = 0; round < 300; ++round) {
    Arena arena;
    Builder builder(arena);
    std::set<Member> before;
    const Members some = random_members(random, below(random, 2000));
    builder.merge(Twin::encode(some));
    before.insert(some.begin(), some.end());
    const Members more = random_members(random, 1 + below(random, 2000));
    arena.fail_at(1 + below(random, 12));
    try {
      builder.merge(Twin::encode(more));
    } catch (const std::bad_alloc&) {
    }
    arena.fail_at(0);
    const Members now = members_of(written(builder));
    const Members all = combined(SetOperation::kUnion, some, more);
    ASSERT_TRUE(std::includes(now.begin(), now.end(), some.begin(), some.end()));
    ASSERT_TRUE(std::includes(all.begin(), all.end(), now.begin(), now.end()));
    arena.fail_at(1 + below(random, 3));
    try {
      builder.intersect(Twin::encode(relative_of(random, now)));
    } catch (const std::bad_alloc&) {
    }
    arena.fail_at(0);
    builder.clear();
    ASSERT_TRUE(builder.empty());
  }
}

TEST(Builder, KeepsGroupsSmall) {
  Arena arena;
  Builder builder(arena);
  for (Member member = 0; member < 30; ++member) builder.insert(member);
  EXPECT_LE(builder.memory_used(), 120U);
  const std::size_t allocations = arena.allocations();
  const Encoded half = parsed("{0,2,4,6,8,10,12,14,16,18,20,22,24,26,28}");
  for (int i = 0; i < 1000; ++i) builder.merge(half);
  EXPECT_EQ(arena.allocations(), allocations);
}

}  // namespace
