// Set algebra on encodings. Sparse operands are swept run by run, dense ones combined byte by byte.
#include <algorithm>
#include <bit>
#include <cstring>

#include "core/bitmap/bitmap.hpp"
#include "core/bitmap/block.hpp"
#include "core/bitmap/chunks.hpp"
#include "core/bitmap/kernels.hpp"
#include "core/bitmap/members.hpp"
#include "core/bitmap/sweep.hpp"

namespace chatopt::core {

namespace {

using Block = ChunkCursor::Block;

constexpr bool keeps_a(SetOperation operation) noexcept { return holds(operation, true, false); }
constexpr bool keeps_b(SetOperation operation) noexcept { return holds(operation, false, true); }

// Where the result's bytes may be: base and size only.
Bits window(SetOperation operation, Bits a, Bits b) noexcept {
  std::uint32_t low = std::min(a.base, b.base);
  std::uint32_t high = std::max(a.end(), b.end());
  if (operation == SetOperation::kIntersection) {
    low = std::max(a.base, b.base);
    high = std::max(low, std::min(a.end(), b.end()));
  }
  if (operation == SetOperation::kDifference) return {a.base, nullptr, a.size};
  return {low, nullptr, high - low};
}

// Bytes low … high - 1 of a dense block to out, which is moved on; how many members they have.
std::uint64_t copy_part(Bits from, std::uint32_t low, std::uint32_t high, std::byte*& out) noexcept {
  if (low >= high) return 0;
  const std::uint32_t size = high - low;
  std::memcpy(out, from.data + (low - from.base), size);
  out += size;
  return kernels::table().count(from.data + (low - from.base), size);
}

// Combines into the window's bytes at out, which may overlap neither; how many members there are.
std::uint64_t combine(SetOperation operation, Bits a, Bits b, std::byte* out) noexcept {
  const kernels::Table& kernel = kernels::table();
  const std::uint32_t low = std::max(a.base, b.base);
  const std::uint32_t high = std::min(a.end(), b.end());
  const std::uint32_t size = high - low;
  const bool both = low < high;
  if (operation == SetOperation::kIntersection)
    return both ? kernel.intersect(out, a.data + (low - a.base), b.data + (low - b.base), size) : 0;
  if (operation == SetOperation::kDifference) {
    if (!both) return copy_part(a, a.base, a.end(), out);
    std::uint64_t result = copy_part(a, a.base, low, out);
    result += kernel.subtract(out, a.data + (low - a.base), b.data + (low - b.base), size);
    out += size;
    return result + copy_part(a, high, a.end(), out);
  }
  const Bits lower = a.base < b.base ? a : b;
  const Bits upper = a.base < b.base ? b : a;
  if (!both) {
    const std::uint64_t result = copy_part(lower, lower.base, lower.end(), out);
    std::memset(out, 0, upper.base - lower.end());
    out += upper.base - lower.end();
    return result + copy_part(upper, upper.base, upper.end(), out);
  }
  std::uint64_t result = copy_part(lower, lower.base, low, out);
  const auto combined = operation == SetOperation::kUnion ? kernel.unite : kernel.flip;
  result += combined(out, a.data + (low - a.base), b.data + (low - b.base), size);
  out += size;
  return result + copy_part(a.end() > high ? a : b, high, std::max(a.end(), b.end()), out);
}

// The block's bits: where they are, or drawn into room, which holds a chunk's (or the run's).
Bits dense(const Block& block, std::byte* room) noexcept {
  if (block.form == Form::kBits) return bits_of(block.payload);
  Bits result{0, room, kChunkBytes};
  if (block.form == Form::kRun) {
    const Run run = run_of(block.payload);
    result.base = run.first / 8;
    result.size = run.last / 8 - result.base + 1;
  }
  std::memset(room, 0, result.size);
  if (block.form == Form::kMembers) {
    for (MemberBatches members(block.payload); !members.done(); members.pass(members.end()))
      for (const Member* member = members.begin(); member != members.end(); ++member)
        room[*member / 8] |= static_cast<std::byte>(1U << (*member % 8));
    return result;
  }
  BlockRuns runs(block.form, block.payload);
  const std::uint32_t start = result.base * 8;
  for (Run run; runs.next(run);) bytes::change_bits<bytes::Change::kSet>(room, run.first - start, run.last - start);
  return result;
}

// Combines dense blocks; out has room for the window as a dense block. Room for the sizes in bytes of a chunk, or of
// kMaxFlatPayload, is on the stack.
template <std::size_t room>
Choice combine_dense(SetOperation operation, const Block& a, const Block& b, std::byte* out) noexcept {
  std::byte drawn_a[room];
  std::byte drawn_b[room];
  const Bits left = dense(a, drawn_a);
  const Bits right = dense(b, drawn_b);
  Bits result = window(operation, left, right);
  // Where they belong if nothing has to be taken off, and the dense form is the one. A drawn operand may have made
  // the window larger than the result's bound.
  const bool in_place = a.form == Form::kBits && b.form == Form::kBits;
  std::byte combined[room];
  std::byte* const target = in_place ? out + bytes::varint_size(result.base) : combined;
  const std::uint64_t cardinality = combine(operation, left, right, target);
  if (cardinality == 0) return {};
  result.data = target;
  result = trimmed(result);
  const Choice choice = choose_bits(result, cardinality);
  if (in_place && (choice.form != Form::kBits || result.data != out + bytes::varint_size(result.base))) {
    std::memcpy(combined, result.data, result.size);
    result.data = combined;
  }
  write_bits(choice, result, out);
  return choice;
}

// Two blocks in the members form.

MemberWriter merged(SetOperation operation, Bytes a, Bytes b, std::byte* out) noexcept {
  MemberWriter writer(out);
  switch (operation) {
    case SetOperation::kUnion:
      merge_members<SetOperation::kUnion>(a, b, writer);
      break;
    case SetOperation::kIntersection:
      merge_members<SetOperation::kIntersection>(a, b, writer);
      break;
    case SetOperation::kDifference:
      merge_members<SetOperation::kDifference>(a, b, writer);
      break;
    default:
      merge_members<SetOperation::kSymmetricDifference>(a, b, writer);
  }
  return writer;
}

// The form of a set that is written in the members form: so many, in so many runs.
Choice choose_members(Bytes block, Member last, std::uint64_t members, std::uint64_t runs) noexcept {
  if (members == 0) return {};
  const Member first = block_min(Form::kMembers, block);
  const std::size_t dense = bytes::varint_size(first / 8) + last / 8 - first / 8 + 1;
  // A run takes two bytes and more.
  if (runs > 1 && block.size() < dense && block.size() <= 2 * runs) return {Form::kMembers, block.size(), members};
  return choice_of(BlockRuns(Form::kMembers, block));
}

void write_members(Choice choice, Bytes block, std::byte* out) noexcept {
  if (choice.form == Form::kMembers)
    std::memcpy(out, block.data(), block.size());
  else
    write_block(choice, BlockRuns(Form::kMembers, block), out);
}

constexpr std::size_t kMostMerged = 8192;  // bytes of both; beyond, what is added up is drawn faster

Choice merge_chunk(SetOperation operation, Bytes a, Bytes b, std::byte* out) noexcept {
  std::byte room[2 * kMaxBlockSize + 8];
  const MemberWriter result = merged(operation, a, b, room);
  const Choice choice = choose_members(result.written(), result.last(), result.members(), result.runs());
  write_members(choice, result.written(), out);
  return choice;
}

std::size_t merge_flat(SetOperation operation, Bytes a, Bytes b, std::byte* out) noexcept {
  std::byte room[2 * kMaxFlatPayload + 8];
  const MemberWriter result = merged(operation, a, b, room);
  Bytes block = result.written();
  const Choice choice = choose_members(block, result.last(), result.members(), result.runs());
  if (choice.size <= kMaxFlatPayload) {
    out[0] = format_byte(choice.form);
    write_members(choice, block, out + 1);
    return 1 + choice.size;
  }
  const Member first = block_min(Form::kMembers, block);
  const std::uint32_t number = first / kChunkMembers;
  if (number == result.last() / kChunkMembers) {
    // One chunk: only the first number is another.
    const std::size_t skipped = bytes::varint_size(first) - bytes::varint_size(first % kChunkMembers);
    bytes::put_varint(room + skipped, first % kChunkMembers);
    block = block.subspan(skipped);
    ChunkWriter writer(out, 1);
    const Choice chunk = choose_members(block, result.last() % kChunkMembers, result.members(), result.runs());
    write_members(chunk, block, writer.next());
    writer.add(number, chunk);
    return writer.finish();
  }
  Run listed[2 * kMaxFlatPayload + 1];
  Run* end = listed;
  for (BlockRuns runs(Form::kMembers, block); runs.next(*end);) ++end;
  return write_listed(listed, end, out);
}

// Beyond this many runs bytes are faster.
constexpr std::size_t kMostSwept = 512;
constexpr std::size_t kMostSweptOfBits = 64;

// The combination of two blocks of a chunk, written to out.
Choice combine_chunk(SetOperation operation, const Block& a, const Block& b, std::byte* out) noexcept {
  if (a.form == Form::kMembers && b.form == Form::kMembers) {
    const bool adds = operation == SetOperation::kUnion || operation == SetOperation::kSymmetricDifference;
    if (!adds || a.payload.size() + b.payload.size() <= kMostMerged)
      return merge_chunk(operation, a.payload, b.payload, out);
  }
  const std::size_t runs = runs_at_most(a.form, a.payload.size()) + runs_at_most(b.form, b.payload.size());
  const bool both_dense = a.form == Form::kBits && b.form == Form::kBits;
  if (runs > (both_dense ? kMostSweptOfBits : kMostSwept)) return combine_dense<kChunkBytes>(operation, a, b, out);
  Run swept[kMostSwept];
  Run* end = swept;
  sweep(operation, BlockRuns(a.form, a.payload), BlockRuns(b.form, b.payload), [&end](Run run) {
    *end++ = run;
    return true;
  });
  const Choice choice = choice_of(ListedRuns(swept, end));
  write_block(choice, ListedRuns(swept, end), out);
  return choice;
}

std::size_t copied(Bytes set, std::byte* out) noexcept {
  std::memcpy(out, set.data(), set.size());
  return set.size();
}

// First and last byte of a block that is dense or a run.
Bits extent(const Block& block) noexcept {
  if (block.form == Form::kBits) return bits_of(block.payload);
  const Run run = run_of(block.payload);
  return {run.first / 8, nullptr, run.last / 8 - run.first / 8 + 1};
}

// Groups: sets whose members are within 64 of each other, combined in a register.

std::uint32_t first_byte(const Block& block) noexcept {
  const std::byte* at = block.payload.data();
  const std::uint32_t first = bytes::get_varint(at);
  return block.form == Form::kBits ? first : first / 8;
}

// The members as bits, from 8 * base on; false when there are others.
bool word_of(Form form, Bytes payload, std::uint32_t base, std::uint64_t& word) noexcept {
  if (form == Form::kBits) {
    const Bits bits = bits_of(payload);
    if (bits.base < base || bits.end() > base + 8) return false;
    word = bytes::load_word(bits.data, bits.size) << 8 * (bits.base - base);
    return true;
  }
  if (payload.size() > 16) return false;
  word = 0;
  const std::uint32_t start = base * 8;
  BlockRuns runs(form, payload);
  for (Run run; runs.next(run);) {
    if (run.first < start || run.last - start >= 64) return false;
    word |= (~std::uint64_t{0} >> (63 - (run.last - run.first))) << (run.first - start);
  }
  return true;
}

Choice write_word(std::uint64_t word, std::uint32_t base, std::byte* out) noexcept {
  if (word == 0) return {};
  const auto skipped = static_cast<std::uint32_t>(std::countr_zero(word)) / 8;
  word >>= 8 * skipped;
  base += skipped;
  const auto size = static_cast<std::uint32_t>(std::bit_width(word) + 7) / 8;
  std::byte bits[8];
  bytes::store(bits, word);
  const Choice choice = choose_bits({base, bits, size});
  write_bits(choice, {base, bits, size}, out);
  return choice;
}

bool apply_words(SetOperation operation, const Block& a, const Block& b, std::byte* out, std::size_t& size) noexcept {
  const std::uint32_t base = std::min(first_byte(a), first_byte(b));
  std::uint64_t left;
  std::uint64_t right;
  if (!word_of(a.form, a.payload, base, left) || !word_of(b.form, b.payload, base, right)) return false;
  std::uint64_t result = left ^ right;
  if (operation == SetOperation::kUnion) result = left | right;
  if (operation == SetOperation::kIntersection) result = left & right;
  if (operation == SetOperation::kDifference) result = left & ~right;
  const Choice choice = write_word(result, base, out + 1);
  *out = format_byte(choice.form);
  size = 1 + choice.size;
  return true;
}

constexpr std::uint32_t kMostFlatBytes = kMaxFlatPayload - 4;  // with the longest base

std::size_t apply_flat(SetOperation operation, Bytes a, Bytes b, std::byte* out) noexcept {
  const Block left{form_of(a), a.subspan(1), 0};
  const Block right{form_of(b), b.subspan(1), 0};
  std::size_t size;
  if (apply_words(operation, left, right, out, size)) return size;
  if (left.form == Form::kMembers && right.form == Form::kMembers)
    return merge_flat(operation, left.payload, right.payload, out);
  const auto dense_or_run = [](Form form) { return form == Form::kBits || form == Form::kRun; };
  if (dense_or_run(left.form) && dense_or_run(right.form) && (left.form == Form::kBits || right.form == Form::kBits)) {
    const Bits from = extent(left);
    const Bits to = extent(right);
    const std::uint32_t span = std::max(from.end(), to.end()) - std::min(from.base, to.base);
    if (span <= kMostFlatBytes) {
      const Choice choice = combine_dense<kMaxFlatPayload>(operation, left, right, out + 1);
      out[0] = format_byte(choice.form);
      return 1 + choice.size;
    }
  }
  Run swept[kMaxFlatPayload * 8];
  Run* end = swept;
  sweep(operation, BlockRuns(left.form, left.payload), BlockRuns(right.form, right.payload), [&end](Run run) {
    *end++ = run;
    return true;
  });
  return write_listed(swept, end, out);
}

// Two flat dense sets near each other, as groups are: most often the result is dense too.

// The n bytes at the end of a set, 1 … 8 of them, as a number.
[[gnu::always_inline]] inline std::uint64_t last_bytes(Bytes set, std::size_t n) noexcept {
  const std::byte* const end = set.data() + set.size();
  if (set.size() >= 8) return bytes::load<std::uint64_t>(end - 8) >> 8 * (8 - n);
  return bytes::load_some(end - n, n);
}

[[gnu::always_inline]] inline std::uint64_t combined_word(SetOperation operation, std::uint64_t a,
                                                          std::uint64_t b) noexcept {
  switch (operation) {
    case SetOperation::kUnion:
      return a | b;
    case SetOperation::kIntersection:
      return a & b;
    case SetOperation::kDifference:
      return a & ~b;
    default:
      return a ^ b;
  }
}

auto kernel_of(SetOperation operation) noexcept {
  const kernels::Table& kernel = kernels::table();
  switch (operation) {
    case SetOperation::kUnion:
      return kernel.unite_runs;
    case SetOperation::kIntersection:
      return kernel.intersect_runs;
    case SetOperation::kDifference:
      return kernel.subtract_runs;
    default:
      return kernel.flip_runs;
  }
}

// The size of the result; 0 when it has to be done in another way, and then out may have been written.
[[gnu::always_inline]] inline std::size_t apply_near_bits(SetOperation operation, Bytes a, Bytes b,
                                                          std::byte* out) noexcept {
  const Bits left = bits_of(a.subspan(1));
  const Bits right = bits_of(b.subspan(1));
  const std::uint32_t base = std::min(left.base, right.base);
  const std::uint32_t span = std::max(left.end(), right.end()) - base;
  if (span <= 8) {
    std::uint64_t word = combined_word(operation, last_bytes(a, left.size) << 8 * (left.base - base),
                                       last_bytes(b, right.size) << 8 * (right.base - base));
    if (word == 0) return bitmap_write_empty(out);
    const auto skipped = static_cast<std::uint32_t>(std::countr_zero(word)) / 8;
    word >>= 8 * skipped;
    *out = format_byte(Form::kBits);
    std::byte* const data = bytes::put_varint(out + 1, base + skipped);
    const auto end = static_cast<std::size_t>(data - out) + 8 - static_cast<unsigned>(std::countl_zero(word)) / 8;
    // A run takes two bytes and more, a member one and more; a single run comes before bits of the same size.
    const std::uint64_t runs = bytes::count_ones(word & ~(word << 1));
    if (runs + 1 < end && (runs == 1 || 2 * runs + 1 < end || bytes::count_ones(word) + 1 < end)) return 0;
    bytes::store(data, word);
    return end;
  }
  if (left.base != right.base || left.size != right.size || span > kMaxFlatPayload - 4) return 0;
  *out = format_byte(Form::kBits);
  std::byte* const data = bytes::put_varint(out + 1, base);
  const kernels::Counts counts = kernel_of(operation)(data, left.data, right.data, span);
  const auto end = static_cast<std::size_t>(data - out) + span;
  if (2 * counts.runs + 1 < end || counts.members + 1 < end) return 0;
  return data[0] == std::byte{0} || data[span - 1] == std::byte{0} ? 0 : end;
}

// No fewer than the chunks of the result.
std::size_t chunks_at_most(SetOperation operation, Bytes a, Bytes b) noexcept;

std::size_t apply_chunked(SetOperation operation, Bytes set_a, Bytes set_b, std::byte* out) noexcept {
  ChunkWriter writer(out, chunks_at_most(operation, set_a, set_b));
  ChunkCursor a(set_a);
  ChunkCursor b(set_b);
  while (!a.done() || !b.done()) {
    if (b.done() || (!a.done() && a.number() < b.number())) {
      if (keeps_a(operation)) {
        const Block block = a.block();
        writer.add(a.number(), block.form, block.payload, block.members);
        a.next();
      } else if (b.done()) {
        break;
      } else {
        a.seek(b.number());
      }
    } else if (a.done() || b.number() < a.number()) {
      if (keeps_b(operation)) {
        const Block block = b.block();
        writer.add(b.number(), block.form, block.payload, block.members);
        b.next();
      } else if (a.done()) {
        break;
      } else {
        b.seek(a.number());
      }
    } else {
      writer.add(a.number(), combine_chunk(operation, a.block(), b.block(), writer.next()));
      a.next();
      b.next();
    }
  }
  return writer.finish();
}

std::size_t chunks_at_most(SetOperation operation, Bytes set_a, Bytes set_b) noexcept {
  ChunkCursor a(set_a);
  if (operation == SetOperation::kDifference) return a.left();
  ChunkCursor b(set_b);
  const std::size_t sum = a.left() + b.left();
  std::size_t both = 0;
  while (!a.done() && !b.done()) {
    if (a.number() == b.number()) {
      ++both;
      a.next();
    } else if (a.number() < b.number()) {
      a.seek(b.number());
    } else {
      b.seek(a.number());
    }
  }
  return operation == SetOperation::kIntersection ? both : sum - both;
}

}  // namespace

std::size_t bitmap_write_empty(std::byte* out) noexcept {
  *out = format_byte(Form::kEmpty);
  return 1;
}

std::size_t bitmap_write_run(Member first, Member last, std::byte* out) noexcept {
  const Run run{first, last};
  return write_listed(&run, &run + 1, out);
}

std::size_t bitmap_apply(SetOperation operation, Bytes a, Bytes b, std::byte* out) noexcept {
  if (form_of(a) == Form::kBits && form_of(b) == Form::kBits) {
    const std::size_t size = apply_near_bits(operation, a, b, out);
    return size != 0 ? size : apply_flat(operation, a, b, out);
  }
  if (bitmap_is_empty(a)) return keeps_b(operation) ? copied(b, out) : bitmap_write_empty(out);
  if (bitmap_is_empty(b)) return keeps_a(operation) ? copied(a, out) : bitmap_write_empty(out);
  if (!bitmap_is_chunked(a) && !bitmap_is_chunked(b)) return apply_flat(operation, a, b, out);
  return apply_chunked(operation, a, b, out);
}

}  // namespace chatopt::core
