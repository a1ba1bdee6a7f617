// Arithmetic that says when it overflows, and division that rounds down.
#pragma once

#include <cstdint>

namespace chatopt::core {

[[nodiscard]] constexpr bool add_overflows(std::int64_t a, std::int64_t b, std::int64_t& sum) noexcept {
  return __builtin_add_overflow(a, b, &sum);
}
[[nodiscard]] constexpr bool subtract_overflows(std::int64_t a, std::int64_t b, std::int64_t& difference) noexcept {
  return __builtin_sub_overflow(a, b, &difference);
}
[[nodiscard]] constexpr bool multiply_overflows(std::int64_t a, std::int64_t b, std::int64_t& product) noexcept {
  return __builtin_mul_overflow(a, b, &product);
}
// divisor > 0.
[[nodiscard]] constexpr std::int64_t floor_divide(std::int64_t value, std::int64_t divisor) noexcept {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}
[[nodiscard]] constexpr std::int64_t floor_remainder(std::int64_t value, std::int64_t divisor) noexcept {
  const std::int64_t remainder = value % divisor;
  return remainder < 0 ? remainder + divisor : remainder;
}

}  // namespace chatopt::core
