#include "core/counters/number_set.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace chatopt::core {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

// The first range that ends at this number or above it.
template <class Ranges>
auto ending_from(Ranges& ranges, std::int64_t number) noexcept {
  const auto above = ranges.upper_bound(number);
  if (above == ranges.begin()) return above;
  const auto below = std::prev(above);
  return below->second >= number ? below : above;
}

}  // namespace

bool NumberSet::contains(std::int64_t number) const noexcept {
  auto after = ranges_.upper_bound(number);
  return after != ranges_.begin() && (--after)->second >= number;
}

std::optional<NumberRange> NumberSet::range_from(std::int64_t number) const noexcept {
  const auto range = ending_from(ranges_, number);
  if (range == ranges_.end()) return std::nullopt;
  return NumberRange{range->first, range->second};
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

void NumberSet::insert_range(std::int64_t first, std::int64_t last) {
  if (first > last) return;
  // Every range that the new one overlaps or touches goes into it.
  const auto met = ending_from(ranges_, first == kLeast ? first : first - 1);
  const auto after = last == kGreatest ? ranges_.end() : ranges_.upper_bound(last + 1);
  if (met == after) {
    ranges_.emplace(first, last);
    return;
  }
  last = std::max(last, std::prev(after)->second);
  if (met->first <= first) {
    met->second = last;
    ranges_.erase(std::next(met), after);
  } else {
    ranges_.emplace(first, last);
    ranges_.erase(met, after);
  }
}

void NumberSet::erase_range(std::int64_t first, std::int64_t last) {
  if (first > last) return;
  auto met = ending_from(ranges_, first);
  auto after = ranges_.upper_bound(last);
  if (met == after) return;
  // The upper part first: should it fail for want of memory, nothing is lost.
  if (const std::int64_t end = std::prev(after)->second; end > last) after = ranges_.emplace(last + 1, end).first;
  if (met->first < first) {
    met->second = first - 1;
    ++met;
  }
  ranges_.erase(met, after);
}

}  // namespace chatopt::core
