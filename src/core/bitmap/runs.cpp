#include "core/bitmap/runs.hpp"

#include <algorithm>
#include <bit>

#include "core/bitmap/block.hpp"
#include "core/bitmap/bytes.hpp"
#include "core/bitmap/chunks.hpp"

namespace chatopt::core {

BlockRuns::BlockRuns(Form form, Bytes payload) noexcept
    : at_(payload.data()), end_(payload.data() + payload.size()), form_(form) {
  if (form == Form::kBits) {
    position_ = std::uint64_t{bytes::get_varint(at_)} * 8;
    next_word();
  }
}

BlockRuns::BlockRuns(std::uint32_t base, Bytes bits) noexcept
    : at_(bits.data()), end_(bits.data() + bits.size()), form_(Form::kBits), position_(std::uint64_t{base} * 8) {
  next_word();
}

void BlockRuns::seek(Member lower) noexcept {
  if (form_ != Form::kBits || lower <= position_) return;
  const std::uint64_t distance = lower - position_;
  if (distance >= 64) {
    const std::uint64_t words = distance / 64 - 1;  // behind word_, at at_
    const auto left = static_cast<std::uint64_t>(end_ - at_);
    at_ += std::min(words * 8, left);
    position_ += (words + 1) * 64;
    next_word();
  }
  word_ &= ~std::uint64_t{0} << (lower - position_);
}

BitmapRuns::BitmapRuns(Bytes set) noexcept : set_(set) {
  if (form_of(set) == Form::kChunks)
    chunks_ = ChunkedView(set).count();
  else
    block_ = BlockRuns(form_of(set), set.subspan(1));
}

BitmapRuns::BitmapRuns(Bytes set, std::int64_t lower) noexcept : BitmapRuns(set) {
  if (lower <= 0) return;
  if (lower > kMaxMember) {
    block_ = {};
    chunk_ = chunks_;
    return;
  }
  const auto from = static_cast<Member>(lower);
  if (chunks_ == 0) {
    block_.seek(from);
  } else {
    chunk_ = ChunkedView(set).find(from / kChunkMembers);
    if (open_chunk() && offset_ < from) block_.seek(from - offset_);
  }
  while (next_piece(pending_)) {
    if (pending_.last < from) continue;
    pending_.first = std::max(pending_.first, from);
    has_pending_ = true;
    return;
  }
}

bool BitmapRuns::open_chunk() noexcept {
  if (chunk_ == chunks_) return false;
  const ChunkedView view(set_);
  block_ = BlockRuns(view.form(chunk_), view.payload(chunk_));
  offset_ = view.number(chunk_) * kChunkMembers;
  ++chunk_;
  return true;
}

// The run reaches the end of a chunk: with what it goes on in the next ones.
void BitmapRuns::join(Run& run) noexcept {
  while (run.last % kChunkMembers == kChunkMembers - 1 && next_piece(pending_)) {
    if (pending_.first != run.last + 1) {
      has_pending_ = true;
      return;
    }
    run.last = pending_.last;
  }
}

}  // namespace chatopt::core
