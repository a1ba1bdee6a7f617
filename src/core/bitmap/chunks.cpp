#include "core/bitmap/chunks.hpp"

#include <algorithm>

#include "core/bitmap/runs.hpp"

namespace chatopt::core {

namespace {

// A chunk whose block is longer than this belongs to a set that is not flat: any block of the whole set has all that
// the chunk's has, but for what its first two numbers take (6 bytes at most).
constexpr std::size_t kSurelyNotFlat = kMaxFlatPayload + 8;

}  // namespace

std::uint32_t ChunkedView::find(std::uint32_t wanted) const noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = count();
  while (low < high) {
    const std::uint32_t middle = (low + high) / 2;
    if (number(middle) < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void ChunkWriter::add(std::uint32_t number, Choice choice) noexcept {
  if (choice.cardinality == 0) return;
  std::byte* const entry = out_ + kPrefixSize + kDirectoryEntrySize * chunks_;
  at_ += choice.size;
  bytes::store(entry, static_cast<std::uint16_t>(number));
  bytes::store(entry + 2, static_cast<std::uint16_t>(choice.cardinality - 1));
  const auto form = static_cast<std::uint32_t>(choice.form) - 1;
  bytes::store(entry + 4, form << 30 | static_cast<std::uint32_t>(at_ - begin_));
  cardinality_ += choice.cardinality;
  longest_ = std::max(longest_, choice.size);
  ++chunks_;
}

void ChunkWriter::add(std::uint32_t number, Form form, Bytes payload, std::uint32_t members) noexcept {
  std::memcpy(at_, payload.data(), payload.size());
  add(number, {form, payload.size(), members});
}

std::size_t ChunkWriter::finish() noexcept {
  if (chunks_ == 0) {
    *out_ = format_byte(Form::kEmpty);
    return 1;
  }
  std::byte* const payloads = out_ + kPrefixSize + kDirectoryEntrySize * chunks_;
  const auto size = static_cast<std::size_t>(at_ - begin_);
  if (chunks_ < room_) std::memmove(payloads, begin_, size);
  out_[0] = format_byte(Form::kChunks);
  out_[1] = std::byte{0};
  bytes::store(out_ + 2, static_cast<std::uint16_t>(chunks_ - 1));
  bytes::store(out_ + 4, static_cast<std::uint32_t>(cardinality_ - 1));
  const std::size_t total = static_cast<std::size_t>(payloads - out_) + size;
  if (longest_ > kSurelyNotFlat) return total;

  const BitmapRuns runs({out_, total});
  Choice choice;
  if (!is_flat(runs, choice)) return total;
  std::byte flat[kMaxFlatPayload];
  const std::byte* const end = write_block(choice, runs, flat);
  out_[0] = format_byte(choice.form);
  std::memcpy(out_ + 1, flat, static_cast<std::size_t>(end - flat));
  return 1 + static_cast<std::size_t>(end - flat);
}

ChunkCursor::ChunkCursor(Bytes set) noexcept : flat_(form_of(set) != Form::kChunks), set_(set) {
  if (flat_) {
    Run* end = runs_;
    for (BlockRuns runs(form_of(set), set.subspan(1)); runs.next(*end);) ++end;
    pieces_ = ChunkSplitter(runs_, end);
    next();
  } else {
    number_ = ChunkedView(set).number(0);
  }
}

void ChunkCursor::next() noexcept {
  if (flat_) {
    done_ = !pieces_.next();
    number_ = pieces_.number();
  } else {
    const ChunkedView view(set_);
    done_ = ++index_ == view.count();
    if (!done_) number_ = view.number(index_);
  }
}

void ChunkCursor::seek(std::uint32_t number) noexcept {
  if (done_ || number_ >= number) return;
  if (flat_) {
    while (!done_ && number_ < number) next();
    return;
  }
  const ChunkedView view(set_);
  index_ = view.find(number);
  done_ = index_ == view.count();
  if (!done_) number_ = view.number(index_);
}

std::size_t ChunkCursor::left() const noexcept {
  if (done_) return 0;
  if (!flat_) return ChunkedView(set_).count() - index_;
  std::size_t result = 1;
  for (ChunkSplitter rest = pieces_; rest.next();) ++result;
  return result;
}

ChunkCursor::Block ChunkCursor::block() noexcept {
  if (!flat_) {
    const ChunkedView view(set_);
    return {view.form(index_), view.payload(index_), view.members(index_)};
  }
  const Choice choice = choice_of(pieces_.runs());
  write_block(choice, pieces_.runs(), encoded_);
  return {choice.form, {encoded_, choice.size}, static_cast<std::uint32_t>(choice.cardinality)};
}

std::size_t write_listed(const Run* from, const Run* to, std::byte* out) noexcept {
  Choice choice;
  if (is_flat(ListedRuns(from, to), choice)) {
    out[0] = format_byte(choice.form);
    return static_cast<std::size_t>(write_block(choice, ListedRuns(from, to), out + 1) - out);
  }
  ChunkSplitter counter(from, to);
  std::size_t chunks = 0;
  while (counter.next()) ++chunks;
  ChunkWriter writer(out, chunks);
  for (ChunkSplitter pieces(from, to); pieces.next();) {
    const Choice piece = choice_of(pieces.runs());
    write_block(piece, pieces.runs(), writer.next());
    writer.add(pieces.number(), piece);
  }
  return writer.finish();
}

}  // namespace chatopt::core
