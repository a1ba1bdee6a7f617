// Any text as group_receipts: refused with a position within it, or read as
// sets that their text form gives again.

#include "common.hpp"

#include <string>
#include <string_view>

#include "core/receipts/builder.hpp"
#include "core/receipts/receipts.hpp"
#include "core/receipts/text.hpp"

using namespace chatopt::core;
using namespace chatopt::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<char> copy(data, data + size);  // no byte too many is there to be read
  const std::string_view text(copy.data(), copy.size());
  ReceiptsBuilder builder(*std::pmr::new_delete_resource());
  const ReceiptsParse parsed = receipts_parse(text, builder);
  expect(parsed.position <= size);
  expect((parsed.error == ReceiptsParseError::kBadSet) == (parsed.set != BitmapTextError::kNone));
  if (parsed.error != ReceiptsParseError::kNone) return 0;
  std::vector<std::byte> workspace(builder.bound());
  const Receipts receipts = builder.write(workspace.data());
  if (!receipts_are_nested(receipts)) return 0;
  std::vector<std::byte> encoding(receipts_bound(receipts));
  encoding.resize(receipts_build(receipts, encoding.data()));
  expect(receipts_is_valid(encoding));
  if (receipts_text_size(receipts) > 1000000) return 0;
  std::string again(static_cast<std::size_t>(receipts_text_size(receipts)), '?');
  expect(receipts_write_text(receipts, again.data()) == again.data() + again.size());
  ReceiptsBuilder second(*std::pmr::new_delete_resource());
  expect(receipts_parse(again, second).error == ReceiptsParseError::kNone);
  std::vector<std::byte> other(second.bound());
  expect(receipts_equal(second.write(other.data()), receipts));
  return 0;
}
