// A set that is being built: for aggregates, casts and text input. It may allocate and throw std::bad_alloc.
//
// Memory grows with what was put in, not with the universe: 2^31 members in one run take a few bytes, a set of slots
// 0 … 63 some 100 bytes in all. Allocation is by the given resource alone; the destructor only gives memory back, so
// that a builder in a memory context may also be forgotten with the context.
// After an exception the builder holds the set from before plus a part of what was being added; if it came out of
// intersect, some set to be cleared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "core/bitmap/format.hpp"

namespace chatopt::core {

class Builder {
 public:
  explicit Builder(std::pmr::memory_resource& memory) noexcept : keys_(&memory), slots_(&memory), full_(&memory) {}
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;
  ~Builder() { clear(); }

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

 private:
  friend class BuilderRuns;
  class ListedBounds;
  struct Bounds {  // of a run within a chunk
    std::uint16_t first;
    std::uint16_t last;
  };
  // The members of one chunk: runs while these are few, else bits. The bits are a window of the chunk's 8,192 bytes
  // that has a power of two for its size, and begins at a multiple of that.
  struct Chunk {
    enum class Kind : std::uint8_t { kNone, kRuns, kBits };
    void* data = nullptr;
    std::uint32_t size = 0;      // runs there are, or bytes
    std::uint32_t capacity = 0;  // runs or bytes there is room for
    std::uint16_t base = 0;      // bits: number of the first byte
    Kind kind = Kind::kNone;
    [[nodiscard]] Bounds* runs() const noexcept { return static_cast<Bounds*>(data); }
    [[nodiscard]] std::byte* bits() const noexcept { return static_cast<std::byte*>(data); }
  };

  [[nodiscard]] std::pmr::memory_resource& memory() const noexcept { return *keys_.get_allocator().resource(); }
  [[nodiscard]] std::size_t lower_key(std::uint32_t number) const noexcept;
  [[nodiscard]] bool is_full(std::uint32_t number) const noexcept;
  [[nodiscard]] static std::uint64_t chunk_cardinality(const Chunk& chunk) noexcept;
  Chunk& chunk(std::uint32_t number);
  void discard(Chunk& chunk) noexcept;
  void add(std::uint32_t number, std::uint32_t first, std::uint32_t last);
  void add_full(std::uint32_t first, std::uint32_t last);
  void add_to(Chunk& chunk, std::uint32_t first, std::uint32_t last);
  void add_run(Chunk& chunk, std::uint32_t first, std::uint32_t last);
  void grow_runs(Chunk& chunk, std::uint32_t capacity);
  void to_runs(Chunk& chunk);
  [[nodiscard]] bool to_bits(Chunk& chunk, std::uint32_t from, std::uint32_t to, std::size_t more_runs);
  void merge_block(std::uint32_t number, Form form, Bytes payload);
  void merge_bits(std::uint32_t number, std::uint32_t base, Bytes bits);
  void intersect_chunk(Chunk& chunk, Form form, Bytes payload);

  std::pmr::vector<std::uint32_t> keys_;  // chunk number << 16 | index into slots_, ascending
  std::pmr::vector<Chunk> slots_;
  std::pmr::vector<Run> full_;         // chunks, by number, that have all their members; their slots are empty
  std::uint32_t recent_ = UINT32_MAX;  // key of the chunk used last
  std::size_t allocated_ = 0;          // by slots
};

}  // namespace chatopt::core
