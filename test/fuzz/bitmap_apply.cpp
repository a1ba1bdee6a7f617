// Two sets made from the input, as encodings where it holds such, combined in every way; a builder and, where the sets
// are small, std::set say what must come out.
#include "common.hpp"

#include <algorithm>

using namespace chatopt::core;
using namespace chatopt::fuzz;

namespace {

// Pieces of five bytes: how, where, how far.
Encoded drawn(const std::uint8_t* data, std::size_t size) {
  const Encoded given = copied(data, size);
  if (bitmap_is_valid(given)) return given;
  Builder builder(*std::pmr::new_delete_resource());
  for (; size >= 5; size -= 5, data += 5) {
    const unsigned shift = data[0] >> 4;
    std::uint64_t first = std::uint64_t{data[1]} | std::uint64_t{data[2]} << 8;
    first = std::min<std::uint64_t>(first << shift, kMaxMember);
    const std::uint64_t length = data[3] | std::uint64_t{data[4]} << 8;
    const unsigned step = data[0] & 0x0F;
    if (step == 0) {
      builder.insert_range(static_cast<Member>(first),
                           static_cast<Member>(std::min<std::uint64_t>(first + (length << shift % 8), kMaxMember)));
    } else {
      for (std::uint64_t i = 0, member = first; i < length % 2048 && member <= kMaxMember;
           ++i, member += 1 + step * step)
        builder.insert(static_cast<Member>(member));
    }
  }
  return written(builder);
}

std::set<Member> listed(Bytes set) {
  std::set<Member> result;
  BitmapRuns runs(set);
  for (Run run; runs.next(run);)
    for (std::uint64_t member = run.first; member <= run.last; ++member)
      result.insert(result.end(), static_cast<Member>(member));
  return result;
}

bool holds(SetOperation operation, bool in_a, bool in_b) {
  switch (operation) {
    case SetOperation::kUnion:
      return in_a || in_b;
    case SetOperation::kIntersection:
      return in_a && in_b;
    case SetOperation::kDifference:
      return in_a && !in_b;
    default:
      return in_a != in_b;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t cut = std::min<std::size_t>(data[0] | std::size_t{data[1]} << 8, size - 2);
  const Encoded a = drawn(data + 2, cut);
  const Encoded b = drawn(data + 2 + cut, size - 2 - cut);
  expect(bitmap_is_valid(a) && bitmap_is_valid(b));
  const Encoded either = applied(SetOperation::kUnion, a, b);
  const Encoded both = applied(SetOperation::kIntersection, a, b);
  const Encoded left = applied(SetOperation::kDifference, a, b);
  const Encoded one = applied(SetOperation::kSymmetricDifference, a, b);
  expect(bitmap_cardinality(either) + bitmap_cardinality(both) == bitmap_cardinality(a) + bitmap_cardinality(b));
  expect(bitmap_overlaps(a, b) == !bitmap_is_empty(both));
  expect(bitmap_contains(a, b) == bitmap_equals(either, a));
  expect(bitmap_contains(b, a) == bitmap_is_empty(left));
  expect(bitmap_equals(one, applied(SetOperation::kDifference, either, both)));
  expect(bitmap_equals(rebuilt(one), one) && bitmap_equals(rebuilt(left), left));
  Builder builder(*std::pmr::new_delete_resource());
  builder.merge(a);
  builder.merge(b);
  expect(bitmap_equals(written(builder), either));
  builder.intersect(b);
  expect(bitmap_equals(written(builder), b));
  builder.intersect(a);
  expect(bitmap_equals(written(builder), both));
  if (bitmap_cardinality(either) > 3000) return 0;
  const std::set<Member> in_a = listed(a);
  const std::set<Member> in_b = listed(b);
  std::set<Member> all = in_a;
  all.insert(in_b.begin(), in_b.end());
  const std::pair<SetOperation, const Encoded*> results[] = {{SetOperation::kUnion, &either},
                                                             {SetOperation::kIntersection, &both},
                                                             {SetOperation::kDifference, &left},
                                                             {SetOperation::kSymmetricDifference, &one}};
  for (const auto& [operation, result] : results) {
    std::set<Member> wanted;
    for (const Member member : all)
      if (holds(operation, in_a.contains(member), in_b.contains(member))) wanted.insert(wanted.end(), member);
    expect(listed(*result) == wanted);
  }
  expect((bitmap_compare(a, b) < 0) ==
         std::lexicographical_compare(in_a.begin(), in_a.end(), in_b.begin(), in_b.end()));
  return 0;
}
