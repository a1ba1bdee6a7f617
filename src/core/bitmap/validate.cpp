// The one door for bytes from outside: reads them strictly, and asks of each block whether it is the one that would
// have been written.
#include <algorithm>

#include "core/bitmap/bitmap.hpp"
#include "core/bitmap/block.hpp"
#include "core/bitmap/chunks.hpp"

namespace chatopt::core {

namespace {

class Reader {
 public:
  Reader(Bytes payload, Member greatest) noexcept
      : at_(payload.data()), end_(payload.data() + payload.size()), greatest_(greatest) {}
  [[nodiscard]] bool done() const noexcept { return at_ == end_; }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] const std::byte* at() const noexcept { return at_; }
  // A number added to what there is; false when that is beyond the greatest member.
  [[nodiscard]] bool advance(std::uint64_t from, Member& result) noexcept {
    std::uint32_t distance;
    if (!bytes::read_varint(at_, end_, distance) || from + distance > greatest_) return false;
    result = static_cast<Member>(from + distance);
    return true;
  }
  [[nodiscard]] bool number(std::uint32_t& result) noexcept { return bytes::read_varint(at_, end_, result); }

 private:
  const std::byte* at_;
  const std::byte* end_;
  Member greatest_;
};

bool read_members(Reader& reader, Shape& shape) noexcept {
  Run run;
  if (!reader.advance(0, run.first)) return false;
  run.last = run.first;
  while (!reader.done()) {
    Member member;
    if (!reader.advance(std::uint64_t{run.last} + 1, member)) return false;
    if (member != run.last + 1) {
      shape.add(run);
      run.first = member;
    }
    run.last = member;
  }
  shape.add(run);
  return true;
}

bool read_runs(Reader& reader, Shape& shape) noexcept {
  std::uint64_t from = 0;
  do {
    Run run;
    if (!reader.advance(from, run.first) || !reader.advance(run.first, run.last)) return false;
    shape.add(run);
    from = std::uint64_t{run.last} + 2;
  } while (!reader.done());
  return true;
}

bool read_bits(Reader& reader, Member greatest, Choice& choice) noexcept {
  Bits bits;
  if (!reader.number(bits.base) || reader.done()) return false;
  const std::uint64_t bytes_at_most = greatest / 8 + std::uint64_t{1};
  if (bits.base + std::uint64_t{reader.left()} > bytes_at_most) return false;
  bits.data = reader.at();
  bits.size = static_cast<std::uint32_t>(reader.left());
  if (bits.data[0] == std::byte{0} || bits.data[bits.size - 1] == std::byte{0}) return false;
  choice = choose_bits(bits);
  return true;
}

// Is it the block that would have been written for the members it says?
bool block_is_valid(Form form, Bytes payload, Member greatest, Choice& choice) noexcept {
  Reader reader(payload, greatest);
  Shape shape;
  switch (form) {
    case Form::kEmpty:
      break;
    case Form::kBits:
      if (!read_bits(reader, greatest, choice)) return false;
      return choice.form == form;
    case Form::kMembers:
      if (!read_members(reader, shape)) return false;
      break;
    case Form::kRun:
    case Form::kRuns:
      if (!read_runs(reader, shape)) return false;
      break;
    default:
      return false;
  }
  choice = shape.choice();
  return choice.form == form && choice.size == payload.size();
}

bool chunks_are_valid(Bytes set) noexcept {
  if (set.size() < kPrefixSize || set[1] != std::byte{0}) return false;
  const ChunkedView view(set);
  if (set.size() < view.directory_end()) return false;
  const std::size_t payloads = set.size() - view.directory_end();
  std::uint64_t cardinality = 0;
  std::uint32_t begin = 0;
  for (std::uint32_t i = 0; i < view.count(); ++i) {
    const std::uint32_t number = view.number(i);
    if (number > kMaxMember / kChunkMembers || (i > 0 && number <= view.number(i - 1))) return false;
    if (view.end(i) <= begin || view.end(i) > payloads) return false;
    begin = view.end(i);
    Choice choice;
    if (!block_is_valid(view.form(i), view.payload(i), kChunkMembers - 1, choice)) return false;
    if (choice.cardinality != view.members(i)) return false;
    cardinality += choice.cardinality;
  }
  if (begin != payloads || cardinality != static_cast<std::uint64_t>(view.cardinality())) return false;
  Choice choice;
  return !is_flat(BitmapRuns(set), choice);
}

}  // namespace

bool bitmap_is_valid(Bytes untrusted) noexcept {
  if (untrusted.empty()) return false;
  const auto first = std::to_integer<unsigned>(untrusted[0]);
  if (first >> 4 != kGeneration || (first & 0x0F) > static_cast<unsigned>(Form::kChunks)) return false;
  const Form form = form_of(untrusted);
  if (form == Form::kChunks) return chunks_are_valid(untrusted);
  Choice choice;
  return untrusted.size() <= kMaxFlatSize && block_is_valid(form, untrusted.subspan(1), kMaxMember, choice);
}

}  // namespace chatopt::core
