// Any text as group_receipts: refused with a position within it, or read as
// sets that their text form gives again.

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/receipts/builder.hpp"
#include "core/receipts/receipts.hpp"
#include "core/receipts/text.hpp"

namespace {

using namespace chatopt::core;

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<char> copy(data, data + size);  // no byte too many is there to be read
  const std::string_view text(copy.data(), copy.size());
  std::pmr::monotonic_buffer_resource memory;
  ReceiptsBuilder builder(memory);
  const ReceiptsParse parsed = receipts_parse(text, builder);
  must(parsed.position <= size);
  must((parsed.error == ReceiptsParseError::kBadSet) == (parsed.set != BitmapTextError::kNone));
  if (parsed.error != ReceiptsParseError::kNone) return 0;
  std::vector<std::byte> workspace(builder.bound());
  const Receipts receipts = builder.write(workspace.data());
  if (!receipts_are_nested(receipts)) return 0;
  std::vector<std::byte> encoding(receipts_bound(receipts));
  encoding.resize(receipts_build(receipts, encoding.data()));
  must(receipts_is_valid(encoding));
  if (receipts_text_size(receipts) > 1000000) return 0;
  std::string again(static_cast<std::size_t>(receipts_text_size(receipts)), '?');
  must(receipts_write_text(receipts, again.data()) == again.data() + again.size());
  ReceiptsBuilder second(memory);
  must(receipts_parse(again, second).error == ReceiptsParseError::kNone);
  std::vector<std::byte> other(second.bound());
  must(receipts_equal(second.write(other.data()), receipts));
  return 0;
}
