// A set of message numbers kept as disjoint, non-adjacent ranges.
//
// Deleting messages in order, the ordinary case, costs one range however many
// there are; the worst case is one range a number. Not thread-safe, no I/O.
#pragma once

#include <cstdint>
#include <memory_resource>

#include <boost/container/map.hpp>

namespace chatopt::core {

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

  void insert(std::int64_t number);  // O(log ranges); may throw std::bad_alloc
  void erase(std::int64_t number);   // O(log ranges); may throw std::bad_alloc
  void clear() noexcept { ranges_.clear(); }

 private:
  using Allocator = std::pmr::polymorphic_allocator<std::pair<const std::int64_t, std::int64_t>>;
  using Ranges = boost::container::map<std::int64_t, std::int64_t, std::less<>, Allocator>;
  Ranges ranges_;  // first number -> last number, both inclusive
};

}  // namespace chatopt::core
