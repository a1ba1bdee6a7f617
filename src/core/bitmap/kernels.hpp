// Loops over bits, chosen once for the processor at hand. Every path gives the same results.
// Internal to src/core/bitmap.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/bitmap/bitmap.hpp"

namespace chatopt::core::kernels {

enum class Path { kPortable, kAvx2, kAvx512 };

struct Counts {
  std::uint64_t members;
  std::uint64_t runs;
};

// Any alignment, any size; nothing beyond the n bytes is touched. out may be a or b, and overlaps them no other way.
struct Table {
  Path path;
  std::uint64_t (*count)(const std::byte* data, std::size_t n) noexcept;
  // Runs of set bits, from the first byte on; may stop as soon as there are enough.
  std::uint64_t (*count_runs)(const std::byte* data, std::size_t n, std::uint64_t enough) noexcept;
  // Write n bytes, and count what is set in them.
  std::uint64_t (*unite)(std::byte* out, const std::byte* a, const std::byte* b, std::size_t n) noexcept;
  std::uint64_t (*intersect)(std::byte* out, const std::byte* a, const std::byte* b, std::size_t n) noexcept;
  std::uint64_t (*subtract)(std::byte* out, const std::byte* a, const std::byte* b, std::size_t n) noexcept;
  std::uint64_t (*flip)(std::byte* out, const std::byte* a, const std::byte* b, std::size_t n) noexcept;
  // The same, and their runs too.
  Counts (*unite_runs)(std::byte* out, const std::byte* a, const std::byte* b, std::size_t n) noexcept;
  Counts (*intersect_runs)(std::byte* out, const std::byte* a, const std::byte* b, std::size_t n) noexcept;
  Counts (*subtract_runs)(std::byte* out, const std::byte* a, const std::byte* b, std::size_t n) noexcept;
  Counts (*flip_runs)(std::byte* out, const std::byte* a, const std::byte* b, std::size_t n) noexcept;
  bool (*includes)(const std::byte* set, const std::byte* subset, std::size_t n) noexcept;
  bool (*overlaps)(const std::byte* a, const std::byte* b, std::size_t n) noexcept;
};

[[nodiscard]] const Table& table() noexcept;
// For tests: takes this path from now on; false when the processor has it not.
bool use(Path path) noexcept;

}  // namespace chatopt::core::kernels
