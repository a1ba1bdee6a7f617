#include "core/receipts/receipts.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace chatopt::core {
namespace {

constexpr std::array<std::byte, 1> kEmptySet = {static_cast<std::byte>(kGeneration << 4)};

// What the format byte says of delivered, and of seen.
enum Extent : unsigned { kNobody = 0, kAll = 1, kOwn = 2 };

// Lengths are sizes of sets, which a stored value of less than 1 GB bounds.
constexpr std::size_t kMaxLengthSize = 5;

std::byte* write_length(std::size_t length, std::byte* out) noexcept {
  for (; length >= 0x80; length >>= 7) *out++ = static_cast<std::byte>((length & 0x7F) | 0x80);
  *out++ = static_cast<std::byte>(length);
  return out;
}

// Takes a length off the front of rest; false if there is none, or a shorter
// form of it exists.
bool read_length(Bytes& rest, std::size_t& length) noexcept {
  length = 0;
  for (std::size_t i = 0; i < std::min(rest.size(), kMaxLengthSize); ++i) {
    const auto byte = std::to_integer<std::size_t>(rest[i]);
    length |= (byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      rest = rest.subspan(i + 1);
      return byte != 0 || i == 0;
    }
  }
  return false;
}

std::byte* append(Bytes set, std::byte* out) noexcept {
  std::memcpy(out, set.data(), set.size());
  return out + set.size();
}

Extent extent_of(Bytes set, Bytes larger) noexcept {
  if (bitmap_is_empty(set)) return kNobody;
  return bitmap_equals(set, larger) ? kAll : kOwn;
}

struct Layout {
  Receipts sets;
  unsigned delivered = kNobody;
  unsigned seen = kNobody;
};

// Takes the next set off rest: behind its length if another one follows.
bool take_set(Bytes& rest, bool another_follows, Bytes& set) noexcept {
  std::size_t length = rest.size();
  if (another_follows && (!read_length(rest, length) || length > rest.size())) return false;
  set = rest.first(length);
  rest = rest.subspan(length);
  return true;
}

// Finds the sets; false where the bytes have no such structure. What the sets
// themselves hold is not looked at.
bool read_layout(Bytes encoding, Layout& layout) noexcept {
  if (encoding.empty()) return false;
  const auto format = std::to_integer<unsigned>(encoding[0]);
  layout.delivered = format & 3;
  layout.seen = (format >> 2) & 3;
  if (format >> 4 != unsigned{kGeneration} || layout.delivered > kOwn || layout.seen > kOwn) return false;
  Bytes rest = encoding.subspan(1);
  const bool own_delivered = layout.delivered == kOwn;
  const bool own_seen = layout.seen == kOwn;
  Receipts& sets = layout.sets;
  if (!take_set(rest, own_delivered || own_seen, sets.recipients)) return false;
  sets.delivered = layout.delivered == kNobody ? empty_set() : sets.recipients;
  if (own_delivered && !take_set(rest, own_seen, sets.delivered)) return false;
  sets.seen = layout.seen == kNobody ? empty_set() : sets.delivered;
  return !own_seen || take_set(rest, false, sets.seen);
}

bool same_view(Bytes a, Bytes b) noexcept { return a.data() == b.data() && a.size() == b.size(); }

// Is this how the set would have been written?
bool is_canonical(unsigned extent, Bytes set, Bytes larger) noexcept {
  if (extent == kOwn) return bitmap_is_valid(set) && bitmap_contains(larger, set) && extent_of(set, larger) == kOwn;
  return extent == kNobody || !bitmap_is_empty(larger);
}

// set becomes its union with slots, written to workspace if it is larger then.
bool unite(Bytes& set, Bytes slots, std::byte*& workspace) noexcept {
  if (same_view(set, slots) || bitmap_contains(set, slots)) return false;
  if (bitmap_is_empty(set)) {
    set = slots;
    return true;
  }
  const std::size_t size = bitmap_apply(SetOperation::kUnion, set, slots, workspace);
  set = {workspace, size};
  workspace += size;
  return true;
}

bool insert(Bytes& set, Member slot, std::byte*& workspace) noexcept {
  if (bitmap_contains(set, slot)) return false;
  const std::size_t size = bitmap_insert(set, slot, workspace);
  set = {workspace, size};
  workspace += size;
  return true;
}

}  // namespace

Bytes empty_set() noexcept { return kEmptySet; }

bool receipts_is_valid(Bytes untrusted) noexcept {
  Layout layout;
  if (!read_layout(untrusted, layout)) return false;
  const Receipts& sets = layout.sets;
  return bitmap_is_valid(sets.recipients) && is_canonical(layout.delivered, sets.delivered, sets.recipients) &&
         is_canonical(layout.seen, sets.seen, sets.delivered);
}

Receipts receipts_view(Bytes encoding) noexcept {
  Layout layout;
  (void)read_layout(encoding, layout);
  return layout.sets;
}

SetPlace receipts_find(Bytes head, std::size_t size, ReceiptSet set) noexcept {
  if (head.empty()) return {};
  const auto format = std::to_integer<unsigned>(head[0]);
  const unsigned delivered = format & 3;
  const unsigned seen = (format >> 2) & 3;
  // Nothing is written for an empty set, nor for one that equals the larger one.
  if (set == ReceiptSet::kSeen && seen == kNobody) return {true, 0, 0};
  if (set == ReceiptSet::kSeen && seen == kAll) set = ReceiptSet::kDelivered;
  if (set == ReceiptSet::kDelivered && delivered == kNobody) return {true, 0, 0};
  if (set == ReceiptSet::kDelivered && delivered == kAll) set = ReceiptSet::kRecipients;
  // The sets that are written, in their order; all but the last behind a length.
  std::size_t at = 1;
  for (const ReceiptSet here : {ReceiptSet::kRecipients, ReceiptSet::kDelivered, ReceiptSet::kSeen}) {
    if (here == ReceiptSet::kDelivered && delivered != kOwn) continue;
    const bool last =
        here == ReceiptSet::kSeen || (seen != kOwn && (here == ReceiptSet::kDelivered || delivered != kOwn));
    if (at > head.size()) return {};
    Bytes rest = head.subspan(at);
    std::size_t length = size - at;
    if (!last && !read_length(rest, length)) return {};
    at = head.size() - rest.size();
    if (here == set) return {true, at, length};
    at += length;
  }
  return {};
}

std::size_t receipts_bound(const Receipts& receipts) noexcept {
  return 1 + receipts.recipients.size() + receipts.delivered.size() + receipts.seen.size() + 2 * kMaxLengthSize;
}

std::size_t receipts_build(const Receipts& receipts, std::byte* out) noexcept {
  const unsigned delivered = extent_of(receipts.delivered, receipts.recipients);
  const unsigned seen = extent_of(receipts.seen, receipts.delivered);
  std::byte* end = out;
  *end++ = static_cast<std::byte>((unsigned{kGeneration} << 4) | delivered | (seen << 2));
  if (delivered == kOwn || seen == kOwn) end = write_length(receipts.recipients.size(), end);
  end = append(receipts.recipients, end);
  if (delivered == kOwn && seen == kOwn) end = write_length(receipts.delivered.size(), end);
  if (delivered == kOwn) end = append(receipts.delivered, end);
  if (seen == kOwn) end = append(receipts.seen, end);
  return static_cast<std::size_t>(end - out);
}

bool receipts_are_nested(const Receipts& receipts) noexcept {
  return bitmap_contains(receipts.recipients, receipts.delivered) && bitmap_contains(receipts.delivered, receipts.seen);
}

std::size_t receipts_mark_bound(const Receipts& receipts, Member slot) noexcept {
  return bitmap_insert_bound(receipts.delivered, slot) + bitmap_insert_bound(receipts.seen, slot);
}

bool receipts_mark(Receipts& receipts, ReceiptStatus status, Member slot, std::byte* workspace) noexcept {
  if (!bitmap_contains(receipts.recipients, slot)) return false;
  bool changed = insert(receipts.delivered, slot, workspace);
  if (status == ReceiptStatus::kSeen) changed |= insert(receipts.seen, slot, workspace);
  return changed;
}

std::size_t receipts_mark_bound(const Receipts& receipts, Bytes slots) noexcept {
  return bitmap_bound(SetOperation::kUnion, receipts.delivered, slots) +
         bitmap_bound(SetOperation::kUnion, receipts.seen, slots);
}

bool receipts_mark(Receipts& receipts, ReceiptStatus status, Bytes slots, std::byte* workspace) noexcept {
  bool changed = unite(receipts.delivered, slots, workspace);
  if (status == ReceiptStatus::kSeen) changed |= unite(receipts.seen, slots, workspace);
  return changed;
}

std::size_t receipts_merge_bound(const Receipts& receipts, const Receipts& other) noexcept {
  return bitmap_bound(SetOperation::kUnion, receipts.recipients, other.recipients) +
         bitmap_bound(SetOperation::kUnion, receipts.delivered, other.delivered) +
         bitmap_bound(SetOperation::kUnion, receipts.seen, other.seen);
}

bool receipts_merge(Receipts& receipts, const Receipts& other, std::byte* workspace) noexcept {
  bool changed = unite(receipts.recipients, other.recipients, workspace);
  changed |= unite(receipts.delivered, other.delivered, workspace);
  changed |= unite(receipts.seen, other.seen, workspace);
  return changed;
}

Count recipient_count(const Receipts& receipts) noexcept { return bitmap_cardinality(receipts.recipients); }
Count delivered_count(const Receipts& receipts) noexcept { return bitmap_cardinality(receipts.delivered); }
Count seen_count(const Receipts& receipts) noexcept { return bitmap_cardinality(receipts.seen); }
Count pending_count(const Receipts& receipts) noexcept { return recipient_count(receipts) - delivered_count(receipts); }
Count unseen_count(const Receipts& receipts) noexcept { return recipient_count(receipts) - seen_count(receipts); }

ReceiptStatus receipt_status(const Receipts& receipts, Member slot) noexcept {
  if (bitmap_contains(receipts.seen, slot)) return ReceiptStatus::kSeen;
  if (bitmap_contains(receipts.delivered, slot)) return ReceiptStatus::kDelivered;
  return bitmap_contains(receipts.recipients, slot) ? ReceiptStatus::kSent : ReceiptStatus::kNone;
}

ReceiptStatus receipt_status(const Receipts& receipts) noexcept {
  const Count all = recipient_count(receipts);
  if (all == 0) return ReceiptStatus::kSent;
  if (seen_count(receipts) == all) return ReceiptStatus::kSeen;
  return delivered_count(receipts) == all ? ReceiptStatus::kDelivered : ReceiptStatus::kSent;
}

bool receipts_equal(const Receipts& a, const Receipts& b) noexcept {
  return bitmap_equals(a.recipients, b.recipients) && bitmap_equals(a.delivered, b.delivered) &&
         bitmap_equals(a.seen, b.seen);
}

int receipts_compare(const Receipts& a, const Receipts& b) noexcept {
  if (const int order = bitmap_compare(a.recipients, b.recipients); order != 0) return order;
  if (const int order = bitmap_compare(a.delivered, b.delivered); order != 0) return order;
  return bitmap_compare(a.seen, b.seen);
}

std::uint64_t receipts_hash(const Receipts& receipts, std::uint64_t seed) noexcept {
  return bitmap_hash(receipts.seen, bitmap_hash(receipts.delivered, bitmap_hash(receipts.recipients, seed)));
}

}  // namespace chatopt::core
