// Questions about the skipped numbers of a conversation. skip_tree.hpp is the header for users.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <type_traits>

#include "core/reads/skip_rows.hpp"

namespace chatopt::core {

// The highest node 0 that is stored, and its level; 0: there is none, and all is in leaf 0.
template <class Lookup>
[[nodiscard]] int skip_top(Lookup& lookup, std::int64_t last, SkipNode& node) noexcept {
  int level = skip_levels(last);
  while (level > 0 && !lookup.load(level, 0, node)) --level;
  return level;
}

// How many of the members from … to of a leaf are skipped; false when it is not stored.
template <class Lookup>
[[nodiscard]] bool skip_count_in_leaf(Lookup& lookup, std::int64_t chunk, int from, int to,
                                      std::int64_t& skipped) noexcept {
  if constexpr (requires {
                  { lookup.leaf_count(chunk, from, to, skipped) } -> std::same_as<bool>;
                }) {
    return lookup.leaf_count(chunk, from, to, skipped);
  } else {
    SkipLeaf leaf;
    if (!lookup.load(0, chunk, leaf)) return false;
    skipped = skip_leaf_count(leaf, from, to);
    return true;
  }
}

// How many numbers <= number are skipped. Any number. At most one leaf and the nodes above it are loaded; a subtree
// that is skipped as a whole, or not at all, is not looked into.
template <class Lookup>
[[nodiscard]] std::int64_t skipped_upto(Lookup& lookup, std::int64_t last, std::int64_t number) noexcept {
  number = std::min(number, last);
  if (number < 1) return 0;
  SkipNode node;
  int level = skip_top(lookup, last, node);
  number = std::min(number, skip_last(level, 0));
  std::int64_t result = 0;
  for (; level > 0; --level) {
    const int child = skip_child(level, number);
    const std::int64_t chunk = skip_chunk(level - 1, number);
    const std::int64_t within = number - skip_first(level - 1, chunk) + 1;
    const std::int64_t count = node.counts[child];
    result += skip_sum(node, child);
    if (count == 0) return result;
    if (count == skip_capacity(level - 1)) return result + within;
    if (within == skip_capacity(level - 1)) return result + count;
    if (level > 1 && !lookup.load(level - 1, chunk, node)) return result;
  }
  std::int64_t in_leaf = 0;
  if (!skip_count_in_leaf(lookup, skip_chunk(0, number), 0, skip_bit(number), in_leaf)) return result;
  return result + in_leaf;
}

// How many numbers in (lower, upper] are skipped. Where they are in one leaf that is stored, only that is loaded.
template <class Lookup>
[[nodiscard]] std::int64_t skipped_between(Lookup& lookup, std::int64_t last, std::int64_t lower,
                                           std::int64_t upper) noexcept {
  lower = std::max<std::int64_t>(lower, 0);
  upper = std::min(upper, last);
  if (lower >= upper) return 0;
  const std::int64_t chunk = skip_chunk(0, upper);
  std::int64_t result = 0;
  if (chunk == skip_chunk(0, lower + 1) &&
      skip_count_in_leaf(lookup, chunk, skip_bit(lower + 1), skip_bit(upper), result))
    return result;
  return skipped_upto(lookup, last, upper) - skipped_upto(lookup, last, lower);
}

// What the rows say of a number 1 … last.
struct SkipPlace {
  enum class State {
    kCounted,  // nothing is skipped in the row of this level that has the number
    kRemoved,  // everything is removed in it
    kLeaf      // see the leaf
  };
  State state;
  int level;
};
template <class Lookup>
[[nodiscard]] SkipPlace skip_place(Lookup& lookup, std::int64_t last, std::int64_t number, SkipLeaf& leaf) noexcept {
  using State = SkipPlace::State;
  SkipNode node;
  int level = skip_top(lookup, last, node);
  if (skip_chunk(level, number) != 0) return {State::kCounted, level};
  if (level == 0) return {lookup.load(0, 0, leaf) ? State::kLeaf : State::kCounted, 0};
  while (true) {
    const std::int64_t count = node.counts[skip_child(level, number)];
    --level;
    if (count == 0) return {State::kCounted, level};
    const std::int64_t chunk = skip_chunk(level, number);
    const bool stored = level == 0 ? lookup.load(0, chunk, leaf) : lookup.load(level, chunk, node);
    if (!stored) return {count == skip_capacity(level) ? State::kRemoved : State::kCounted, level};
    if (level == 0) return {State::kLeaf, 0};
  }
}

// Any number; those below 1 and beyond last are counted, as they are not skipped.
template <class Lookup>
[[nodiscard]] SkipKind skip_kind_of(Lookup& lookup, std::int64_t last, std::int64_t number) noexcept {
  if (number < 1 || number > last) return SkipKind::kCounted;
  SkipLeaf leaf;
  const SkipPlace place = skip_place(lookup, last, number, leaf);
  if (place.state == SkipPlace::State::kLeaf) return skip_leaf_kind(leaf, skip_bit(number));
  return place.state == SkipPlace::State::kRemoved ? SkipKind::kRemoved : SkipKind::kCounted;
}

// The leaf of a chunk as if it were stored.
template <class Lookup>
void skip_leaf_at(Lookup& lookup, std::int64_t last, std::int64_t chunk, SkipLeaf& leaf) noexcept {
  const std::int64_t first = skip_first(0, chunk);
  const SkipPlace place =
      first > last ? SkipPlace{SkipPlace::State::kCounted, 0} : skip_place(lookup, last, first, leaf);
  if (place.state != SkipPlace::State::kLeaf) skip_fill(0, leaf, place.state == SkipPlace::State::kRemoved);
}

// The first number >= number that is not removed; 0 when there is none up to last. Removed ranges of any length are
// passed in O(64) loads a level.
template <class Lookup>
[[nodiscard]] std::int64_t skip_next_live(Lookup& lookup, std::int64_t last, std::int64_t number) noexcept {
  SkipLeaf leaf;
  number = std::max<std::int64_t>(number, 1);
  while (number <= last) {
    const SkipPlace place = skip_place(lookup, last, number, leaf);
    if (place.state == SkipPlace::State::kCounted) return number;
    const std::int64_t chunk = skip_chunk(place.level, number);
    if (place.state == SkipPlace::State::kLeaf) {
      for (int word = skip_bit(number) / 64; word < kSkipWords; ++word) {
        const std::uint64_t live = ~leaf.removed[word] & skip_mask(word, skip_bit(number), kSkipLeafNumbers - 1);
        if (live == 0) continue;
        const std::int64_t first = skip_first(0, chunk);
        const int member = word * 64 + std::countr_zero(live);
        return member <= last - first ? first + member : 0;
      }
    }
    const std::int64_t end = skip_last(place.level, chunk);
    if (end >= last) return 0;
    number = end + 1;
  }
  return 0;
}

// Goes through the skipped numbers that first … last_wanted have to do with: see skip_visit.
template <class Lookup, class Visit>
class SkipVisitor {
 public:
  SkipVisitor(Lookup& lookup, Visit& visit, std::int64_t from, std::int64_t to) noexcept
      : lookup_(lookup), visit_(visit), from_(from), to_(to) {}

  void run(std::int64_t last) noexcept {
    SkipNode node;
    const int level = skip_top(lookup_, last, node);
    if (level > 0)
      children(level, 0, node);
    else
      row(0, 0, 0);
  }

 private:
  void children(int level, std::int64_t chunk, const SkipNode& node) noexcept {
    const std::int64_t from = std::max(from_, skip_first(level, chunk));
    const std::int64_t to = std::min(to_, skip_last(level, chunk));
    if (from > to) return;
    for (int child = skip_child(level, from); child <= skip_child(level, to); ++child)
      if (node.counts[child] != 0) row(level - 1, chunk * kSkipFanOut + child, node.counts[child]);
  }
  void row(int level, std::int64_t chunk, std::int64_t count) noexcept {
    if (level == 0 ? leaf(chunk) : node(level, chunk)) return;
    if (count != skip_capacity(level)) return;
    visit_.removed(std::max(from_, skip_first(level, chunk)), std::min(to_, skip_last(level, chunk)));
  }
  [[nodiscard]] bool leaf(std::int64_t chunk) noexcept {
    if (skip_first(0, chunk) > to_ || skip_last(0, chunk) < from_) return true;
    SkipLeaf row;
    if (!lookup_.load(0, chunk, row)) return false;
    visit_.leaf(chunk, row);
    return true;
  }
  [[nodiscard]] bool node(int level, std::int64_t chunk) noexcept {
    SkipNode row;
    if (!lookup_.load(level, chunk, row)) return false;
    children(level, chunk, row);
    return true;
  }

  Lookup& lookup_;
  Visit& visit_;
  std::int64_t from_;
  std::int64_t to_;
};

// Gives the skipped numbers in from … to, ascending, to visit:
//   visit.leaf(chunk, const SkipLeaf&)   a stored leaf, whole: it may reach beyond from … to
//   visit.removed(first, last)           numbers that are all removed, cut to from … to; neighbours are not joined
// Everything else is counted. The callbacks may leave by longjmp, as the lookup's may.
template <class Lookup, class Visit>
void skip_visit(Lookup& lookup, std::int64_t last, std::int64_t from, std::int64_t to, Visit& visit) noexcept {
  from = std::max<std::int64_t>(from, 1);
  to = std::min(to, last);
  if (from > to) return;
  static_assert(std::is_trivially_destructible_v<SkipVisitor<Lookup, Visit>>);  // the callbacks may leave by longjmp
  SkipVisitor<Lookup, Visit> visitor(lookup, visit, from, to);
  visitor.run(last);
}

}  // namespace chatopt::core
