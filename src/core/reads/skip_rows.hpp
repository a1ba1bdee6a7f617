// The rows that say which numbers of a conversation are skipped. skip_tree.hpp is the header for users.
//
// A number is counted, or it is skipped: removed (no live row has it) or uncounted (a live row that does not count).
//   leaf    level 0, chunk c: the numbers 4096 * c + 1 … 4096 * (c + 1); member i of its sets is number 4096 * c + 1 +
//   i node    level L >= 1: how many numbers each of its 64 children, rows of level L - 1, skips
// Which rows there are is a function of the set and of how far the conversation has grown:
//   - Level L >= 1 is kept from the time that last > 4096 * 64^(L-1), by the first change after it. Until then only
//     node 0 of it can be missed, and all that it would say is that what is skipped is under its child 0.
//     Building a node 0 builds the node 0 beneath it.
//   - A row without skipped numbers is not there.
//   - A row whose numbers are all removed is not there either, unless nothing is built above it: its parent's count
//     says so. Hence a missing row under a built node is empty (count 0) or removed as a whole (count = capacity), and
//     a removed range of any length takes two paths of rows.
// A conversation of at most 4,096 numbers has one leaf and nothing else; one of 2^36 has at most four nodes above a
// leaf, the greatest number (2^63 - 1) nine.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "core/bitmap/bitmap.hpp"

namespace chatopt::core {

inline constexpr int kSkipLevels = 9;  // the highest level there can be
inline constexpr int kSkipFanOut = 64;
inline constexpr int kSkipWords = 64;
inline constexpr std::int64_t kSkipLeafNumbers = 4096;

enum class SkipKind { kCounted, kRemoved, kUncounted };

struct SkipLeaf {
  std::uint64_t removed[kSkipWords];  // disjoint from uncounted
  std::uint64_t uncounted[kSkipWords];
};
struct SkipNode {
  std::int64_t counts[kSkipFanOut];
};

// Where things are. Numbers are >= 1.

[[nodiscard]] constexpr int skip_shift(int level) noexcept { return 12 + 6 * level; }
// How many numbers a row covers; level < kSkipLevels.
[[nodiscard]] constexpr std::int64_t skip_capacity(int level) noexcept { return std::int64_t{1} << skip_shift(level); }
[[nodiscard]] constexpr std::int64_t skip_chunk(int level, std::int64_t number) noexcept {
  return level == kSkipLevels ? 0 : (number - 1) >> skip_shift(level);
}
[[nodiscard]] constexpr std::int64_t skip_first(int level, std::int64_t chunk) noexcept {
  return level == kSkipLevels ? 1 : (chunk << skip_shift(level)) + 1;
}
[[nodiscard]] constexpr std::int64_t skip_last(int level, std::int64_t chunk) noexcept {
  constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();
  if (level == kSkipLevels) return kGreatest;
  const std::uint64_t last = (static_cast<std::uint64_t>(chunk) + 1) << skip_shift(level);
  return last > static_cast<std::uint64_t>(kGreatest) ? kGreatest : static_cast<std::int64_t>(last);
}
// Which child of its node of this level (>= 1) has the number.
[[nodiscard]] constexpr int skip_child(int level, std::int64_t number) noexcept {
  return static_cast<int>(skip_chunk(level - 1, number) & (kSkipFanOut - 1));
}
// Which member of its leaf's sets the number is.
[[nodiscard]] constexpr int skip_bit(std::int64_t number) noexcept {
  return static_cast<int>((number - 1) & (kSkipLeafNumbers - 1));
}
// The highest level kept for conversations that have grown to last.
[[nodiscard]] constexpr int skip_levels(std::int64_t last) noexcept {
  int level = 0;
  while (level < kSkipLevels && last > skip_capacity(level)) ++level;
  return level;
}

// Leaves. from <= to are members, 0 … 4095.

[[nodiscard]] inline std::uint64_t skip_mask(int word, int from, int to) noexcept {
  std::uint64_t mask = ~std::uint64_t{0};
  if (from / 64 == word) mask &= ~std::uint64_t{0} << from % 64;
  if (to / 64 == word) mask &= ~std::uint64_t{0} >> (63 - to % 64);
  return mask;
}
// How many of from … to are skipped.
[[nodiscard]] inline std::int64_t skip_leaf_count(const SkipLeaf& leaf, int from, int to) noexcept {
  std::int64_t result = 0;
  for (int word = from / 64; word <= to / 64; ++word)
    result += std::popcount((leaf.removed[word] | leaf.uncounted[word]) & skip_mask(word, from, to));
  return result;
}
[[nodiscard]] SkipKind skip_leaf_kind(const SkipLeaf& leaf, int member) noexcept;
[[nodiscard]] bool skip_leaf_is_removed(const SkipLeaf& leaf) noexcept;  // as a whole
// Returns whether anything changed.
bool skip_leaf_set(SkipLeaf& leaf, int from, int to, SkipKind kind) noexcept;
// All counted, or all removed.
void skip_fill(int level, SkipLeaf& leaf, bool removed) noexcept;
void skip_fill(int level, SkipNode& node, bool removed) noexcept;

[[nodiscard]] inline std::int64_t skip_sum(const SkipNode& node, int children) noexcept {
  std::int64_t result = 0;
  for (int child = 0; child < children; ++child) result += node.counts[child];
  return result;
}

// As stored

// A leaf's two sets are two encodings of core/bitmap, valid ones. False when they are none of a leaf: a member beyond
// 4095, or in both; the leaf is then what fits.
[[nodiscard]] bool skip_leaf_from_bitmaps(Bytes removed, Bytes uncounted, SkipLeaf& leaf) noexcept;
// One of them, written with room for kSkipBitmapBound bytes; returns the size.
inline constexpr std::size_t kSkipBitmapBound = bitmap_words_bound(kSkipWords);
std::size_t skip_write_bitmap(const std::uint64_t (&words)[kSkipWords], std::byte* out) noexcept;

// A node is an array of int: 64 counts up to level 4, where none is above 2^30; beyond, 64 pairs of a count's lower
// and upper half.
inline constexpr std::size_t kSkipMostInts = 2 * kSkipFanOut;
[[nodiscard]] constexpr std::size_t skip_node_ints(int level) noexcept {
  return level <= 4 ? kSkipFanOut : kSkipMostInts;
}
void skip_node_to_ints(int level, const SkipNode& node, std::int32_t* out) noexcept;
// False when they are no node of this level: their number is wrong, or a count is less than 0 or above capacity.
[[nodiscard]] bool skip_node_from_ints(int level, std::span<const std::int32_t> ints, SkipNode& node) noexcept;

}  // namespace chatopt::core
