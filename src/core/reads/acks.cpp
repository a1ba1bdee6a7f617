#include "core/reads/acks.hpp"

namespace chatopt::core {

namespace {

std::uint64_t bit_of(std::int64_t number) noexcept { return std::uint64_t{1} << skip_bit(number) % 64; }

// The bits of a word of this chunk that are numbers <= position.
std::uint64_t passed(std::int64_t index, int word, std::int64_t position) noexcept {
  const std::int64_t numbers = position - (skip_first(0, index) - 1) - 64 * word;
  if (numbers <= 0) return 0;
  return numbers >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << numbers) - 1;
}

}  // namespace

bool ack(AckChunk& chunk, Mark mark, std::int64_t number) noexcept {
  if (ack_holds(chunk, mark, number)) return false;
  const int word = skip_bit(number) / 64;
  chunk.delivered[word] |= bit_of(number);
  if (mark == Mark::kRead) chunk.read[word] |= bit_of(number);
  return true;
}

bool ack_drop(AckChunk& chunk, std::int64_t index, const Positions& positions) noexcept {
  std::uint64_t changed = 0;
  for (int word = 0; word < kSkipWords; ++word) {
    const std::uint64_t earlier = passed(index, word, positions.joined);
    const std::uint64_t read = chunk.read[word] & (earlier | ~passed(index, word, positions.read));
    const std::uint64_t delivered =
        (chunk.delivered[word] & (earlier | ~passed(index, word, positions.delivered))) | read;
    changed |= (chunk.read[word] ^ read) | (chunk.delivered[word] ^ delivered);
    chunk.read[word] = read;
    chunk.delivered[word] = delivered;
  }
  return changed != 0;
}

bool ack_is_empty(const AckChunk& chunk) noexcept {
  std::uint64_t any = 0;
  for (const std::uint64_t word : chunk.delivered) any |= word;
  return any == 0;
}

bool ack_holds(const AckChunk& chunk, Mark mark, std::int64_t number) noexcept {
  const auto& set = mark == Mark::kRead ? chunk.read : chunk.delivered;
  return (set[skip_bit(number) / 64] & bit_of(number)) != 0;
}

bool ack_from_bitmaps(Bytes delivered, Bytes read, AckChunk& chunk) noexcept {
  bool fits = bitmap_read_words(delivered, chunk.delivered);
  if (!bitmap_read_words(read, chunk.read)) fits = false;
  for (int word = 0; word < kSkipWords; ++word) {
    if ((chunk.read[word] & ~chunk.delivered[word]) != 0) fits = false;
    chunk.delivered[word] |= chunk.read[word];
  }
  return fits;
}

int ack_first_gap(const std::uint64_t (&a)[kSkipWords], const std::uint64_t (&b)[kSkipWords], int from) noexcept {
  for (int word = from / 64; word < kSkipWords; ++word) {
    const std::uint64_t gaps = ~(a[word] | b[word]) & skip_mask(word, from, kSkipLeafNumbers - 1);
    if (gaps != 0) return word * 64 + std::countr_zero(gaps);
  }
  return kSkipLeafNumbers;
}

}  // namespace chatopt::core
