// Messages acknowledged out of order: what a member has above its positions, in sets with the chunks of skip_rows.hpp.
//
// Invariant of a chunk, beside its positions: read holds no number <= the read position; delivered holds what is in
// read, and else no number <= the delivered position. A set without members is not stored.
// That is of the numbers above joined; those up to joined are what an earlier membership has left, and stay.
// When a position moves, it takes along what follows it without a gap, and what it passed is dropped.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "core/reads/positions.hpp"
#include "core/reads/skip_tree.hpp"

namespace chatopt::core {

struct AckChunk {
  std::uint64_t delivered[kSkipWords];
  std::uint64_t read[kSkipWords];  // within delivered
};

// Would acknowledging it change anything, as far as positions tell? False for numbers there are not.
[[nodiscard]] constexpr bool ack_is_news(const Positions& positions, Mark mark, std::int64_t number,
                                         std::int64_t last) noexcept {
  return is_open(positions) && number > position(positions, mark) && number <= last;
}
// Notes the number, of which ack_is_news, in its chunk; returns whether that changed.
bool ack(AckChunk& chunk, Mark mark, std::int64_t number) noexcept;
// Drops what the positions have passed from the chunk of this index; returns whether that changed.
bool ack_drop(AckChunk& chunk, std::int64_t index, const Positions& positions) noexcept;
[[nodiscard]] bool ack_is_empty(const AckChunk& chunk) noexcept;
[[nodiscard]] bool ack_holds(const AckChunk& chunk, Mark mark, std::int64_t number) noexcept;

// As stored: two valid encodings of core/bitmap; false when they are none of a chunk, which is then what fits. Written
// by skip_write_bitmap.
[[nodiscard]] bool ack_from_bitmaps(Bytes delivered, Bytes read, AckChunk& chunk) noexcept;

// The first member >= from that has no bit in a or b; 4096 when there is none.
[[nodiscard]] int ack_first_gap(const std::uint64_t (&a)[kSkipWords], const std::uint64_t (&b)[kSkipWords],
                                int from) noexcept;

// The position that follows from the sets: the greatest number up to which every number above position is acknowledged
// or removed. acks has bool load(std::int64_t chunk, AckChunk&), false where there is no such row; it and lookup may
// leave by longjmp. Costs one leaf, and one chunk of acks, for each chunk that the position moves into.
template <class Acks, class Lookup>
[[nodiscard]] std::int64_t absorbed(Acks& acks, Lookup& lookup, std::int64_t last, Mark mark,
                                    std::int64_t position) noexcept {
  AckChunk chunk;
  SkipLeaf leaf;
  while (position < last) {
    const std::int64_t index = skip_chunk(0, position + 1);
    skip_leaf_at(lookup, last, index, leaf);
    if (!acks.load(index, chunk)) chunk = {};
    const auto& acked = mark == Mark::kRead ? chunk.read : chunk.delivered;
    const int gap = ack_first_gap(acked, leaf.removed, skip_bit(position + 1));
    if (gap < kSkipLeafNumbers) return std::min(skip_first(0, index) - 1 + gap, last);
    position = std::min(skip_last(0, index), last);
    // Beyond may be a removed range of any length.
    const std::int64_t live = position < last ? skip_next_live(lookup, last, position + 1) : 0;
    position = live == 0 ? last : live - 1;
  }
  return position;
}

// Moves both positions on; returns what changed. To be called after an event where the member has such sets.
template <class Acks, class Lookup>
unsigned absorb(Positions& positions, Acks& acks, Lookup& lookup, std::int64_t last) noexcept {
  if (!is_open(positions)) return 0;
  unsigned changed = mark_upto(positions, Mark::kRead, absorbed(acks, lookup, last, Mark::kRead, positions.read), last);
  changed |=
      mark_upto(positions, Mark::kDelivered, absorbed(acks, lookup, last, Mark::kDelivered, positions.delivered), last);
  return changed;
}

}  // namespace chatopt::core
