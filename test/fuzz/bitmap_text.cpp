// Any text: refused at a position within it, or a set whose own text is read as the same.
#include "common.hpp"

#include <string>

using namespace chatopt::core;
using namespace chatopt::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  Builder builder(*std::pmr::new_delete_resource());
  const BitmapParse parse = bitmap_parse(text, builder);
  expect(parse.position <= size);
  expect(builder.memory_used() <= 400 + size * 200);
  if (!parse) return 0;
  const Encoded set = written(builder);
  expect(bitmap_is_valid(set));
  expect(bitmap_cardinality(set) == builder.cardinality());
  std::string canonical(static_cast<std::size_t>(bitmap_text_size(set)), '?');
  bitmap_write_text(set, canonical.data());
  Builder again(*std::pmr::new_delete_resource());
  expect(bool(bitmap_parse(canonical, again)));
  expect(bitmap_equals(written(again), set));
  return 0;
}
