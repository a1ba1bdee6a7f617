// A set of message numbers kept as disjoint, non-adjacent ranges.
//
// Deleting messages in order, the ordinary case, costs one range however many
// there are; the worst case is one range a number. Not thread-safe, no I/O.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>

#include <boost/container/map.hpp>

namespace chatopt::core {

// From first to last, both inclusive.
struct NumberRange {
  std::int64_t first;
  std::int64_t last;
  bool operator==(const NumberRange&) const = default;
};

class NumberSet {
 public:
  explicit NumberSet(std::pmr::memory_resource& memory) : ranges_(Ranges::allocator_type{&memory}) {}
  NumberSet(const NumberSet& other, std::pmr::memory_resource& memory)
      : ranges_(other.ranges_, Ranges::allocator_type{&memory}) {}
  NumberSet(const NumberSet&) = delete;
  NumberSet& operator=(const NumberSet&) = default;
  NumberSet(NumberSet&&) noexcept = default;
  NumberSet& operator=(NumberSet&&) noexcept = default;
  ~NumberSet() = default;

  [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
  [[nodiscard]] bool contains(std::int64_t number) const noexcept;
  // How many ranges the set takes: what it costs in memory.
  [[nodiscard]] std::size_t range_count() const noexcept { return ranges_.size(); }

  // The range that holds this number; if none does, the first one above it. O(log ranges).
  [[nodiscard]] std::optional<NumberRange> range_from(std::int64_t number) const noexcept;
  // Each range, as (first, last), ascending.
  template <class Visitor>
  void for_each(Visitor visit) const {
    for (const auto& [first, last] : ranges_) visit(first, last);
  }

  // What follows may throw std::bad_alloc, and then has changed nothing.
  void insert(std::int64_t number);  // O(log ranges)
  void erase(std::int64_t number);   // O(log ranges)
  // All of first ... last; none where first > last. O(log ranges), and what the ranges that end there take.
  void insert_range(std::int64_t first, std::int64_t last);
  void erase_range(std::int64_t first, std::int64_t last);
  void clear() noexcept { ranges_.clear(); }

 private:
  using Allocator = std::pmr::polymorphic_allocator<std::pair<const std::int64_t, std::int64_t>>;
  using Ranges = boost::container::map<std::int64_t, std::int64_t, std::less<>, Allocator>;

  Ranges ranges_;  // first number -> last number, both inclusive
};

}  // namespace chatopt::core
