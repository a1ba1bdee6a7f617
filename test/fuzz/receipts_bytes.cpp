// Any bytes as group_receipts: refused, or canonical, nested, and usable with
// every function. The input is two values, the first behind its length.

#include "common.hpp"

#include <algorithm>
#include <string>

#include "core/receipts/builder.hpp"
#include "core/receipts/receipts.hpp"
#include "core/receipts/text.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::fuzz;

Encoded build(const Receipts& receipts) {
  expect(receipts_are_nested(receipts));
  Encoded result(receipts_bound(receipts));
  result.resize(receipts_build(receipts, result.data()));
  result.shrink_to_fit();
  expect(receipts_is_valid(result));
  return result;
}

Encoded merged(Bytes a, Bytes b) {
  Receipts receipts = receipts_view(a);
  const Receipts other = receipts_view(b);
  Encoded workspace(receipts_merge_bound(receipts, other));
  (void)receipts_merge(receipts, other, workspace.data());
  return build(receipts);
}

Encoded marked(Bytes a, ReceiptStatus status, Member slot) {
  Receipts receipts = receipts_view(a);
  Encoded workspace(receipts_mark_bound(receipts, slot));
  (void)receipts_mark(receipts, status, slot, workspace.data());
  return build(receipts);
}

Encoded marked(Bytes a, ReceiptStatus status, Bytes slots) {
  Receipts receipts = receipts_view(a);
  const Encoded within = applied(SetOperation::kIntersection, receipts.recipients, slots);
  Encoded workspace(receipts_mark_bound(receipts, within));
  (void)receipts_mark(receipts, status, within, workspace.data());
  return build(receipts);
}

void look_at_one(Bytes value) {
  const Receipts receipts = receipts_view(value);
  const Encoded again = build(receipts);
  expect(std::equal(again.begin(), again.end(), value.begin(), value.end()));
  expect(recipient_count(receipts) == delivered_count(receipts) + pending_count(receipts));
  expect(seen_count(receipts) <= delivered_count(receipts) && unseen_count(receipts) >= pending_count(receipts));
  for (const Member slot : {value.size() % 2 == 0 ? Member{17} : kMaxMember}) {
    const Encoded result = marked(value, ReceiptStatus::kSeen, slot);
    const ReceiptStatus status = receipt_status(receipts, slot);
    expect(receipt_status(receipts_view(result), slot) ==
           (status == ReceiptStatus::kNone ? status : ReceiptStatus::kSeen));
    expect(marked(marked(value, ReceiptStatus::kDelivered, slot), ReceiptStatus::kSeen, slot) == result);
  }
  expect(merged(value, value) == again);
  if (const std::int64_t size = receipts_text_size(receipts); size < 100000) {
    std::string text(static_cast<std::size_t>(size), '?');
    expect(receipts_write_text(receipts, text.data()) == text.data() + text.size());
    ReceiptsBuilder builder(*std::pmr::new_delete_resource());
    expect(receipts_parse(text, builder).error == ReceiptsParseError::kNone);
    Encoded workspace(builder.bound());
    expect(build(builder.write(workspace.data())) == again);
  }
}

void look_at_two(Bytes a, Bytes b) {
  const Receipts left = receipts_view(a);
  const Receipts right = receipts_view(b);
  const Encoded both = merged(a, b);
  expect(both == merged(b, a) && merged(both, a) == both);
  expect(recipient_count(receipts_view(both)) >= recipient_count(left));
  expect((receipts_compare(left, right) == 0) == receipts_equal(left, right));
  expect((receipts_compare(left, right) < 0) == (receipts_compare(right, left) > 0));
  if (receipts_equal(left, right)) expect(receipts_hash(left, 1) == receipts_hash(right, 1));
  const Encoded seen = marked(a, ReceiptStatus::kSeen, right.recipients);
  expect(marked(marked(a, ReceiptStatus::kDelivered, right.recipients), ReceiptStatus::kSeen, right.recipients) ==
         seen);
  ReceiptsBuilder builder(*std::pmr::new_delete_resource());
  builder.merge(left);
  builder.merge(right);
  Encoded workspace(builder.bound());
  expect(build(builder.write(workspace.data())) == both);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t first = std::min<std::size_t>(data[0], size - 1);
  const Encoded a = copied(data + 1, first);
  const Encoded b = copied(data + 1 + first, size - 1 - first);
  if (receipts_is_valid(a)) look_at_one(a);
  if (receipts_is_valid(b)) look_at_one(b);
  if (receipts_is_valid(a) && receipts_is_valid(b)) look_at_two(a, b);
  return 0;
}
