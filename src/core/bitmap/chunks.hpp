// The chunked form (see format.hpp): reading its directory, and writing it. Internal to src/core/bitmap.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/bitmap/block.hpp"
#include "core/bitmap/bytes.hpp"
#include "core/bitmap/format.hpp"

namespace chatopt::core {

// Reads the header and the directory; payload() also what is behind.
class ChunkedView {
 public:
  explicit ChunkedView(Bytes head) noexcept : data_(head.data()) {}
  [[nodiscard]] std::uint32_t count() const noexcept { return bytes::load<std::uint16_t>(data_ + 2) + 1U; }
  [[nodiscard]] Count cardinality() const noexcept { return bytes::load<std::uint32_t>(data_ + 4) + Count{1}; }
  [[nodiscard]] std::size_t directory_end() const noexcept { return kPrefixSize + kDirectoryEntrySize * count(); }

  [[nodiscard]] std::uint32_t number(std::uint32_t index) const noexcept {
    return bytes::load<std::uint16_t>(entry(index));
  }
  [[nodiscard]] std::uint32_t members(std::uint32_t index) const noexcept {
    return bytes::load<std::uint16_t>(entry(index) + 2) + 1U;
  }
  [[nodiscard]] Form form(std::uint32_t index) const noexcept {
    return static_cast<Form>((bytes::load<std::uint32_t>(entry(index) + 4) >> 30) + 1);
  }
  // Counted from the end of the directory.
  [[nodiscard]] std::uint32_t begin(std::uint32_t index) const noexcept { return index == 0 ? 0 : end(index - 1); }
  [[nodiscard]] std::uint32_t end(std::uint32_t index) const noexcept {
    return bytes::load<std::uint32_t>(entry(index) + 4) & 0x3FFFFFFF;
  }
  [[nodiscard]] Bytes payload(std::uint32_t index) const noexcept {
    return {data_ + directory_end() + begin(index), end(index) - begin(index)};
  }
  // Index of the first chunk whose number is not less; count() if there is none.
  [[nodiscard]] std::uint32_t find(std::uint32_t number) const noexcept;

 private:
  [[nodiscard]] const std::byte* entry(std::uint32_t index) const noexcept {
    return data_ + kPrefixSize + kDirectoryEntrySize * index;
  }
  const std::byte* data_;
};

// Writes a set chunk by chunk, and makes it flat at the end if it has to be.
class ChunkWriter {
 public:
  ChunkWriter(std::byte* out, std::size_t chunks_at_most) noexcept
      : out_(out),
        room_(chunks_at_most),
        begin_(out + kPrefixSize + kDirectoryEntrySize * chunks_at_most),
        at_(begin_) {}
  // Where the next chunk's payload is to be written, before it is added.
  [[nodiscard]] std::byte* next() const noexcept { return at_; }
  // Of the payload at next(); nothing happens when it is empty.
  void add(std::uint32_t number, Choice choice) noexcept;
  // Copies it.
  void add(std::uint32_t number, Form form, Bytes payload, std::uint32_t members) noexcept;
  // The size of the whole.
  [[nodiscard]] std::size_t finish() noexcept;

 private:
  std::byte* out_;
  std::size_t room_;
  std::byte* begin_;
  std::byte* at_;
  std::uint64_t cardinality_ = 0;
  std::size_t chunks_ = 0;
  std::size_t longest_ = 0;
};

// Cuts a list of maximal runs where chunks end.
class ChunkSplitter {
 public:
  // The runs in one chunk, counted from its start.
  class Runs {
   public:
    Runs(const Run* from, const Run* to, Member lower) noexcept : at_(from), end_(to), lower_(lower) {}
    bool next(Run& run) noexcept {
      const Member upper = lower_ + kChunkMembers - 1;
      if (at_ == end_ || at_->first > upper) return false;
      run = {std::max(at_->first, lower_) - lower_, std::min(at_->last, upper) - lower_};
      ++at_;
      return true;
    }

   private:
    const Run* at_;
    const Run* end_;
    Member lower_;
  };

  ChunkSplitter() noexcept : ChunkSplitter(nullptr, nullptr) {}
  ChunkSplitter(const Run* from, const Run* to) noexcept : begin_(from), at_(from), end_(to) {}
  // On to the next chunk that is not empty; false when there is none.
  bool next() noexcept {
    if (at_ == end_) return false;
    begin_ = at_;
    lower_ = std::max(at_->first, above_) / kChunkMembers * kChunkMembers;
    above_ = lower_ + kChunkMembers;
    while (at_ != end_ && at_->last < above_) ++at_;
    return true;
  }
  [[nodiscard]] std::uint32_t number() const noexcept { return lower_ / kChunkMembers; }
  [[nodiscard]] Runs runs() const noexcept { return {begin_, end_, lower_}; }

 private:
  const Run* begin_;
  const Run* at_;
  const Run* end_;
  Member lower_ = 0;
  Member above_ = 0;
};

// Any set, chunk by chunk. Some 17 kB: a flat set's runs are kept in it.
class ChunkCursor {
 public:
  explicit ChunkCursor(Bytes set) noexcept;
  ChunkCursor(const ChunkCursor&) = delete;
  ChunkCursor& operator=(const ChunkCursor&) = delete;

  [[nodiscard]] bool done() const noexcept { return done_; }
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
  void next() noexcept;
  // On to the first chunk whose number is not less.
  void seek(std::uint32_t number) noexcept;
  // How many chunks are left; for flat sets that takes a walk.
  [[nodiscard]] std::size_t left() const noexcept;

  struct Block {
    Form form;
    Bytes payload;
    std::uint32_t members;
  };
  // The chunk's canonical block, which stays there until next() or seek().
  [[nodiscard]] Block block() noexcept;

 private:
  static constexpr std::size_t kMostRuns = kMaxFlatPayload * 4;
  bool flat_;
  bool done_ = false;
  std::uint32_t number_ = 0;
  std::uint32_t index_ = 0;
  Bytes set_;
  ChunkSplitter pieces_;
  Run runs_[kMostRuns];
  std::byte encoded_[kMaxFlatPayload + 16];  // a piece takes no more than the whole, but for its first numbers
};

// Writes the canonical encoding of a list of maximal runs.
std::size_t write_listed(const Run* from, const Run* to, std::byte* out) noexcept;

}  // namespace chatopt::core
