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
    members_[n] = 0;
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
  Member members_[kBatch + 1];  // one more may be read
};

// Writes a block in the members form, with room for four bytes beyond what it takes.
class MemberWriter {
 public:
  explicit MemberWriter(std::byte* out) noexcept : begin_(out), at_(out) {}
  // The member is in the set if kept is 1; where it is 0, that costs no branch.
  [[gnu::always_inline]] void add(Member member, std::uint32_t kept) noexcept {
    const std::uint32_t gap = member - next_;
    if (gap < 0x80) {
      *at_ = static_cast<std::byte>(gap);
      at_ += kept;
    } else if (kept != 0) {
      at_ = bytes::put_varint(at_, gap);
    }
    runs_ += kept & (gap != 0 ? 1U : 0U);
    members_ += kept;
    next_ += (gap + 1) & (0 - kept);
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

// Goes through what two batches have there. Which of two members is passed is made of differences, as compilers turn
// comparisons into branches, half of which are mispredicted; what follows a member is read before it is known to be.
class Heads {
 public:
  Heads(const MemberBatches& left, const MemberBatches& right) noexcept
      : in_a_(left.begin()), in_b_(right.begin()), a_(*in_a_), b_(*in_b_), end_a_(left.end()), end_b_(right.end()) {}
  [[nodiscard]] bool more() const noexcept { return in_a_ != end_a_ && in_b_ != end_b_; }
  [[nodiscard]] const Member* in_a() const noexcept { return in_a_; }
  [[nodiscard]] const Member* in_b() const noexcept { return in_b_; }

  struct Step {
    Member member;    // the lower
    std::uint32_t a;  // 1 where a has it, else 0
    std::uint32_t b;
  };
  // Passes the lower, or both where they are the same.
  [[gnu::always_inline]] Step step() noexcept {
    const std::int64_t difference = std::int64_t{a_} - std::int64_t{b_};
    const std::int64_t only_a = difference >> 63;  // all bits or none
    const std::int64_t only_b = (std::int64_t{b_} - std::int64_t{a_}) >> 63;
    const auto has_a = ~static_cast<std::uint32_t>(only_b);
    const auto has_b = ~static_cast<std::uint32_t>(only_a);
    const Step result{(a_ & has_a) | (b_ & ~has_a), has_a & 1, has_b & 1};
    a_ ^= (a_ ^ in_a_[1]) & has_a;
    b_ ^= (b_ ^ in_b_[1]) & has_b;
    in_a_ += 1 + only_b;
    in_b_ += 1 + only_a;
    return result;
  }

 private:
  const Member* in_a_;
  const Member* in_b_;
  Member a_;
  Member b_;
  const Member* end_a_;
  const Member* end_b_;
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
    Heads heads(left, right);
    while (heads.more()) {
      const Heads::Step step = heads.step();
      std::uint32_t kept = 1;
      if constexpr (!keeps_both && keeps_b) kept = step.a ^ step.b;
      if constexpr (keeps_both && !keeps_a) kept = step.a & step.b;
      if constexpr (keeps_a && !keeps_b) kept = step.b ^ 1;
      writer.add(step.member, kept);
    }
    left.pass(heads.in_a());
    right.pass(heads.in_b());
  }
  if constexpr (keeps_a)
    for (; !left.done(); left.pass(left.end()))
      for (const Member* member = left.begin(); member != left.end(); ++member) writer.add(*member, 1);
  if constexpr (keeps_b)
    for (; !right.done(); right.pass(right.end()))
      for (const Member* member = right.begin(); member != right.end(); ++member) writer.add(*member, 1);
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
    Heads heads(left, right);
    std::uint64_t members = 0;
    while (heads.more()) {
      const Heads::Step step = heads.step();
      members += step.a & step.b;
    }
    result.members += members;
    result.passed += static_cast<std::uint64_t>(heads.in_b() - right.begin());
    left.pass(heads.in_a());
    right.pass(heads.in_b());
  }
  result.all = right.done();
  return result;
}

}  // namespace chatopt::core
