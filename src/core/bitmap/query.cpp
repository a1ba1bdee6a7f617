// Questions about one set, and about two: nothing here writes.
#include <algorithm>
#include <bit>
#include <cstring>

#include "core/bitmap/bitmap.hpp"
#include "core/bitmap/block.hpp"
#include "core/bitmap/chunks.hpp"
#include "core/bitmap/kernels.hpp"
#include "core/bitmap/members.hpp"
#include "core/bitmap/sweep.hpp"

namespace chatopt::core {

namespace {

using Block = ChunkCursor::Block;

Block flat_block(Bytes set) noexcept { return {form_of(set), set.subspan(1), 0}; }

bool block_includes(const Block& set, const Block& subset) noexcept {
  if (set.form == Form::kRun && subset.form == Form::kBits) {
    const Run run = run_of(set.payload);
    return run.first <= block_min(subset.form, subset.payload) && block_max(subset.form, subset.payload) <= run.last;
  }
  if (set.form == Form::kBits && subset.form == Form::kBits) {
    const Bits outer = bits_of(set.payload);
    const Bits inner = bits_of(subset.payload);
    return outer.base <= inner.base && inner.end() <= outer.end() &&
           kernels::table().includes(outer.data + (inner.base - outer.base), inner.data, inner.size);
  }
  if (set.form == Form::kMembers && subset.form == Form::kMembers) {
    const Shared shared = shared_members(set.payload, subset.payload,
                                         [](const Shared& so_far) { return so_far.members < so_far.passed; });
    return shared.all && shared.members == shared.passed;
  }
  bool included = true;
  sweep<SetOperation::kDifference>(BlockRuns(subset.form, subset.payload), BlockRuns(set.form, set.payload),
                                   [&included](Run) { return included = false; });
  return included;
}

bool block_overlaps(const Block& a, const Block& b) noexcept {
  if (a.form == Form::kBits && b.form == Form::kBits) {
    const Bits left = bits_of(a.payload);
    const Bits right = bits_of(b.payload);
    const std::uint32_t low = std::max(left.base, right.base);
    const std::uint32_t high = std::min(left.end(), right.end());
    return low < high &&
           kernels::table().overlaps(left.data + (low - left.base), right.data + (low - right.base), high - low);
  }
  if (a.form == Form::kMembers && b.form == Form::kMembers)
    return shared_members(a.payload, b.payload, [](const Shared& so_far) { return so_far.members > 0; }).members > 0;
  bool overlaps = false;
  sweep<SetOperation::kIntersection>(BlockRuns(a.form, a.payload), BlockRuns(b.form, b.payload), [&overlaps](Run) {
    overlaps = true;
    return false;
  });
  return overlaps;
}

bool chunked_contains(Bytes outer, Bytes inner) noexcept {
  ChunkCursor set(outer);
  for (ChunkCursor subset(inner); !subset.done(); subset.next()) {
    set.seek(subset.number());
    if (set.done() || set.number() != subset.number()) return false;
    const Block block = subset.block();
    const Block whole = set.block();
    if (whole.members < block.members || !block_includes(whole, block)) return false;
  }
  return true;
}

bool chunked_overlaps(Bytes left, Bytes right) noexcept {
  ChunkCursor a(left);
  ChunkCursor b(right);
  while (!a.done() && !b.done()) {
    if (a.number() == b.number()) {
      if (block_overlaps(a.block(), b.block())) return true;
      a.next();
      b.next();
    } else if (a.number() < b.number()) {
      a.seek(b.number());
    } else {
      b.seek(a.number());
    }
  }
  return false;
}

}  // namespace

bool bitmap_is_chunked(Bytes head) noexcept { return form_of(head) == Form::kChunks; }

std::size_t bitmap_directory_end(Bytes head) noexcept { return ChunkedView(head).directory_end(); }

bool bitmap_is_empty(Bytes set) noexcept { return form_of(set) == Form::kEmpty; }

Count bitmap_cardinality(Bytes set) noexcept {
  if (bitmap_is_chunked(set)) return ChunkedView(set).cardinality();
  return static_cast<Count>(block_cardinality(form_of(set), set.subspan(1)));
}

bool bitmap_min(Bytes set, Member& result) noexcept {
  if (bitmap_is_empty(set)) return false;
  if (bitmap_is_chunked(set)) {
    const ChunkedView view(set);
    result = view.number(0) * kChunkMembers + block_min(view.form(0), view.payload(0));
  } else {
    result = block_min(form_of(set), set.subspan(1));
  }
  return true;
}

bool bitmap_max(Bytes set, Member& result) noexcept {
  if (bitmap_is_empty(set)) return false;
  if (bitmap_is_chunked(set)) {
    const ChunkedView view(set);
    const std::uint32_t last = view.count() - 1;
    result = view.number(last) * kChunkMembers + block_max(view.form(last), view.payload(last));
  } else {
    result = block_max(form_of(set), set.subspan(1));
  }
  return true;
}

ChunkLocation bitmap_chunk_location(Bytes head, Member member) noexcept {
  const ChunkedView view(head);
  ChunkLocation result;
  const std::uint32_t number = member / kChunkMembers;
  const std::uint32_t index = view.find(number);
  for (std::uint32_t i = 0; i < index; ++i) result.before += view.members(i);
  result.number = static_cast<std::uint16_t>(number);
  if (index == view.count() || view.number(index) != number) return result;
  result.found = true;
  result.form = view.form(index);
  result.offset = view.directory_end() + view.begin(index);
  result.length = view.end(index) - view.begin(index);
  result.members = view.members(index);
  return result;
}

bool bitmap_chunk_contains(const ChunkLocation& location, Bytes payload, Member member) noexcept {
  return block_contains(location.form, payload, member % kChunkMembers);
}

Count bitmap_chunk_rank(const ChunkLocation& location, Bytes payload, Member upto) noexcept {
  return location.before + static_cast<Count>(block_rank(location.form, payload, upto % kChunkMembers));
}

Count bitmap_rank(Bytes set, std::int64_t upto) noexcept {
  if (upto < 0) return 0;
  if (upto >= kMaxMember) return bitmap_cardinality(set);
  const auto member = static_cast<Member>(upto);
  if (!bitmap_is_chunked(set)) return static_cast<Count>(block_rank(form_of(set), set.subspan(1), member));
  const ChunkLocation location = bitmap_chunk_location(set, member);
  if (!location.found) return location.before;
  return bitmap_chunk_rank(location, set.subspan(location.offset, location.length), member);
}

Count bitmap_range_cardinality(Bytes set, std::int64_t lower, std::int64_t upper) noexcept {
  if (lower >= upper || upper <= 0 || lower > kMaxMember) return 0;
  return bitmap_rank(set, upper - 1) - (lower <= 0 ? 0 : bitmap_rank(set, lower - 1));
}

bool bitmap_contains(Bytes set, Member member) noexcept {
  if (!bitmap_is_chunked(set)) return block_contains(form_of(set), set.subspan(1), member);
  const ChunkedView view(set);
  const std::uint32_t index = view.find(member / kChunkMembers);
  if (index == view.count() || view.number(index) != member / kChunkMembers) return false;
  return block_contains(view.form(index), view.payload(index), member % kChunkMembers);
}

// Of the runs, which are the set's in any form, with the rounds and the end of a 64-bit multiplicative hash.
std::uint64_t bitmap_hash(Bytes set, std::uint64_t seed) noexcept {
  std::uint64_t hash = seed ^ 0x9E3779B97F4A7C15U;
  BitmapRuns runs(set);
  for (Run run; runs.next(run);) {
    hash = (hash ^ (std::uint64_t{run.last} << 32 | run.first)) * 0xFF51AFD7ED558CCDU;
    hash ^= hash >> 32;
  }
  hash ^= hash >> 29;
  hash *= 0xC4CEB9FE1A85EC53U;
  return hash ^ hash >> 32;
}

bool bitmap_contains(Bytes set, Bytes subset) noexcept {
  if (bitmap_is_empty(subset)) return true;
  if (bitmap_is_empty(set)) return false;
  if (bitmap_is_chunked(set) || bitmap_is_chunked(subset)) return chunked_contains(set, subset);
  return block_includes(flat_block(set), flat_block(subset));
}

bool bitmap_overlaps(Bytes a, Bytes b) noexcept {
  if (bitmap_is_empty(a) || bitmap_is_empty(b)) return false;
  if (bitmap_is_chunked(a) || bitmap_is_chunked(b)) return chunked_overlaps(a, b);
  return block_overlaps(flat_block(a), flat_block(b));
}

// There is one generation, in which equal sets have equal bytes.
bool bitmap_equals(Bytes a, Bytes b) noexcept {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

int bitmap_compare(Bytes a, Bytes b) noexcept {
  BitmapRuns left(a);
  BitmapRuns right(b);
  while (true) {
    Run from_a;
    Run from_b;
    const bool more_a = left.next(from_a);
    const bool more_b = right.next(from_b);
    if (!more_a || !more_b) return more_a ? 1 : more_b ? -1 : 0;
    if (from_a.first != from_b.first) return from_a.first < from_b.first ? -1 : 1;
    if (from_a.last == from_b.last) continue;
    // Where the shorter run ends, its set goes on with a greater member than the other, or is a prefix of it.
    if (from_a.last < from_b.last) return left.next(from_a) ? 1 : -1;
    return right.next(from_b) ? -1 : 1;
  }
}

}  // namespace chatopt::core
