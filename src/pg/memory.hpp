// A memory context as a std::pmr resource that throws and never jumps.
#pragma once

#include <memory_resource>
#include <new>

#include "pg/postgres.hpp"

namespace chatopt::pg {

class MemoryContextResource final : public std::pmr::memory_resource {
 public:
  explicit MemoryContextResource(MemoryContext context) noexcept : context_(context) {}

 private:
  // NO_OOM alone would still jump for a request over 1 GB; palloc aligns to
  // MAXIMUM_ALIGNOF, so a type that wants more is refused.
  void* do_allocate(std::size_t size, std::size_t alignment) override {
    if (alignment > MAXIMUM_ALIGNOF || size > MaxAllocHugeSize) throw std::bad_alloc();
    void* memory = MemoryContextAllocExtended(context_, size, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  }
  void do_deallocate(void* memory, std::size_t, std::size_t) override { pfree(memory); }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  MemoryContext context_;
};

}  // namespace chatopt::pg
