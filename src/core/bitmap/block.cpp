#include "core/bitmap/block.hpp"

#include "core/bitmap/kernels.hpp"

namespace chatopt::core {

Choice choose_bits(Bits bits) noexcept {
  if (bits.size > 8) return choose_bits(bits, kernels::table().count(bits.data, bits.size));
  return choose_bits(bits, bytes::count_ones(bytes::load_word(bits.data, bits.size)));
}

Choice choose_bits(Bits bits, std::uint64_t cardinality) noexcept {
  const Choice dense{Form::kBits, bytes::varint_size(bits.base) + bits.size, cardinality};
  // A run takes two bytes and more, a member one and more.
  const std::uint64_t enough = (dense.size + 1) / 2;
  if (cardinality >= dense.size && enough > 1) {
    std::uint64_t runs;
    if (bits.size > 8) {
      runs = kernels::table().count_runs(bits.data, bits.size, enough);
    } else {
      const std::uint64_t word = bytes::load_word(bits.data, bits.size);
      runs = bytes::count_ones(word & ~(word << 1));
    }
    if (runs >= enough) return dense;
  }
  Shape shape;
  BlockRuns runs(bits.base, {bits.data, bits.size});
  for (Run run; runs.next(run);) {
    shape.add(run);
    if (shape.runs() > 1 && shape.sparse_exceeds(dense.size)) return dense;
  }
  return shape.choice();
}

std::byte* write_bits(Choice choice, Bits bits, std::byte* out) noexcept {
  if (choice.form != Form::kBits) return write_block(choice, BlockRuns(bits.base, {bits.data, bits.size}), out);
  out = bytes::put_varint(out, bits.base);
  if (out != bits.data) std::memcpy(out, bits.data, bits.size);
  return out + bits.size;
}

Bits trimmed(Bits bits) noexcept {
  const std::byte* from = bits.data;
  const std::byte* to = bits.data + bits.size;
  while (to - from >= 8 && bytes::load<std::uint64_t>(to - 8) == 0) to -= 8;
  while (to != from && to[-1] == std::byte{0}) --to;
  while (to - from >= 8 && bytes::load<std::uint64_t>(from) == 0) from += 8;
  while (to != from && *from == std::byte{0}) ++from;
  return {bits.base + static_cast<std::uint32_t>(from - bits.data), from, static_cast<std::uint32_t>(to - from)};
}

std::uint64_t block_cardinality(Form form, Bytes payload) noexcept {
  switch (form) {
    case Form::kEmpty:
      return 0;
    case Form::kRun: {
      const Run run = run_of(payload);
      return std::uint64_t{run.last} - run.first + 1;
    }
    case Form::kBits: {
      const Bits bits = bits_of(payload);
      return kernels::table().count(bits.data, bits.size);
    }
    case Form::kMembers: {
      // A member for every byte that ends a number.
      std::uint64_t result = 0;
      for (const std::byte part : payload) result += std::to_integer<unsigned>(part) < 0x80 ? 1 : 0;
      return result;
    }
    default: {
      std::uint64_t result = 0;
      BlockRuns runs(form, payload);
      for (Run run; runs.next(run);) result += std::uint64_t{run.last} - run.first + 1;
      return result;
    }
  }
}

std::uint64_t block_rank(Form form, Bytes payload, Member upto) noexcept {
  if (form == Form::kBits) {
    const Bits bits = bits_of(payload);
    if (upto / 8 < bits.base) return 0;
    if (upto / 8 >= bits.end()) return kernels::table().count(bits.data, bits.size);
    const std::uint32_t whole = upto / 8 - bits.base;
    const auto part = std::to_integer<unsigned>(bits.data[whole]) & (0xFFU >> (7 - upto % 8));
    return kernels::table().count(bits.data, whole) + static_cast<unsigned>(std::popcount(part));
  }
  std::uint64_t result = 0;
  BlockRuns runs(form, payload);
  for (Run run; runs.next(run) && run.first <= upto;) result += std::uint64_t{std::min(run.last, upto)} - run.first + 1;
  return result;
}

bool block_contains(Form form, Bytes payload, Member member) noexcept {
  if (form == Form::kBits) {
    const Bits bits = bits_of(payload);
    const std::uint32_t at = member / 8;
    if (at < bits.base || at >= bits.end()) return false;
    return (std::to_integer<unsigned>(bits.data[at - bits.base]) >> (member % 8) & 1U) != 0;
  }
  BlockRuns runs(form, payload);
  for (Run run; runs.next(run) && run.first <= member;)
    if (member <= run.last) return true;
  return false;
}

Member block_min(Form form, Bytes payload) noexcept {
  if (form == Form::kBits) {
    const Bits bits = bits_of(payload);
    return bits.base * 8 + static_cast<Member>(std::countr_zero(std::to_integer<unsigned>(bits.data[0])));
  }
  const std::byte* at = payload.data();
  return bytes::get_varint(at);
}

Member block_max(Form form, Bytes payload) noexcept {
  if (form == Form::kBits) {
    const Bits bits = bits_of(payload);
    return (bits.end() - 1) * 8 + static_cast<Member>(std::bit_width(std::to_integer<unsigned>(payload.back()))) - 1;
  }
  BlockRuns runs(form, payload);
  Run run{0, 0};
  while (runs.next(run)) {
  }
  return run.last;
}

}  // namespace chatopt::core
