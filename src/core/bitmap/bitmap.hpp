// A set of members 0 … 2^31-1 as it is stored: the one header for users of src/core/bitmap.
//
// A stored set is a string of bytes (a varlena's payload, without its header) in the format of format.hpp. Equal sets
// have equal bytes, whichever way they were built: every function that writes a set writes its canonical encoding.
//
// Rules for all that follows, unless a function says otherwise:
//   - Arguments are *valid* encodings: written by a function here, or accepted by bitmap_is_valid, which is the one
//     door for bytes from outside. Given anything else, the behaviour is undefined.
//   - Bytes need no alignment. Nothing is allocated, nothing is thrown, nothing is kept; the stack used is < 100 kB.
//   - Where bytes are written, out has room for as many as the function's _bound says and does not overlap the
//     arguments; the size written is returned, and may be smaller.
//   - No call is interruptible: the longest are linear in the size of their arguments (a union of two sets of
//     1,000,000 members takes some 50 µs). Loops over members, which may be 2^31, are the caller's: see BitmapRuns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string_view>

#include "core/bitmap/builder.hpp"
#include "core/bitmap/format.hpp"
#include "core/bitmap/runs.hpp"

namespace chatopt::core {

// The door: are these bytes the canonical encoding of a set? For any bytes at all. O(size).
[[nodiscard]] bool bitmap_is_valid(Bytes untrusted) noexcept;

// One set

[[nodiscard]] Count bitmap_cardinality(Bytes set) noexcept;  // O(1) where chunked, else at most 513 bytes are read
[[nodiscard]] bool bitmap_is_empty(Bytes set) noexcept;      // O(1)
// False, and result untouched, when the set is empty.
[[nodiscard]] bool bitmap_min(Bytes set, Member& result) noexcept;
[[nodiscard]] bool bitmap_max(Bytes set, Member& result) noexcept;
// How many members are <= upto. Any upto: below 0 gives 0, beyond kMaxMember the cardinality.
[[nodiscard]] Count bitmap_rank(Bytes set, std::int64_t upto) noexcept;
// How many members are in [lower, upper). Any bounds; lower >= upper gives 0.
[[nodiscard]] Count bitmap_range_cardinality(Bytes set, std::int64_t lower, std::int64_t upper) noexcept;
[[nodiscard]] bool bitmap_contains(Bytes set, Member member) noexcept;
// Depends on the members alone, and is the same in every version.
[[nodiscard]] std::uint64_t bitmap_hash(Bytes set, std::uint64_t seed) noexcept;

// Two sets

[[nodiscard]] bool bitmap_contains(Bytes set, Bytes subset) noexcept;  // is every member of subset in set?
[[nodiscard]] bool bitmap_overlaps(Bytes a, Bytes b) noexcept;
[[nodiscard]] bool bitmap_equals(Bytes a, Bytes b) noexcept;
// Negative, 0 or positive, in the order of int[]: the first member that differs decides, a prefix comes first.
[[nodiscard]] int bitmap_compare(Bytes a, Bytes b) noexcept;

enum class SetOperation { kUnion, kIntersection, kDifference, kSymmetricDifference };
// Room for the result: tens of bytes for tens of bytes, at most some 270 MB. O(1), or O(chunks) where chunked.
[[nodiscard]] std::size_t bitmap_bound(SetOperation operation, Bytes a, Bytes b) noexcept;
std::size_t bitmap_apply(SetOperation operation, Bytes a, Bytes b, std::byte* out) noexcept;

// Changed by one member (<= kMaxMember), or by the range [lower, upper), which is clipped to 0 … kMaxMember.

[[nodiscard]] std::size_t bitmap_insert_bound(Bytes set, Member member) noexcept;
std::size_t bitmap_insert(Bytes set, Member member, std::byte* out) noexcept;
[[nodiscard]] std::size_t bitmap_erase_bound(Bytes set, Member member) noexcept;
std::size_t bitmap_erase(Bytes set, Member member, std::byte* out) noexcept;
[[nodiscard]] std::size_t bitmap_insert_range_bound(Bytes set, std::int64_t lower, std::int64_t upper) noexcept;
std::size_t bitmap_insert_range(Bytes set, std::int64_t lower, std::int64_t upper, std::byte* out) noexcept;
[[nodiscard]] std::size_t bitmap_erase_range_bound(Bytes set, std::int64_t lower, std::int64_t upper) noexcept;
std::size_t bitmap_erase_range(Bytes set, std::int64_t lower, std::int64_t upper, std::byte* out) noexcept;

// Small sets from nothing: at most kRunBound bytes.
inline constexpr std::size_t kRunBound = 11;
std::size_t bitmap_write_empty(std::byte* out) noexcept;
std::size_t bitmap_write_run(Member first, Member last, std::byte* out) noexcept;  // first <= last <= kMaxMember

// A set within 0 … 64 * words - 1, from and to plain bits: member i is bit i % 64 of word i / 64. At most 1,024 words.
[[nodiscard]] constexpr std::size_t bitmap_words_bound(std::size_t words) noexcept {
  return kPrefixSize + kDirectoryEntrySize + 2 + 8 * words;
}
std::size_t bitmap_write_words(std::span<const std::uint64_t> words, std::byte* out) noexcept;
// False when the set has members beyond; those are left out.
[[nodiscard]] bool bitmap_read_words(Bytes set, std::span<std::uint64_t> words) noexcept;

// Parts of a large value, for sliced detoasting. head is the beginning of a valid encoding.
//
//   Count: take the first kPrefixSize bytes (or all, if there are fewer). If bitmap_is_chunked(head), the answer is
//     bitmap_cardinality(head). Else the value has at most kMaxFlatSize bytes: take them all.
//   Membership, rank: as above; if chunked, take bitmap_directory_end(head) bytes, look up bitmap_chunk_location(head,
//     member), and take length bytes at offset for bitmap_chunk_contains / bitmap_chunk_rank.

[[nodiscard]] bool bitmap_is_chunked(Bytes head) noexcept;            // needs 1 byte
[[nodiscard]] std::size_t bitmap_directory_end(Bytes head) noexcept;  // chunked only; needs kPrefixSize bytes

struct ChunkLocation {
  bool found = false;  // does any member share its chunk? If not, only before is set.
  Form form = Form::kRun;
  std::uint16_t number = 0;
  std::size_t offset = 0;  // of the chunk's payload, from the beginning of the encoding
  std::size_t length = 0;
  Count before = 0;   // members in lower chunks
  Count members = 0;  // members in the chunk
};
// head holds bitmap_directory_end(head) bytes.
[[nodiscard]] ChunkLocation bitmap_chunk_location(Bytes head, Member member) noexcept;
// payload is the chunk that location says, found, of the same member's chunk.
[[nodiscard]] bool bitmap_chunk_contains(const ChunkLocation& location, Bytes payload, Member member) noexcept;
// How many members of the whole set are <= upto.
[[nodiscard]] Count bitmap_chunk_rank(const ChunkLocation& location, Bytes payload, Member upto) noexcept;

// Text: {0-29,31,40,41}, sorted, a run of three or more as first-last.

[[nodiscard]] std::int64_t bitmap_text_size(Bytes set) noexcept;  // exact; may pass 4 GB. O(size)
char* bitmap_write_text(Bytes set, char* out) noexcept;           // returns the end; writes no NUL

enum class BitmapTextError {
  kNone,
  kSyntax,      // what is at position does not belong there (it may be the end of the text)
  kNegative,    // a number below 0 begins at position
  kOutOfRange,  // the number that begins at position is greater than kMaxMember
  kEmptyRange,  // the range that begins at position ends before it begins
};
struct BitmapParse {
  BitmapTextError error = BitmapTextError::kNone;
  std::size_t position = 0;  // byte offset of the error; where there is none, of what follows the set
  explicit operator bool() const noexcept { return error == BitmapTextError::kNone; }
};
// Adds to the builder what the text says: braces, any order, overlaps, white space between tokens, or a bare number.
// Nothing but white space may follow. On an error the builder holds a part. Throws what the builder throws.
[[nodiscard]] BitmapParse bitmap_parse(std::string_view text, Builder& builder);
// The same for a set in braces at the beginning of a longer text (after white space): stops behind its closing brace.
[[nodiscard]] BitmapParse bitmap_parse_prefix(std::string_view text, Builder& builder);

}  // namespace chatopt::core
