// The maximal runs of a stored set, ascending: what members, text, order and hash are made of.
#pragma once

#include <cstddef>
#include <cstdint>

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
  bool next(Run& run) noexcept;

 private:
  bool next_piece(Run& run) noexcept;
  bool open_chunk() noexcept;

  Bytes set_;
  BlockRuns block_;
  std::uint32_t chunk_ = 0;   // index of the next chunk to open
  std::uint32_t chunks_ = 0;  // how many there are; 0 where flat
  std::uint32_t offset_ = 0;  // first member of the chunk that is open
  Run pending_{0, 0};         // read ahead, as it may go on in the next chunk
  bool has_pending_ = false;
};

}  // namespace chatopt::core
