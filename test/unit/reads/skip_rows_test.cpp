// Leaves and nodes as they are stored, and a leaf's members one by one.
#include "core/reads/skip_rows.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../support/bitmaps.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

SkipLeaf random_leaf(Random& random) {
  SkipLeaf leaf{};
  const std::uint64_t rare = 1 + below(random, 40);
  for (int member = 0; member < 4096; ++member) {
    if (below(random, 40) >= rare) continue;
    auto& set = below(random, 2) == 0 ? leaf.removed : leaf.uncounted;
    set[member / 64] |= std::uint64_t{1} << member % 64;
  }
  return leaf;
}

Encoded bitmap(const std::uint64_t (&words)[kSkipWords]) {
  Encoded out(kSkipBitmapBound);
  out.resize(skip_write_bitmap(words, out.data()));
  return exact(out);
}

TEST(SkipRows, LeavesComeBackFromTheirBitmaps) {
  Random random(71);
  std::size_t longest = 0;
  for (int round = 0; round < 300; ++round) {
    const SkipLeaf leaf = random_leaf(random);
    const Encoded removed = bitmap(leaf.removed);
    const Encoded uncounted = bitmap(leaf.uncounted);
    ASSERT_TRUE(bitmap_is_valid(removed));
    ASSERT_TRUE(bitmap_is_valid(uncounted));
    longest = std::max(longest, removed.size() + uncounted.size());
    SkipLeaf back;
    ASSERT_TRUE(skip_leaf_from_bitmaps(removed, uncounted, back));
    ASSERT_EQ(std::memcmp(&back, &leaf, sizeof leaf), 0);
  }
  EXPECT_GT(longest, 1000U);
  EXPECT_LE(longest, 1100U);
}

TEST(SkipRows, SetsThatAreNoLeafAreTold) {
  SkipLeaf leaf;
  EXPECT_TRUE(skip_leaf_from_bitmaps(parsed("{0,4095}"), parsed("{1-4094}"), leaf));
  EXPECT_FALSE(skip_leaf_from_bitmaps(parsed("{4096}"), parsed("{}"), leaf));
  EXPECT_FALSE(skip_leaf_from_bitmaps(parsed("{5}"), parsed("{2147483647}"), leaf));
  EXPECT_EQ(skip_leaf_kind(leaf, 5), SkipKind::kRemoved);
  EXPECT_FALSE(skip_leaf_from_bitmaps(parsed("{5-9}"), parsed("{9-11}"), leaf));
  EXPECT_EQ(skip_leaf_kind(leaf, 9), SkipKind::kRemoved);
  EXPECT_EQ(skip_leaf_kind(leaf, 10), SkipKind::kUncounted);
}

TEST(SkipRows, RangesOfALeafAreSetAndCounted) {
  Random random(72);
  SkipLeaf leaf{};
  std::vector<SkipKind> twin(4096, SkipKind::kCounted);
  const SkipKind kinds[] = {SkipKind::kCounted, SkipKind::kRemoved, SkipKind::kUncounted};
  for (int round = 0; round < 2000; ++round) {
    const int from = static_cast<int>(below(random, 4096));
    const int most = below(random, 3) == 0 ? 4096 : 70;
    const int to = std::min(4095, from + static_cast<int>(below(random, static_cast<std::uint64_t>(most))));
    const SkipKind kind = kinds[below(random, 3)];
    bool changed = false;
    for (int member = from; member <= to; ++member) {
      if (twin[static_cast<std::size_t>(member)] != kind) changed = true;
      twin[static_cast<std::size_t>(member)] = kind;
    }
    ASSERT_EQ(skip_leaf_set(leaf, from, to, kind), changed);
    const int a = static_cast<int>(below(random, 4096));
    const int b = a + static_cast<int>(below(random, static_cast<std::uint64_t>(4096 - a)));
    std::int64_t skipped = 0;
    for (int member = a; member <= b; ++member) {
      ASSERT_EQ(skip_leaf_kind(leaf, member), twin[static_cast<std::size_t>(member)]);
      skipped += twin[static_cast<std::size_t>(member)] != SkipKind::kCounted ? 1 : 0;
    }
    ASSERT_EQ(skip_leaf_count(leaf, a, b), skipped);
  }
}

TEST(SkipRows, ALeafIsRemovedAsAWholeOnlyWithoutUncounted) {
  SkipLeaf leaf;
  skip_fill(0, leaf, true);
  EXPECT_TRUE(skip_leaf_is_removed(leaf));
  EXPECT_EQ(skip_leaf_count(leaf, 0, 4095), 4096);
  EXPECT_TRUE(skip_leaf_set(leaf, 4095, 4095, SkipKind::kUncounted));
  EXPECT_FALSE(skip_leaf_is_removed(leaf));
  EXPECT_EQ(skip_leaf_count(leaf, 0, 4095), 4096);
}

TEST(SkipRows, NodesComeBackFromTheirIntegers) {
  Random random(73);
  for (int level = 1; level <= kSkipLevels; ++level) {
    const std::int64_t capacity = skip_capacity(level - 1);
    EXPECT_EQ(skip_node_ints(level), level <= 4 ? 64U : 128U);
    for (int round = 0; round < 50; ++round) {
      SkipNode node;
      for (std::int64_t& count : node.counts) {
        count = static_cast<std::int64_t>(below(random, static_cast<std::uint64_t>(capacity)));
        if (below(random, 4) == 0) count = capacity - static_cast<std::int64_t>(below(random, 2));
      }
      std::vector<std::int32_t> ints(skip_node_ints(level));
      skip_node_to_ints(level, node, ints.data());
      SkipNode back;
      ASSERT_TRUE(skip_node_from_ints(level, ints, back));
      ASSERT_EQ(std::memcmp(&back, &node, sizeof node), 0);
      if (level <= 4) {
        for (int child = 0; child < 64; ++child) ASSERT_EQ(ints[static_cast<std::size_t>(child)], node.counts[child]);
      }
    }
    SkipNode back;
    std::vector<std::int32_t> ints(skip_node_ints(level));
    EXPECT_TRUE(skip_node_from_ints(level, ints, back));
    ints.back() = -1;
    EXPECT_FALSE(skip_node_from_ints(level, ints, back));
    ints.back() = std::numeric_limits<std::int32_t>::max();
    EXPECT_FALSE(skip_node_from_ints(level, ints, back)) << level;
    ints.pop_back();
    EXPECT_FALSE(skip_node_from_ints(level, ints, back));
  }
}

}  // namespace
