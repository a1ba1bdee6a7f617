// The memory of a test: counts what it gives, fails when told to, and gives back
// what is left when it ends, as a transaction's memory context does. Every block
// is the heap's own, so that AddressSanitizer sees a use after deallocate().
#pragma once

#include <cstddef>
#include <memory_resource>
#include <new>
#include <unordered_map>

#include <gtest/gtest.h>

namespace chatopt::test {

class Arena final : public std::pmr::memory_resource {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() override {
    for (const auto& block : blocks_) ::operator delete(block.first);
  }

  // The n-th allocation from now throws std::bad_alloc, once; 0: none does.
  void fail_at(std::size_t n) noexcept { fail_at_ = n == 0 ? 0 : allocations_ + n; }
  // Every n-th allocation throws; 0: none does.
  void fail_every(std::size_t n) noexcept { fail_every_ = n; }

  // While paused nothing fails or is counted: the test's own looks.
  void pause(bool paused) noexcept { paused_ = paused; }

  [[nodiscard]] std::size_t allocations() const noexcept { return allocations_; }
  [[nodiscard]] std::size_t live_blocks() const noexcept { return blocks_.size(); }

 private:
  void* do_allocate(std::size_t size, std::size_t alignment) override {
    if (!paused_) {
      ++allocations_;
      if (allocations_ == fail_at_ || (fail_every_ != 0 && allocations_ % fail_every_ == 0)) throw std::bad_alloc();
    }
    // palloc aligns to MAXIMUM_ALIGNOF, and the extension's resource refuses more.
    if (alignment > 8) {
      ADD_FAILURE() << "the core asks for memory aligned to " << alignment;
      throw std::bad_alloc();
    }
    void* block = ::operator new(size);
    blocks_.emplace(block, size);
    return block;
  }
  void do_deallocate(void* block, std::size_t size, std::size_t) override {
    const auto found = blocks_.find(block);
    if (found == blocks_.end()) {
      ADD_FAILURE() << "deallocated what this arena did not give";
      return;
    }
    EXPECT_EQ(found->second, size) << "deallocated with another size";
    blocks_.erase(found);
    ::operator delete(block);
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  bool paused_ = false;
  std::size_t allocations_ = 0;
  std::size_t fail_at_ = 0;
  std::size_t fail_every_ = 0;
  std::unordered_map<void*, std::size_t> blocks_;
};

}  // namespace chatopt::test
