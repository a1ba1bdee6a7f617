// What became of message numbers since the counter row was last written, for
// those of which the stored sets of skipped numbers have to know: the latest
// event of a number wins, so it is in at most one of the three.
//
// What was sent in order, and counted, is in none. Numbers are kept as ranges.
// Not thread-safe, no I/O.
#pragma once

#include <cstdint>

#include "core/counters/number_set.hpp"

namespace chatopt::core {

struct Skips {
  explicit Skips(std::pmr::memory_resource& memory) : removed(memory), uncounted(memory), counted(memory) {}
  Skips(const Skips& other, std::pmr::memory_resource& memory)
      : removed(other.removed, memory), uncounted(other.uncounted, memory), counted(other.counted, memory) {}

  [[nodiscard]] bool empty() const noexcept { return removed.empty() && uncounted.empty() && counted.empty(); }
  [[nodiscard]] bool contains(std::int64_t number) const noexcept {
    return removed.contains(number) || uncounted.contains(number) || counted.contains(number);
  }

  // A number in no set may come of a std::bad_alloc, one in two never does.
  void move_to(NumberSet Skips::*set, std::int64_t number);
  // No message has these numbers, nor will the next in order.
  void remove_range(std::int64_t first, std::int64_t last);

  NumberSet removed;    // no message has this number: deleted, moved away, or never landed
  NumberSet uncounted;  // the message with this number does not count
  NumberSet counted;    // it does, and may be in a stored set
};

}  // namespace chatopt::core
