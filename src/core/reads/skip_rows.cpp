#include "core/reads/skip_rows.hpp"

namespace chatopt::core {

SkipKind skip_leaf_kind(const SkipLeaf& leaf, int member) noexcept {
  const std::uint64_t bit = std::uint64_t{1} << member % 64;
  if ((leaf.removed[member / 64] & bit) != 0) return SkipKind::kRemoved;
  return (leaf.uncounted[member / 64] & bit) != 0 ? SkipKind::kUncounted : SkipKind::kCounted;
}

bool skip_leaf_is_removed(const SkipLeaf& leaf) noexcept {
  std::uint64_t all = ~std::uint64_t{0};
  for (const std::uint64_t word : leaf.removed) all &= word;
  return all == ~std::uint64_t{0};
}

bool skip_leaf_set(SkipLeaf& leaf, int from, int to, SkipKind kind) noexcept {
  std::uint64_t changed = 0;
  for (int word = from / 64; word <= to / 64; ++word) {
    const std::uint64_t mask = skip_mask(word, from, to);
    const std::uint64_t removed = (leaf.removed[word] & ~mask) | (kind == SkipKind::kRemoved ? mask : 0);
    const std::uint64_t uncounted = (leaf.uncounted[word] & ~mask) | (kind == SkipKind::kUncounted ? mask : 0);
    changed |= (leaf.removed[word] ^ removed) | (leaf.uncounted[word] ^ uncounted);
    leaf.removed[word] = removed;
    leaf.uncounted[word] = uncounted;
  }
  return changed != 0;
}

void skip_fill(int, SkipLeaf& leaf, bool removed) noexcept {
  std::fill(std::begin(leaf.removed), std::end(leaf.removed), removed ? ~std::uint64_t{0} : 0);
  std::fill(std::begin(leaf.uncounted), std::end(leaf.uncounted), 0);
}

void skip_fill(int level, SkipNode& node, bool removed) noexcept {
  std::fill(std::begin(node.counts), std::end(node.counts), removed ? skip_capacity(level - 1) : 0);
}

bool skip_leaf_from_bitmaps(Bytes removed, Bytes uncounted, SkipLeaf& leaf) noexcept {
  bool fits = bitmap_read_words(removed, leaf.removed);
  if (!bitmap_read_words(uncounted, leaf.uncounted)) fits = false;
  for (int word = 0; word < kSkipWords; ++word) {
    if ((leaf.removed[word] & leaf.uncounted[word]) != 0) fits = false;
    leaf.uncounted[word] &= ~leaf.removed[word];
  }
  return fits;
}

std::size_t skip_write_bitmap(const std::uint64_t (&words)[kSkipWords], std::byte* out) noexcept {
  return bitmap_write_words(words, out);
}

void skip_node_to_ints(int level, const SkipNode& node, std::int32_t* out) noexcept {
  const bool pairs = skip_node_ints(level) == kSkipMostInts;
  for (const std::int64_t count : node.counts) {
    *out++ = static_cast<std::int32_t>(static_cast<std::uint32_t>(count));
    if (pairs) *out++ = static_cast<std::int32_t>(count >> 32);
  }
}

bool skip_node_from_ints(int level, std::span<const std::int32_t> ints, SkipNode& node) noexcept {
  if (ints.size() != skip_node_ints(level)) return false;
  const bool pairs = ints.size() == kSkipMostInts;
  const std::int32_t* at = ints.data();
  bool fits = true;
  for (std::int64_t& count : node.counts) {
    count = *at++;
    if (pairs) count = static_cast<std::int64_t>(*at++) * (std::int64_t{1} << 32) + static_cast<std::uint32_t>(count);
    if (count < 0 || count > skip_capacity(level - 1)) fits = false;
  }
  return fits;
}

}  // namespace chatopt::core
