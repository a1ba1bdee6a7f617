// How a set is stored: generation 1. Little-endian, all numbers unsigned.
//
// byte 0 is the format byte, generation << 4 | form. What follows depends on the form:
//
//   0 empty    nothing
//   1 run      varint first, varint length-1
//   2 bits     varint base, then one byte and more: bit i of byte b is member 8 * (base + b) + i.
//              The first and the last byte are not zero.
//   3 members  varint first, then varint gap-1 for every other member, gap being its distance to the one before
//   4 runs     varint first, varint length-1, then for every other run varint gap-2 and varint length-1, gap being the
//              distance from the last member before to its first (2 at least: runs are maximal)
//   5 chunks   u8 0, u16 chunks-1, u32 cardinality-1; then the directory, an entry of 8 bytes a chunk that is not
//              empty, ascending: u16 chunk number (member / 65536), u16 members-1,
//              u32 (form-1) << 30 | end of its payload, counted from the end of the directory;
//              then the payloads, each what follows a format byte of form 1 … 4, members counted from the chunk's start
//
// varint: 7 bits a byte, low ones first, the high bit says that more follow; no more bytes than needed.
// Forms 0 … 4 are called flat, and what follows their format byte a block.
//
// Which form: a function of the set alone, so that equal sets have equal bytes.
//   1. Of the blocks that can say a set, the shortest; of equally short ones the first of run, bits, members, runs.
//   2. A set whose block takes at most 512 bytes is flat. Every other is chunks, even if it is only one: its count is
//      in the header, and membership takes the directory and one chunk, however large the value.
//
// Values are never rewritten by an upgrade. A later generation may add forms; it reads this one for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace chatopt::core {

using Bytes = std::span<const std::byte>;
using Member = std::uint32_t;
using Count = std::int64_t;

inline constexpr Member kMaxMember = 2147483647;

enum class Form : std::uint8_t { kEmpty, kRun, kBits, kMembers, kRuns, kChunks };

inline constexpr std::uint8_t kGeneration = 1;
inline constexpr std::size_t kMaxFlatPayload = 512;
inline constexpr std::size_t kMaxFlatSize = 1 + kMaxFlatPayload;
inline constexpr std::size_t kPrefixSize = 8;  // what tells the cardinality of chunks
inline constexpr std::size_t kDirectoryEntrySize = 8;
inline constexpr std::uint32_t kChunkMembers = 65536;
inline constexpr std::size_t kChunkBytes = kChunkMembers / 8;
inline constexpr std::size_t kMaxBlockSize =
    kChunkBytes + 2;  // of a chunk: no form is chosen that takes more than bits

// Consecutive members, both ends included.
struct Run {
  Member first;
  Member last;
  bool operator==(const Run&) const = default;
};

}  // namespace chatopt::core
