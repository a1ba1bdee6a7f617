// A set that is being built: for aggregates, casts and text input. It may allocate and throw std::bad_alloc.
//
// Memory grows with what was put in, not with the universe: 2^31 members in one run take a few bytes, a set of slots
// 0 … 63 some 200 bytes in all. Allocation is by the given resource alone; the destructor only gives memory back, so
// that a builder in a memory context may also be forgotten with the context.
// After an exception the builder holds the set from before plus a part of what was being added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "core/bitmap/format.hpp"

namespace chatopt::core {

class Builder {
 public:
  explicit Builder(std::pmr::memory_resource& memory) noexcept;
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;
  ~Builder();

  // Members are <= kMaxMember, first <= last.
  void insert(Member member);
  void insert_range(Member first, Member last);
  void merge(Bytes set);      // adds the members of a valid encoding
  void intersect(Bytes set);  // keeps only the members that are in it
  void clear() noexcept;

  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] Count cardinality() const noexcept;
  // The canonical encoding, as often as wanted: write needs bound() bytes, and returns how many it took.
  [[nodiscard]] std::size_t bound() const noexcept;
  std::size_t write(std::byte* out) const noexcept;
  // Bytes allocated from the resource.
  [[nodiscard]] std::size_t memory_used() const noexcept;
};

}  // namespace chatopt::core
