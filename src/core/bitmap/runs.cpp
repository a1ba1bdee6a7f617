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

// bits: takes the next bytes, 8 or what is left, into word_; nothing is 0.
inline void BlockRuns::next_word() noexcept {
  const auto left = static_cast<std::size_t>(end_ - at_);
  if (left >= 8) {
    word_ = bytes::load<std::uint64_t>(at_);
    at_ += 8;
  } else {
    word_ = bytes::load_some(at_, left);
    at_ = end_;
  }
}

bool BlockRuns::next_bits(Run& run) noexcept {
  while (word_ == 0) {
    if (at_ == end_) return false;
    next_word();
    position_ += 64;
  }
  const int first = std::countr_zero(word_);
  run.first = static_cast<Member>(position_ + static_cast<unsigned>(first));
  std::uint64_t filled = word_ | ((std::uint64_t{1} << first) - 1);
  while (filled == ~std::uint64_t{0}) {
    next_word();
    position_ += 64;
    filled = word_;
  }
  const int length = std::countr_one(filled);
  run.last = static_cast<Member>(position_ + static_cast<unsigned>(length) - 1);
  word_ &= ~std::uint64_t{0} << length;
  return true;
}

bool BlockRuns::next(Run& run) noexcept {
  if (form_ == Form::kBits) return next_bits(run);
  if (at_ == end_) return false;
  run.first = static_cast<Member>(position_) + bytes::get_varint(at_);
  run.last = run.first;
  if (form_ == Form::kMembers) {
    for (; at_ != end_ && *at_ == std::byte{0}; ++at_) ++run.last;
    position_ = std::uint64_t{run.last} + 1;
  } else {
    run.last += bytes::get_varint(at_);
    position_ = std::uint64_t{run.last} + 2;
  }
  return true;
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

// The next run, cut where chunks end.
bool BitmapRuns::next_piece(Run& run) noexcept {
  while (!block_.next(run))
    if (!open_chunk()) return false;
  run.first += offset_;
  run.last += offset_;
  return true;
}

bool BitmapRuns::next(Run& run) noexcept {
  if (has_pending_) {
    run = pending_;
    has_pending_ = false;
  } else if (!next_piece(run)) {
    return false;
  }
  while (run.last % kChunkMembers == kChunkMembers - 1 && next_piece(pending_)) {
    if (pending_.first != run.last + 1) {
      has_pending_ = true;
      break;
    }
    run.last = pending_.last;
  }
  return true;
}

}  // namespace chatopt::core
