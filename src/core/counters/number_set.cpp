#include "core/counters/number_set.hpp"

namespace chatopt::core {

bool NumberSet::contains(std::int64_t number) const noexcept {
  auto after = ranges_.upper_bound(number);
  return after != ranges_.begin() && (--after)->second >= number;
}

void NumberSet::insert(std::int64_t number) {
  auto after = ranges_.upper_bound(number);
  const bool joins_after = after != ranges_.end() && after->first == number + 1;
  if (after != ranges_.begin()) {
    auto before = after;
    --before;
    if (before->second >= number) return;
    if (before->second == number - 1) {
      before->second = joins_after ? after->second : number;
      if (joins_after) ranges_.erase(after);
      return;
    }
  }
  const std::int64_t last = joins_after ? after->second : number;
  ranges_.emplace(number, last);
  if (joins_after) ranges_.erase(after);
}

void NumberSet::erase(std::int64_t number) {
  auto range = ranges_.upper_bound(number);
  if (range == ranges_.begin()) return;
  --range;
  const auto [first, last] = *range;
  if (last < number) return;
  // The upper part first: should it fail for want of memory, nothing is lost.
  if (number < last) ranges_.emplace(number + 1, last);
  if (number == first)
    ranges_.erase(range);
  else
    range->second = number - 1;
}

}  // namespace chatopt::core
