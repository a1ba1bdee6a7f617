// Functions of receipt_bitmap that answer questions about a set. Where a value
// is out of line, counts and membership read its beginning and one chunk of it.

#include <cstdint>

#include "core/bitmap/bitmap.hpp"
#include "receipts/receipt_bitmap.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_contains);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_contains_int2);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_contains_int4);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_contains_int8);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_contained);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_contained_int2);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_contained_int4);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_contained_int8);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_overlaps);
PG_FUNCTION_INFO_V1(chatopt_cardinality);
PG_FUNCTION_INFO_V1(chatopt_is_empty);
PG_FUNCTION_INFO_V1(chatopt_min_member);
PG_FUNCTION_INFO_V1(chatopt_max_member);
PG_FUNCTION_INFO_V1(chatopt_rank_of);
PG_FUNCTION_INFO_V1(chatopt_range_cardinality);
PGDLLEXPORT Datum chatopt_receipt_bitmap_contains(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_contains_int2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_contains_int4(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_contains_int8(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_contained(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_contained_int2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_contained_int4(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_contained_int8(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_overlaps(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_cardinality(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_is_empty(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_min_member(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_max_member(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_rank_of(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_range_cardinality(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {
namespace {

// A value out of line is read from here: about as much as one row of a TOAST table holds, so that one look-up brings
// the count and the directory of all but the largest sets.
constexpr std::size_t kHeadSize = 1900;
static_assert(kHeadSize >= core::kMaxFlatSize, "a value that is not chunked comes whole");

// The beginning of a value: all of it, or at least the header and the directory.
struct Head {
  core::Bytes bytes;
  bool whole;
};

core::Bytes count_head(Datum value) {
  return pg::varlena_is_external(value) ? pg::varlena_slice(value, 0, kHeadSize) : pg::varlena_bytes(value);
}

Head directory_head(Datum value) {
  if (!pg::varlena_is_external(value)) return {pg::varlena_bytes(value), true};
  core::Bytes head = pg::varlena_slice(value, 0, kHeadSize);
  if (!core::bitmap_is_chunked(head)) return {head, true};
  const std::size_t end = core::bitmap_directory_end(head);
  if (end > head.size()) head = pg::varlena_slice(value, 0, end);
  return {head, false};
}

bool contains(Datum value, int64 argument) {
  const core::Member member = member_argument(argument);
  const Head head = directory_head(value);
  if (head.whole) return core::bitmap_contains(head.bytes, member);
  const core::ChunkLocation chunk = core::bitmap_chunk_location(head.bytes, member);
  return chunk.found &&
         core::bitmap_chunk_contains(chunk, pg::varlena_slice(value, chunk.offset, chunk.length), member);
}

int64 rank(Datum value, const Head& head, int64 upto) {
  if (head.whole) return core::bitmap_rank(head.bytes, upto);
  if (upto < 0) return 0;
  const auto member = static_cast<core::Member>(Min(upto, int64{core::kMaxMember}));
  const core::ChunkLocation chunk = core::bitmap_chunk_location(head.bytes, member);
  if (!chunk.found) return chunk.before;
  return core::bitmap_chunk_rank(chunk, pg::varlena_slice(value, chunk.offset, chunk.length), member);
}

bool contains_set(Datum set, Datum subset) {
  return core::bitmap_contains(pg::varlena_bytes(set), pg::varlena_bytes(subset));
}

}  // namespace
}  // namespace chatopt::receipts

// receipt_bitmap_contains(members receipt_bitmap, subset receipt_bitmap) -> boolean
Datum chatopt_receipt_bitmap_contains(PG_FUNCTION_ARGS) {
  PG_RETURN_BOOL(chatopt::receipts::contains_set(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

// receipt_bitmap_contains(members receipt_bitmap, member smallint | int | bigint) -> boolean
Datum chatopt_receipt_bitmap_contains_int2(PG_FUNCTION_ARGS) {
  PG_RETURN_BOOL(chatopt::receipts::contains(PG_GETARG_DATUM(0), PG_GETARG_INT16(1)));
}
Datum chatopt_receipt_bitmap_contains_int4(PG_FUNCTION_ARGS) {
  PG_RETURN_BOOL(chatopt::receipts::contains(PG_GETARG_DATUM(0), PG_GETARG_INT32(1)));
}
Datum chatopt_receipt_bitmap_contains_int8(PG_FUNCTION_ARGS) {
  PG_RETURN_BOOL(chatopt::receipts::contains(PG_GETARG_DATUM(0), PG_GETARG_INT64(1)));
}

// receipt_bitmap_contained(subset receipt_bitmap, members receipt_bitmap) -> boolean
Datum chatopt_receipt_bitmap_contained(PG_FUNCTION_ARGS) {
  PG_RETURN_BOOL(chatopt::receipts::contains_set(PG_GETARG_DATUM(1), PG_GETARG_DATUM(0)));
}

// receipt_bitmap_contained(member smallint | int | bigint, members receipt_bitmap) -> boolean
Datum chatopt_receipt_bitmap_contained_int2(PG_FUNCTION_ARGS) {
  PG_RETURN_BOOL(chatopt::receipts::contains(PG_GETARG_DATUM(1), PG_GETARG_INT16(0)));
}
Datum chatopt_receipt_bitmap_contained_int4(PG_FUNCTION_ARGS) {
  PG_RETURN_BOOL(chatopt::receipts::contains(PG_GETARG_DATUM(1), PG_GETARG_INT32(0)));
}
Datum chatopt_receipt_bitmap_contained_int8(PG_FUNCTION_ARGS) {
  PG_RETURN_BOOL(chatopt::receipts::contains(PG_GETARG_DATUM(1), PG_GETARG_INT64(0)));
}

// receipt_bitmap_overlaps(members receipt_bitmap, other receipt_bitmap) -> boolean
Datum chatopt_receipt_bitmap_overlaps(PG_FUNCTION_ARGS) {
  PG_RETURN_BOOL(chatopt::core::bitmap_overlaps(chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0)),
                                                chatopt::pg::varlena_bytes(PG_GETARG_DATUM(1))));
}

// cardinality(members receipt_bitmap) -> bigint
Datum chatopt_cardinality(PG_FUNCTION_ARGS) {
  PG_RETURN_INT64(chatopt::core::bitmap_cardinality(chatopt::receipts::count_head(PG_GETARG_DATUM(0))));
}

// is_empty(members receipt_bitmap) -> boolean
Datum chatopt_is_empty(PG_FUNCTION_ARGS) {
  PG_RETURN_BOOL(chatopt::core::bitmap_is_empty(chatopt::receipts::count_head(PG_GETARG_DATUM(0))));
}

// min_member(members receipt_bitmap) -> int, NULL when the set is empty
Datum chatopt_min_member(PG_FUNCTION_ARGS) {
  chatopt::core::Member member = 0;
  if (!chatopt::core::bitmap_min(chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0)), member)) PG_RETURN_NULL();
  PG_RETURN_INT32(static_cast<int32>(member));
}

// max_member(members receipt_bitmap) -> int, NULL when the set is empty
Datum chatopt_max_member(PG_FUNCTION_ARGS) {
  chatopt::core::Member member = 0;
  if (!chatopt::core::bitmap_max(chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0)), member)) PG_RETURN_NULL();
  PG_RETURN_INT32(static_cast<int32>(member));
}

// rank_of(members receipt_bitmap, member bigint) -> bigint
Datum chatopt_rank_of(PG_FUNCTION_ARGS) {
  const Datum set = PG_GETARG_DATUM(0);
  PG_RETURN_INT64(chatopt::receipts::rank(set, chatopt::receipts::directory_head(set), PG_GETARG_INT64(1)));
}

// range_cardinality(members receipt_bitmap, lower bigint, upper bigint) -> bigint
Datum chatopt_range_cardinality(PG_FUNCTION_ARGS) {
  const Datum set = PG_GETARG_DATUM(0);
  const int64 lower = PG_GETARG_INT64(1);
  const int64 upper = PG_GETARG_INT64(2);
  const chatopt::receipts::Head head = chatopt::receipts::directory_head(set);
  if (head.whole) PG_RETURN_INT64(chatopt::core::bitmap_range_cardinality(head.bytes, lower, upper));
  if (lower >= upper || upper <= 0) PG_RETURN_INT64(0);
  const int64 below = lower <= 0 ? 0 : chatopt::receipts::rank(set, head, lower - 1);
  PG_RETURN_INT64(chatopt::receipts::rank(set, head, upper - 1) - below);
}
