#include "core/counters/skips.hpp"

namespace chatopt::core {

void Skips::move_to(NumberSet Skips::*set, std::int64_t number) {
  for (const auto other : {&Skips::removed, &Skips::uncounted, &Skips::counted})
    if (other != set) (this->*other).erase(number);
  (this->*set).insert(number);
}

void Skips::remove_range(std::int64_t first, std::int64_t last) {
  uncounted.erase_range(first, last);
  counted.erase_range(first, last);
  removed.insert_range(first, last);
}

}  // namespace chatopt::core
