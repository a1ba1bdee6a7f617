// Sets as plain bits: for tables that keep small sets of their own, such as the rows of core/reads.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/bitmap/bitmap.hpp"
#include "core/bitmap/block.hpp"
#include "core/bitmap/chunks.hpp"

namespace chatopt::core {

std::size_t bitmap_write_words(std::span<const std::uint64_t> words, std::byte* out) noexcept {
  const auto data = std::as_bytes(words);
  const Bits bits = trimmed({0, data.data(), static_cast<std::uint32_t>(data.size())});
  if (bits.size == 0) return bitmap_write_empty(out);
  const Choice choice = choose_bits(bits);
  if (choice.size <= kMaxFlatPayload) {
    *out = format_byte(choice.form);
    return static_cast<std::size_t>(write_bits(choice, bits, out + 1) - out);
  }
  ChunkWriter writer(out, 1);
  write_bits(choice, bits, writer.next());
  writer.add(0, choice);
  return writer.finish();
}

bool bitmap_read_words(Bytes set, std::span<std::uint64_t> words) noexcept {
  std::fill(words.begin(), words.end(), 0);
  const std::uint64_t size = 64 * words.size();
  BitmapRuns runs(set);
  for (Run run; runs.next(run);) {
    if (run.first < size) {
      const std::uint64_t last = std::min<std::uint64_t>(run.last, size - 1);
      bytes::change_bits<bytes::Change::kSet>(std::as_writable_bytes(words).data(), run.first, last);
    }
    if (run.last >= size) return false;
  }
  return true;
}

}  // namespace chatopt::core
