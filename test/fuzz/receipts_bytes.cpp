// Any bytes as group_receipts: refused, or canonical, nested, and usable with
// every function. The input is two values, the first behind its length.

#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "core/receipts/builder.hpp"
#include "core/receipts/receipts.hpp"
#include "core/receipts/text.hpp"

namespace {

using namespace chatopt::core;
using Encoding = std::vector<std::byte>;

void must(bool holds) {
  if (!holds) std::abort();
}

Encoding build(const Receipts& receipts) {
  must(receipts_are_nested(receipts));
  Encoding result(receipts_bound(receipts));
  result.resize(receipts_build(receipts, result.data()));
  result.shrink_to_fit();
  must(receipts_is_valid(result));
  return result;
}

Encoding merged(Bytes a, Bytes b) {
  Receipts receipts = receipts_view(a);
  const Receipts other = receipts_view(b);
  Encoding workspace(receipts_merge_bound(receipts, other));
  (void)receipts_merge(receipts, other, workspace.data());
  return build(receipts);
}

Encoding marked(Bytes a, ReceiptStatus status, Member slot) {
  Receipts receipts = receipts_view(a);
  Encoding workspace(receipts_mark_bound(receipts, slot));
  (void)receipts_mark(receipts, status, slot, workspace.data());
  return build(receipts);
}

Encoding marked(Bytes a, ReceiptStatus status, Bytes slots) {
  Receipts receipts = receipts_view(a);
  Encoding within(bitmap_bound(SetOperation::kIntersection, receipts.recipients, slots));
  within.resize(bitmap_apply(SetOperation::kIntersection, receipts.recipients, slots, within.data()));
  Encoding workspace(receipts_mark_bound(receipts, within));
  (void)receipts_mark(receipts, status, within, workspace.data());
  return build(receipts);
}

void look_at_one(Bytes value) {
  const Receipts receipts = receipts_view(value);
  const Encoding again = build(receipts);
  must(std::equal(again.begin(), again.end(), value.begin(), value.end()));
  must(recipient_count(receipts) == delivered_count(receipts) + pending_count(receipts));
  must(seen_count(receipts) <= delivered_count(receipts) && unseen_count(receipts) >= pending_count(receipts));
  for (const Member slot : {value.size() % 2 == 0 ? Member{17} : kMaxMember}) {
    const Encoding result = marked(value, ReceiptStatus::kSeen, slot);
    const ReceiptStatus status = receipt_status(receipts, slot);
    must(receipt_status(receipts_view(result), slot) ==
         (status == ReceiptStatus::kNone ? status : ReceiptStatus::kSeen));
    must(marked(marked(value, ReceiptStatus::kDelivered, slot), ReceiptStatus::kSeen, slot) == result);
  }
  must(merged(value, value) == again);
  if (const std::int64_t size = receipts_text_size(receipts); size < 100000) {
    std::string text(static_cast<std::size_t>(size), '?');
    must(receipts_write_text(receipts, text.data()) == text.data() + text.size());
    std::pmr::monotonic_buffer_resource memory;
    ReceiptsBuilder builder(memory);
    must(receipts_parse(text, builder).error == ReceiptsParseError::kNone);
    Encoding workspace(builder.bound());
    must(build(builder.write(workspace.data())) == again);
  }
}

void look_at_two(Bytes a, Bytes b) {
  const Receipts left = receipts_view(a);
  const Receipts right = receipts_view(b);
  const Encoding both = merged(a, b);
  must(both == merged(b, a) && merged(both, a) == both);
  must(recipient_count(receipts_view(both)) >= recipient_count(left));
  must((receipts_compare(left, right) == 0) == receipts_equal(left, right));
  must((receipts_compare(left, right) < 0) == (receipts_compare(right, left) > 0));
  if (receipts_equal(left, right)) must(receipts_hash(left, 1) == receipts_hash(right, 1));
  const Encoding seen = marked(a, ReceiptStatus::kSeen, right.recipients);
  must(marked(marked(a, ReceiptStatus::kDelivered, right.recipients), ReceiptStatus::kSeen, right.recipients) == seen);
  std::pmr::monotonic_buffer_resource memory;
  ReceiptsBuilder builder(memory);
  builder.merge(left);
  builder.merge(right);
  Encoding workspace(builder.bound());
  must(build(builder.write(workspace.data())) == both);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input = std::as_bytes(std::span(data, size));
  // Copies, so that a byte too many read is seen.
  const std::size_t first = size == 0 ? 0 : std::min<std::size_t>(data[0], size - 1);
  const Encoding a(input.begin() + (size == 0 ? 0 : 1),
                   input.begin() + static_cast<std::ptrdiff_t>(size == 0 ? 0 : 1 + first));
  const Encoding b(input.begin() + static_cast<std::ptrdiff_t>(size == 0 ? 0 : 1 + first), input.end());
  if (receipts_is_valid(a)) look_at_one(a);
  if (receipts_is_valid(b)) look_at_one(b);
  if (receipts_is_valid(a) && receipts_is_valid(b)) look_at_two(a, b);
  return 0;
}
