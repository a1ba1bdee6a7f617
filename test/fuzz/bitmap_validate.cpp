// Any bytes at the door: refused, or the canonical encoding of a set that every question can be asked.
#include "common.hpp"

#include <string>

using namespace chatopt::core;
using namespace chatopt::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Encoded set = copied(data, size);
  if (!bitmap_is_valid(set)) return 0;
  expect(bitmap_equals(rebuilt(set), set));
  Builder merged(*std::pmr::new_delete_resource());
  merged.merge(set);
  expect(merged.cardinality() == bitmap_cardinality(set));
  expect(bitmap_equals(written(merged), set));
  expect(bitmap_rank(set, kMaxMember) == bitmap_cardinality(set));
  expect(bitmap_compare(set, set) == 0 && bitmap_contains(set, set));
  Member least = 0;
  Member greatest = 0;
  if (bitmap_min(set, least) && bitmap_max(set, greatest)) {
    expect(bitmap_contains(set, least) && bitmap_contains(set, greatest));
    expect(bitmap_range_cardinality(set, least, std::int64_t{greatest} + 1) == bitmap_cardinality(set));
  }
  (void)bitmap_hash(set, 0);
  const auto length = static_cast<std::size_t>(bitmap_text_size(set));
  std::string text(length, '?');
  expect(bitmap_write_text(set, text.data()) == text.data() + length);
  Builder read(*std::pmr::new_delete_resource());
  expect(bool(bitmap_parse(text, read)));
  expect(bitmap_equals(written(read), set));
  return 0;
}
