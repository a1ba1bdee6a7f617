// The members form, member by member: reading it in batches, and merging two of them without a branch that depends on
// which is the lower. Internal to src/core/bitmap.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/bitmap/bytes.hpp"
#include "core/bitmap/format.hpp"
#include "core/bitmap/sweep.hpp"

namespace chatopt::core {

// The members of a block in this form, some at a time.
class MemberBatches {
 public:
  explicit MemberBatches(Bytes payload) noexcept : from_(payload.data()), end_(payload.data() + payload.size()) {
    refill();
  }
  [[nodiscard]] bool done() const noexcept { return at_ == size_ && from_ == end_; }
  // What is there now: not empty, unless done.
  [[nodiscard]] const Member* begin() const noexcept { return members_ + at_; }
  [[nodiscard]] const Member* end() const noexcept { return members_ + size_; }
  // All before this one are done with.
  void pass(const Member* next) noexcept {
    at_ = static_cast<std::size_t>(next - members_);
    if (at_ == size_) refill();
  }

 private:
  void refill() noexcept {
    std::size_t n = 0;
    std::uint32_t next = next_;
    const std::byte* from = from_;
    while (from != end_ && n <= kBatch - 8) {
      if (end_ - from >= 8 && (bytes::load<std::uint64_t>(from) & 0x8080808080808080U) == 0) {
        for (int i = 0; i < 8; ++i) {
          next += std::to_integer<std::uint32_t>(*from++);
          members_[n++] = next++;
        }
      } else {
        next += bytes::get_varint(from);
        members_[n++] = next++;
      }
    }
    from_ = from;
    next_ = next;
    at_ = 0;
    size_ = n;
  }

  static constexpr std::size_t kBatch = 256;
  const std::byte* from_;
  const std::byte* end_;
  std::uint32_t next_ = 0;  // the lowest that may come
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  Member members_[kBatch];
};

// Writes a block in the members form, with room for four bytes beyond what it takes.
class MemberWriter {
 public:
  explicit MemberWriter(std::byte* out) noexcept : begin_(out), at_(out) {}
  // The member is in the set if it is kept, which costs no branch.
  [[gnu::always_inline]] void add(Member member, bool kept) noexcept {
    const std::uint32_t gap = member - next_;
    if (gap < 0x80) {
      *at_ = static_cast<std::byte>(gap);
      at_ += kept ? 1 : 0;
    } else if (kept) {
      at_ = bytes::put_varint(at_, gap);
    }
    runs_ += kept && gap != 0 ? 1U : 0U;
    members_ += kept ? 1U : 0U;
    next_ = kept ? member + 1 : next_;
  }
  [[nodiscard]] Bytes written() const noexcept { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }
  [[nodiscard]] std::uint32_t members() const noexcept { return members_; }
  [[nodiscard]] std::uint32_t runs() const noexcept {
    return runs_ + (at_ != begin_ && *begin_ == std::byte{0} ? 1U : 0U);  // one that begins with 0 was not counted
  }
  [[nodiscard]] Member last() const noexcept { return next_ - 1; }

 private:
  std::byte* begin_;
  std::byte* at_;
  std::uint32_t next_ = 0;
  std::uint32_t members_ = 0;
  std::uint32_t runs_ = 0;
};

template <SetOperation operation>
[[gnu::noinline]] inline void merge_members(Bytes a, Bytes b, MemberWriter& out) noexcept {
  constexpr bool keeps_a = holds(operation, true, false);
  constexpr bool keeps_b = holds(operation, false, true);
  constexpr bool keeps_both = holds(operation, true, true);
  MemberWriter writer = out;
  MemberBatches left(a);
  MemberBatches right(b);
  while (!left.done() && !right.done()) {
    const Member* in_a = left.begin();
    const Member* in_b = right.begin();
    const Member* const end_a = left.end();
    const Member* const end_b = right.end();
    while (in_a != end_a && in_b != end_b) {
      const Member from_a = *in_a;
      const Member from_b = *in_b;
      const bool passes_a = from_a <= from_b;
      const bool passes_b = from_b <= from_a;
      in_a += passes_a ? 1 : 0;
      in_b += passes_b ? 1 : 0;
      const bool kept =
          (keeps_a & passes_a & !passes_b) | (keeps_b & passes_b & !passes_a) | (keeps_both & passes_a & passes_b);
      writer.add(passes_a ? from_a : from_b, kept);
    }
    left.pass(in_a);
    right.pass(in_b);
  }
  if constexpr (keeps_a)
    for (; !left.done(); left.pass(left.end()))
      for (const Member* member = left.begin(); member != left.end(); ++member) writer.add(*member, true);
  if constexpr (keeps_b)
    for (; !right.done(); right.pass(right.end()))
      for (const Member* member = right.begin(); member != right.end(); ++member) writer.add(*member, true);
  out = writer;
}

struct Shared {
  std::uint64_t members = 0;  // that both have
  std::uint64_t passed = 0;   // members of b that were looked at
  bool all = false;           // are these all of b's?
};
// Stops between batches where enough(so far) says so.
template <class Enough>
Shared shared_members(Bytes a, Bytes b, Enough enough) noexcept {
  Shared result;
  MemberBatches left(a);
  MemberBatches right(b);
  while (!left.done() && !right.done() && !enough(result)) {
    const Member* in_a = left.begin();
    const Member* in_b = right.begin();
    const Member* const end_a = left.end();
    const Member* const end_b = right.end();
    std::uint64_t members = 0;
    while (in_a != end_a && in_b != end_b) {
      const Member from_a = *in_a;
      const Member from_b = *in_b;
      in_a += from_a <= from_b ? 1 : 0;
      in_b += from_b <= from_a ? 1 : 0;
      members += from_a == from_b ? 1 : 0;
    }
    result.members += members;
    result.passed += static_cast<std::uint64_t>(in_b - right.begin());
    left.pass(in_a);
    right.pass(in_b);
  }
  result.all = right.done();
  return result;
}

}  // namespace chatopt::core
