// The maximal runs of a stored set, ascending: what members, text, order and hash are made of.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/bitmap/bytes.hpp"
#include "core/bitmap/format.hpp"

namespace chatopt::core {

// The runs of one block (see format.hpp), relative to its start. Internal to src/core/bitmap.
class BlockRuns {
 public:
  BlockRuns() noexcept = default;
  BlockRuns(Form form, Bytes payload) noexcept;
  // Of dense bits, the first of which is member 8 * base.
  BlockRuns(std::uint32_t base, Bytes bits) noexcept;
  // The next run; false when there is none.
  bool next(Run& run) noexcept;
  // Begins with the first member >= lower, or before it, where none was taken yet.
  void seek(Member lower) noexcept;

 private:
  bool next_bits(Run& run) noexcept;
  void next_word() noexcept;

  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
  Form form_ = Form::kEmpty;
  std::uint64_t word_ = 0;      // bits: what is left of the word at position_
  std::uint64_t position_ = 0;  // bits: member of the word's bit 0; else the first member that may come
};

// for (BitmapRuns runs(set); runs.next(run);) …: the set must stay where it is. No allocation, trivially
// destructible and copyable: a copy goes on from the same place.
class BitmapRuns {
 public:
  explicit BitmapRuns(Bytes set) noexcept;
  // Begins with the first member >= lower; a run that holds lower is cut there. Any lower.
  BitmapRuns(Bytes set, std::int64_t lower) noexcept;
  // The next maximal run; false when there is none, and then run is untouched.
  bool next(Run& run) noexcept {
    if (has_pending_) {
      run = pending_;
      has_pending_ = false;
    } else if (!next_piece(run)) {
      return false;
    }
    if (run.last % kChunkMembers == kChunkMembers - 1) join(run);
    return true;
  }

 private:
  // The next run, cut where chunks end.
  bool next_piece(Run& run) noexcept {
    while (!block_.next(run))
      if (!open_chunk()) return false;
    run.first += offset_;
    run.last += offset_;
    return true;
  }
  void join(Run& run) noexcept;
  bool open_chunk() noexcept;

  Bytes set_;
  BlockRuns block_;
  std::uint32_t chunk_ = 0;   // index of the next chunk to open
  std::uint32_t chunks_ = 0;  // how many there are; 0 where flat
  std::uint32_t offset_ = 0;  // first member of the chunk that is open
  Run pending_{0, 0};         // read ahead, as it may go on in the next chunk
  bool has_pending_ = false;
};

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

inline bool BlockRuns::next_bits(Run& run) noexcept {
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

inline bool BlockRuns::next(Run& run) noexcept {
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

}  // namespace chatopt::core
