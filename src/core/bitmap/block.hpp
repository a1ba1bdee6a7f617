// Blocks: what follows a format byte, and what a chunk's payload is. Choosing their form, and writing them.
// Internal to src/core/bitmap.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/bitmap/bytes.hpp"
#include "core/bitmap/format.hpp"
#include "core/bitmap/runs.hpp"

namespace chatopt::core {

// The dense form, taken apart.
struct Bits {  // 16 bytes, so that it travels in registers
  Bits() noexcept = default;
  Bits(std::uint32_t first_byte, const std::byte* bytes, std::uint32_t n) noexcept
      : data(bytes), base(first_byte), size(n) {}
  const std::byte* data = nullptr;
  std::uint32_t base = 0;  // member / 8 of the first byte
  std::uint32_t size = 0;  // bytes
  [[nodiscard]] std::uint32_t end() const noexcept { return base + size; }
};
[[nodiscard]] inline Bits bits_of(Bytes payload) noexcept {
  const std::byte* at = payload.data();
  const std::uint32_t base = bytes::get_varint(at);
  return {base, at, static_cast<std::uint32_t>(payload.data() + payload.size() - at)};
}
[[nodiscard]] inline Run run_of(Bytes payload) noexcept {
  const std::byte* at = payload.data();
  const std::uint32_t first = bytes::get_varint(at);
  return {first, first + bytes::get_varint(at)};
}

struct Choice {
  Form form = Form::kEmpty;
  std::size_t size = 0;  // of the block
  std::uint64_t cardinality = 0;
};

// What decides the form of a set, gathered from its maximal runs in ascending order.
class Shape {
 public:
  void add(Run run) noexcept {
    const std::uint32_t length = run.last - run.first;  // less 1
    if (runs_ == 0) {
      first_ = run.first;
      members_size_ = bytes::varint_size(run.first) + length;
      runs_size_ = bytes::varint_size(run.first) + bytes::varint_size(length);
    } else {
      members_size_ += bytes::varint_size(run.first - last_ - 1) + length;
      runs_size_ += bytes::varint_size(run.first - last_ - 2) + bytes::varint_size(length);
    }
    last_ = run.last;
    cardinality_ += length + std::uint64_t{1};
    ++runs_;
  }
  [[nodiscard]] Choice choice() const noexcept {
    if (runs_ == 0) return {};
    Choice best{Form::kBits, bits_size(), cardinality_};
    if (runs_ == 1 && runs_size_ <= best.size) best = {Form::kRun, runs_size_, cardinality_};
    if (members_size_ < best.size) best = {Form::kMembers, members_size_, cardinality_};
    if (runs_ > 1 && runs_size_ < best.size) best = {Form::kRuns, runs_size_, cardinality_};
    return best;
  }
  // Can the block, with what may still be added, take more than this only? (No size shrinks by adding.)
  [[nodiscard]] bool exceeds(std::size_t size) const noexcept { return sparse_exceeds(size) && bits_size() > size; }
  // The same for the two sparse forms alone.
  [[nodiscard]] bool sparse_exceeds(std::size_t size) const noexcept {
    return members_size_ > size && runs_size_ > size;
  }
  [[nodiscard]] std::uint64_t runs() const noexcept { return runs_; }

 private:
  [[nodiscard]] std::size_t bits_size() const noexcept {
    return bytes::varint_size(first_ / 8) + last_ / 8 - first_ / 8 + 1;
  }

  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
  std::uint64_t cardinality_ = 0;
  std::uint64_t runs_ = 0;
  std::uint64_t members_size_ = 0;
  std::uint64_t runs_size_ = 0;
};

// A list of runs, read as BlockRuns are.
class ListedRuns {
 public:
  ListedRuns(const Run* from, const Run* to) noexcept : at_(from), end_(to) {}
  bool next(Run& run) noexcept {
    if (at_ == end_) return false;
    run = *at_++;
    return true;
  }

 private:
  const Run* at_;
  const Run* end_;
};

template <class Runs>
[[nodiscard]] Choice choice_of(Runs runs) noexcept {
  Shape shape;
  for (Run run; runs.next(run);) shape.add(run);
  return shape.choice();
}

// Writes the block of these runs in a form that can say them; returns its end. Runs has bool next(Run&).
template <class Runs>
std::byte* write_block(Choice choice, Runs runs, std::byte* out) noexcept {
  Run run;
  if (choice.form == Form::kEmpty || !runs.next(run)) return out;
  if (choice.form == Form::kBits) {
    const std::uint32_t base = run.first / 8;
    std::byte* const end = out + choice.size;
    out = bytes::put_varint(out, base);
    std::memset(out, 0, static_cast<std::size_t>(end - out));
    do {
      bytes::change_bits<bytes::Change::kSet>(out, run.first - std::size_t{base} * 8, run.last - std::size_t{base} * 8);
    } while (runs.next(run));
    return end;
  }
  out = bytes::put_varint(out, run.first);
  if (choice.form == Form::kMembers) {
    for (std::uint32_t expected = run.first;; out = bytes::put_varint(out, run.first - expected)) {
      std::memset(out, 0, run.last - run.first);
      out += run.last - run.first;
      expected = run.last + 1;
      if (!runs.next(run)) return out;
    }
  }
  out = bytes::put_varint(out, run.last - run.first);
  for (std::uint32_t last = run.last; runs.next(run); last = run.last) {
    out = bytes::put_varint(out, run.first - last - 2);
    out = bytes::put_varint(out, run.last - run.first);
  }
  return out;
}

// The form of the set whose bits these are. The first and the last byte are not zero. Looks at runs only where
// counting them does not decide.
[[nodiscard]] Choice choose_bits(Bits bits) noexcept;
[[nodiscard]] Choice choose_bits(Bits bits, std::uint64_t cardinality) noexcept;  // where it is known
// Writes those bits in that form; out may be where they are already, as the end of a dense block.
std::byte* write_bits(Choice choice, Bits bits, std::byte* out) noexcept;
// Takes zero bytes off both ends; size 0 when nothing is left.
[[nodiscard]] Bits trimmed(Bits bits) noexcept;

[[nodiscard]] std::uint64_t block_cardinality(Form form, Bytes payload) noexcept;
[[nodiscard]] std::uint64_t block_rank(Form form, Bytes payload, Member upto) noexcept;
[[nodiscard]] bool block_contains(Form form, Bytes payload, Member member) noexcept;
[[nodiscard]] Member block_min(Form form, Bytes payload) noexcept;  // of a block that is not empty
[[nodiscard]] Member block_max(Form form, Bytes payload) noexcept;
// No fewer than the block's runs. O(1).
[[nodiscard]] inline std::size_t runs_at_most(Form form, std::size_t size) noexcept {
  switch (form) {
    case Form::kEmpty:
      return 0;
    case Form::kRun:
      return 1;
    case Form::kBits:
      return size * 4;
    case Form::kRuns:
      return size / 2;
    default:
      return size;
  }
}

// Is the whole set's block short enough to be flat? Then choice is the block's.
template <class Runs>
[[nodiscard]] bool is_flat(Runs runs, Choice& choice) noexcept {
  Shape shape;
  for (Run run; runs.next(run);) {
    shape.add(run);
    if (shape.exceeds(kMaxFlatPayload)) return false;
  }
  choice = shape.choice();
  return choice.size <= kMaxFlatPayload;
}

[[nodiscard]] constexpr std::byte format_byte(Form form) noexcept {
  return static_cast<std::byte>(kGeneration << 4 | static_cast<unsigned>(form));
}
[[nodiscard]] inline Form form_of(Bytes set) noexcept {
  return static_cast<Form>(std::to_integer<unsigned>(set[0]) & 0x0F);
}

}  // namespace chatopt::core
