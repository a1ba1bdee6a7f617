// Until when something is waited for: a clock that nobody sets back, and that is no time of day.
#pragma once

#include <chrono>

namespace chatopt::pg {

using Deadline = std::chrono::steady_clock::time_point;

// So many milliseconds from now; 0: it has come already.
inline Deadline deadline_in(long milliseconds) noexcept {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
}

// How many milliseconds are left; 0: none.
inline long milliseconds_until(Deadline deadline) noexcept {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return left > 0 ? static_cast<long>(left) : 0;
}

}  // namespace chatopt::pg
