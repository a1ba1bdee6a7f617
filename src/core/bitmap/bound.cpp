// How much room a result may need. What a boundary of a run takes in the runs form never grows by combining: a list
// of the boundaries of two sets has each of them no farther from the one before than its own list had, and leaving
// some out adds distances up, whose varint is no longer than both. What is stored is the distance less 1 or 2; hence
// the factor of 2 below.
#include <algorithm>

#include "core/bitmap/bitmap.hpp"
#include "core/bitmap/block.hpp"
#include "core/bitmap/chunks.hpp"

namespace chatopt::core {

namespace {

// What a block takes at most in the runs form.
std::size_t as_runs(Form form, std::size_t size) noexcept {
  switch (form) {
    case Form::kEmpty:
      return 0;
    case Form::kBits:
      return 8 * size + 8;
    case Form::kMembers:
      return 2 * size;
    default:
      return size;
  }
}
std::size_t combined(std::size_t a, std::size_t b) noexcept { return 2 * (a + b) + 16; }

std::size_t chunks_of_flat(Bytes set) noexcept {
  const Form form = form_of(set);
  const Bytes block = set.subspan(1);
  if (form == Form::kEmpty) return 0;
  if (form == Form::kMembers) return block.size();
  return block_max(form, block) / kChunkMembers - block_min(form, block) / kChunkMembers + 1;
}

std::size_t flat_bound(Bytes a, Bytes b) noexcept {
  if (form_of(a) == Form::kBits && form_of(b) == Form::kBits) {
    const Bits left = bits_of(a.subspan(1));
    const Bits right = bits_of(b.subspan(1));
    const std::uint32_t span = std::max(left.end(), right.end()) - std::min(left.base, right.base);
    // Flat for sure, whatever its base; bitmap_apply stores a whole word.
    if (span <= kMaxFlatPayload - 4) return 1 + 4 + std::max(span, 8U);
  }
  const std::size_t runs = combined(as_runs(form_of(a), a.size() - 1), as_runs(form_of(b), b.size() - 1));
  if (runs <= kMaxFlatPayload) return 1 + runs;
  const std::size_t chunks = chunks_of_flat(a) + chunks_of_flat(b);
  // Cutting a run where a chunk ends takes up to 4 bytes here and 3 there.
  return std::max(kMaxFlatSize,
                  kPrefixSize + (kDirectoryEntrySize + 7) * chunks + std::min(runs, chunks * kMaxBlockSize));
}

std::size_t chunk_bound(Form form_a, Bytes a, Form form_b, Bytes b) noexcept {
  if (form_a == Form::kBits && form_b == Form::kBits) {
    const Bits left = bits_of(a);
    const Bits right = bits_of(b);
    return 2 + std::max(left.end(), right.end()) - std::min(left.base, right.base);
  }
  return std::min(kMaxBlockSize, combined(as_runs(form_a, a.size()), as_runs(form_b, b.size())));
}

std::size_t chunked_bound(Bytes set_a, Bytes set_b) noexcept {
  const ChunkedView a(set_a);
  const ChunkedView b(set_b);
  std::size_t result = kPrefixSize;
  for (std::uint32_t i = 0, j = 0; i < a.count() || j < b.count();) {
    result += kDirectoryEntrySize;
    if (j == b.count() || (i < a.count() && a.number(i) < b.number(j))) {
      result += a.end(i) - a.begin(i);
      ++i;
    } else if (i == a.count() || b.number(j) < a.number(i)) {
      result += b.end(j) - b.begin(j);
      ++j;
    } else {
      result += chunk_bound(a.form(i), a.payload(i), b.form(j), b.payload(j));
      ++i;
      ++j;
    }
  }
  return std::max(result, kMaxFlatSize);  // which may be longer than its chunks
}

std::size_t mixed_bound(Bytes chunked, Bytes flat) noexcept {
  const ChunkedView view(chunked);
  const Form form = form_of(flat);
  const Bytes block = flat.subspan(1);
  const std::size_t runs = as_runs(form, block.size());
  const std::uint32_t from = block_min(form, block) / kChunkMembers;
  const std::uint32_t to = block_max(form, block) / kChunkMembers;
  std::size_t result = kPrefixSize + (kDirectoryEntrySize + 7) * chunks_of_flat(flat) + combined(runs, 0);
  for (std::uint32_t i = 0; i < view.count(); ++i) {
    const std::uint32_t size = view.end(i) - view.begin(i);
    result += kDirectoryEntrySize;
    if (view.number(i) < from || view.number(i) > to)
      result += size;
    else if (view.form(i) == Form::kBits)
      result += kMaxBlockSize;
    else
      result += std::min(kMaxBlockSize, combined(as_runs(view.form(i), size), runs + 7));
  }
  return std::max(result, kMaxFlatSize);
}

std::size_t encoded(std::int64_t lower, std::int64_t upper, std::byte (&room)[kRunBound]) noexcept {
  lower = std::max<std::int64_t>(lower, 0);
  upper = std::min<std::int64_t>(upper, std::int64_t{kMaxMember} + 1);
  if (lower >= upper) return bitmap_write_empty(room);
  return bitmap_write_run(static_cast<Member>(lower), static_cast<Member>(upper - 1), room);
}

std::size_t range_bound(SetOperation operation, Bytes set, std::int64_t lower, std::int64_t upper) noexcept {
  std::byte room[kRunBound];
  const std::size_t size = encoded(lower, upper, room);
  return bitmap_bound(operation, set, {room, size});
}

std::size_t range_applied(SetOperation operation, Bytes set, std::int64_t lower, std::int64_t upper,
                          std::byte* out) noexcept {
  std::byte room[kRunBound];
  const std::size_t size = encoded(lower, upper, room);
  return bitmap_apply(operation, set, {room, size}, out);
}

}  // namespace

std::size_t bitmap_bound(SetOperation, Bytes a, Bytes b) noexcept {
  if (form_of(a) == Form::kBits && form_of(b) == Form::kBits) return flat_bound(a, b);
  if (bitmap_is_empty(a) || bitmap_is_empty(b)) return std::max(a.size(), b.size());
  if (bitmap_is_chunked(a)) return bitmap_is_chunked(b) ? chunked_bound(a, b) : mixed_bound(a, b);
  return bitmap_is_chunked(b) ? mixed_bound(b, a) : flat_bound(a, b);
}

std::size_t bitmap_insert_bound(Bytes set, Member member) noexcept {
  return range_bound(SetOperation::kUnion, set, member, std::int64_t{member} + 1);
}
std::size_t bitmap_insert(Bytes set, Member member, std::byte* out) noexcept {
  return range_applied(SetOperation::kUnion, set, member, std::int64_t{member} + 1, out);
}
std::size_t bitmap_erase_bound(Bytes set, Member member) noexcept {
  return range_bound(SetOperation::kDifference, set, member, std::int64_t{member} + 1);
}
std::size_t bitmap_erase(Bytes set, Member member, std::byte* out) noexcept {
  return range_applied(SetOperation::kDifference, set, member, std::int64_t{member} + 1, out);
}
std::size_t bitmap_insert_range_bound(Bytes set, std::int64_t lower, std::int64_t upper) noexcept {
  return range_bound(SetOperation::kUnion, set, lower, upper);
}
std::size_t bitmap_insert_range(Bytes set, std::int64_t lower, std::int64_t upper, std::byte* out) noexcept {
  return range_applied(SetOperation::kUnion, set, lower, upper, out);
}
std::size_t bitmap_erase_range_bound(Bytes set, std::int64_t lower, std::int64_t upper) noexcept {
  return range_bound(SetOperation::kDifference, set, lower, upper);
}
std::size_t bitmap_erase_range(Bytes set, std::int64_t lower, std::int64_t upper, std::byte* out) noexcept {
  return range_applied(SetOperation::kDifference, set, lower, upper, out);
}

}  // namespace chatopt::core
