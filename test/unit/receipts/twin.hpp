// Receipts as three std::sets: the twin that the encoding is compared with, and
// encodings held in vectors of exactly their size, so that AddressSanitizer sees
// a byte too many read or written.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory_resource>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/receipts/builder.hpp"
#include "core/receipts/receipts.hpp"
#include "core/receipts/text.hpp"

namespace chatopt::test {

using core::Bytes;
using core::Member;
using core::Receipts;
using core::ReceiptStatus;
using Slots = std::set<Member>;
using Encoding = std::vector<std::byte>;

inline Slots united(const Slots& a, const Slots& b) {
  Slots result = a;
  result.insert(b.begin(), b.end());
  return result;
}

inline Slots common(const Slots& a, const Slots& b) {
  Slots result;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(result, result.end()));
  return result;
}

inline Slots without(const Slots& a, const Slots& b) {
  Slots result;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(result, result.end()));
  return result;
}

struct Twin {
  Slots recipients;
  Slots delivered;
  Slots seen;
  bool operator==(const Twin&) const = default;

  void mark(ReceiptStatus status, const Slots& slots) {
    const Slots marked = common(slots, recipients);
    delivered = united(delivered, marked);
    if (status == ReceiptStatus::kSeen) seen = united(seen, marked);
  }
  void merge(const Twin& other) {
    recipients = united(recipients, other.recipients);
    delivered = united(delivered, other.delivered);
    seen = united(seen, other.seen);
  }
  [[nodiscard]] ReceiptStatus status(Member slot) const {
    if (seen.contains(slot)) return ReceiptStatus::kSeen;
    if (delivered.contains(slot)) return ReceiptStatus::kDelivered;
    return recipients.contains(slot) ? ReceiptStatus::kSent : ReceiptStatus::kNone;
  }
};

inline Encoding encode(const Slots& slots) {
  std::pmr::monotonic_buffer_resource memory;
  core::Builder builder(memory);
  for (const Member slot : slots) builder.insert(slot);
  Encoding result(builder.bound());
  result.resize(builder.write(result.data()));
  result.shrink_to_fit();
  return result;
}

inline Slots decode(Bytes set) {
  Slots result;
  core::Run run{};
  for (core::BitmapRuns runs(set); runs.next(run);)
    for (std::uint64_t slot = run.first; slot <= run.last; ++slot) result.insert(static_cast<Member>(slot));
  return result;
}

inline Encoding build(const Receipts& receipts) {
  Encoding result(core::receipts_bound(receipts));
  result.resize(core::receipts_build(receipts, result.data()));
  result.shrink_to_fit();
  return result;
}

inline Encoding encode(const Twin& twin) {
  const Encoding recipients = encode(twin.recipients);
  const Encoding delivered = encode(twin.delivered);
  const Encoding seen = encode(twin.seen);
  return build({recipients, delivered, seen});
}

inline Twin decode_receipts(Bytes encoding) {
  const Receipts receipts = core::receipts_view(encoding);
  return {decode(receipts.recipients), decode(receipts.delivered), decode(receipts.seen)};
}

// encoding, marked with a slot or a set.
inline Encoding marked(Bytes encoding, ReceiptStatus status, Member slot) {
  Receipts receipts = core::receipts_view(encoding);
  Encoding workspace(core::receipts_mark_bound(receipts, slot));
  const bool changed = core::receipts_mark(receipts, status, slot, workspace.data());
  Encoding result = build(receipts);
  EXPECT_EQ(changed, !std::ranges::equal(result, encoding));
  return result;
}

inline Encoding marked(Bytes encoding, ReceiptStatus status, const Slots& slots) {
  Receipts receipts = core::receipts_view(encoding);
  const Encoding set = encode(common(slots, decode(receipts.recipients)));
  Encoding workspace(core::receipts_mark_bound(receipts, set));
  const bool changed = core::receipts_mark(receipts, status, set, workspace.data());
  Encoding result = build(receipts);
  EXPECT_EQ(changed, !std::ranges::equal(result, encoding));
  return result;
}

inline Encoding merged(Bytes a, Bytes b) {
  Receipts receipts = core::receipts_view(a);
  const Receipts other = core::receipts_view(b);
  Encoding workspace(core::receipts_merge_bound(receipts, other));
  const bool changed = core::receipts_merge(receipts, other, workspace.data());
  Encoding result = build(receipts);
  EXPECT_EQ(changed, !std::ranges::equal(result, a));
  return result;
}

inline std::string text_of(Bytes encoding) {
  const Receipts receipts = core::receipts_view(encoding);
  std::string result(static_cast<std::size_t>(core::receipts_text_size(receipts)), '?');
  EXPECT_EQ(core::receipts_write_text(receipts, result.data()), result.data() + result.size());
  return result;
}

using Random = std::mt19937_64;

// Each of 0 … below-1, or of what may holds, with a probability of one of: none,
// few, half, nearly all, all. Some sets are of far slots.
inline Slots random_subset(Random& random, const Slots& may) {
  const unsigned percent = std::array{0U, 5U, 50U, 95U, 100U}[random() % 5];
  Slots result;
  for (const Member slot : may)
    if (random() % 100 < percent) result.insert(slot);
  return result;
}

inline Twin random_twin(Random& random, Member below) {
  const Member base = random() % 4 == 0 ? static_cast<Member>(random() % (core::kMaxMember - 3 * below)) : 0;
  const Member step = static_cast<Member>(1 + random() % 3);
  Slots all;
  for (Member slot = 0; slot < below; ++slot) all.insert(base + slot * step);
  Twin twin;
  twin.recipients = random_subset(random, all);
  twin.delivered = random_subset(random, twin.recipients);
  twin.seen = random_subset(random, twin.delivered);
  return twin;
}

}  // namespace chatopt::test
