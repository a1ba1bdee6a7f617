// Reading and writing bytes: unaligned little-endian numbers, varints, bits. Internal to src/core/bitmap.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/bitmap/format.hpp"

namespace chatopt::core::bytes {

static_assert(std::endian::native == std::endian::little, "loads and stores are written for little-endian machines");

template <class T>
[[nodiscard]] inline T load(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
inline void store(std::byte* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

// The first n < 8 bytes as a number; not one more is touched.
[[nodiscard]] inline std::uint64_t load_some(const std::byte* from, std::size_t n) noexcept {
  if (n >= 4) {
    const std::uint64_t low = load<std::uint32_t>(from);
    const std::uint64_t high = load<std::uint32_t>(from + n - 4);
    return low | high << (8 * (n - 4));
  }
  if (n == 0) return 0;
  const std::uint64_t low = load<std::uint8_t>(from);
  const std::uint64_t middle = load<std::uint8_t>(from + n / 2);
  const std::uint64_t high = load<std::uint8_t>(from + n - 1);
  return low | middle << (8 * (n / 2)) | high << (8 * (n - 1));
}

// The same for n <= 8.
[[nodiscard]] inline std::uint64_t load_word(const std::byte* from, std::size_t n) noexcept {
  return n == 8 ? load<std::uint64_t>(from) : load_some(from, n);
}

// std::popcount is a call into libgcc where the processor is not known to have it.
[[nodiscard]] constexpr std::uint64_t count_ones(std::uint64_t word) noexcept {
  word -= word >> 1 & 0x5555555555555555U;
  word = (word & 0x3333333333333333U) + (word >> 2 & 0x3333333333333333U);
  return ((word + (word >> 4)) & 0x0F0F0F0F0F0F0F0FU) * 0x0101010101010101U >> 56;
}

inline void store_some(std::byte* to, std::uint64_t value, std::size_t n) noexcept {
  if (n >= 4) {
    store(to, static_cast<std::uint32_t>(value));
    store(to + n - 4, static_cast<std::uint32_t>(value >> (8 * (n - 4))));
    return;
  }
  if (n == 0) return;
  store(to, static_cast<std::uint8_t>(value));
  store(to + n / 2, static_cast<std::uint8_t>(value >> (8 * (n / 2))));
  store(to + n - 1, static_cast<std::uint8_t>(value >> (8 * (n - 1))));
}

[[nodiscard]] constexpr std::size_t varint_size(std::uint32_t value) noexcept {
  return 1 + static_cast<std::size_t>(std::bit_width(value | 1U) - 1) / 7;
}

inline std::byte* put_varint(std::byte* to, std::uint32_t value) noexcept {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<std::byte>(value | 0x80);
  *to++ = static_cast<std::byte>(value);
  return to;
}

// Of bytes known to be valid.
inline std::uint32_t get_varint(const std::byte*& from) noexcept {
  std::uint32_t value = std::to_integer<std::uint32_t>(*from++);
  if (value < 0x80) return value;
  value &= 0x7F;
  for (int shift = 7;; shift += 7) {
    const auto part = std::to_integer<std::uint32_t>(*from++);
    value |= (part & 0x7F) << shift;
    if (part < 0x80) return value;
  }
}

// Of any bytes: false when the number is not complete, not the shortest, or beyond 32 bits.
[[nodiscard]] inline bool read_varint(const std::byte*& from, const std::byte* end, std::uint32_t& value) noexcept {
  std::uint64_t result = 0;
  for (int shift = 0; shift < 35 && from != end; shift += 7) {
    const auto part = std::to_integer<std::uint64_t>(*from++);
    result |= (part & 0x7F) << shift;
    if (part >= 0x80) continue;
    if ((part == 0 && shift != 0) || result > UINT32_MAX) return false;
    value = static_cast<std::uint32_t>(result);
    return true;
  }
  return false;
}

// Bits first … last of a string of bytes.
enum class Change { kSet, kClear, kFlip };
template <Change change>
inline void change_bits(std::byte* data, std::size_t first, std::size_t last) noexcept {
  const std::size_t from = first / 8;
  const std::size_t to = last / 8;
  const auto apply = [data](std::size_t at, unsigned mask) {
    const auto bits = static_cast<std::byte>(mask);
    if constexpr (change == Change::kSet) data[at] |= bits;
    if constexpr (change == Change::kClear) data[at] &= ~bits;
    if constexpr (change == Change::kFlip) data[at] ^= bits;
  };
  const unsigned head = 0xFFU << (first % 8) & 0xFFU;
  const unsigned tail = 0xFFU >> (7 - last % 8);
  if (from == to) {
    apply(from, head & tail);
    return;
  }
  apply(from, head);
  apply(to, tail);
  if constexpr (change == Change::kFlip) {
    for (std::size_t at = from + 1; at < to; ++at) data[at] ^= std::byte{0xFF};
  } else if (to - from > 1) {
    std::memset(data + from + 1, change == Change::kSet ? 0xFF : 0, to - from - 1);
  }
}

}  // namespace chatopt::core::bytes
