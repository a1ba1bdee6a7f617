// How many messages are unread, from what is stored: the counters, the skipped numbers, a position.
//
//   unread = live counted numbers above the position - own - acked, where
//   live counted numbers above x = message_count - (x - skipped numbers <= x)
//
// For those are {1 … last} without the skipped ones, message_count of them in all: what is above x needs no look at
// the tail, however long, and no walk. Removed and uncounted are disjoint, so each is taken off once.
// Lookups are those of skip_tree.hpp; nothing here has a destructor, and nothing is allocated.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "core/reads/skip_tree.hpp"

namespace chatopt::core {

// Of a conversation, all from one snapshot.
struct UnreadCounters {
  std::int64_t last;           // the greatest number
  std::int64_t message_count;  // live rows that count
};

// Live counted numbers above position (>= 0). In this order:
//   position >= last                   0, nothing is loaded
//   message_count = last               last - position, nothing is loaded: no number was ever skipped
//   position + 1 in the leaf of last   that leaf alone, if it is stored
//   else                               the leaf of position and the nodes above it
template <class Lookup>
[[nodiscard]] std::int64_t live_after(Lookup& lookup, UnreadCounters counters, std::int64_t position) noexcept {
  const std::int64_t last = counters.last;
  if (position >= last) return 0;
  const std::int64_t above = last - position;
  if (counters.message_count == last) return above;
  const std::int64_t chunk = skip_chunk(0, last);
  std::int64_t skipped = 0;
  if (chunk == skip_chunk(0, position + 1) &&
      skip_count_in_leaf(lookup, chunk, skip_bit(position + 1), skip_bit(last), skipped))
    return above - skipped;
  return counters.message_count - (position - skipped_upto(lookup, last, position));
}

// How many of these numbers of a chunk, set as in its leaf, are above position and neither skipped nor beyond last:
// what acknowledging them took off the unread ones.
template <class Lookup>
[[nodiscard]] std::int64_t live_in_chunk(Lookup& lookup, std::int64_t last, std::int64_t chunk,
                                         const std::uint64_t (&numbers)[kSkipWords], std::int64_t position) noexcept {
  const std::int64_t first = skip_first(0, chunk);
  const std::int64_t from = std::max(position, first - 1) + 1;
  const std::int64_t to = std::min(last, skip_last(0, chunk));
  if (from > to) return 0;
  SkipLeaf leaf;
  skip_leaf_at(lookup, last, chunk, leaf);
  std::int64_t result = 0;
  for (int word = skip_bit(from) / 64; word <= skip_bit(to) / 64; ++word) {
    const std::uint64_t live = numbers[word] & ~(leaf.removed[word] | leaf.uncounted[word]);
    result += std::popcount(live & skip_mask(word, skip_bit(from), skip_bit(to)));
  }
  return result;
}

// own: the member's own live counted messages above position, where sending does not mark them read, or an unread mark
// reaches below them; acked: the sum of live_in_chunk. A number that is both is in one of them only. With an unread
// mark nothing is acked: it speaks of all messages above it.
template <class Lookup>
[[nodiscard]] std::int64_t unread(Lookup& lookup, UnreadCounters counters, std::int64_t position, std::int64_t own,
                                  std::int64_t acked) noexcept {
  return std::max<std::int64_t>(live_after(lookup, counters, position) - own - acked, 0);
}

}  // namespace chatopt::core
