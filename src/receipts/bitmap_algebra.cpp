// Functions of receipt_bitmap that make a set out of sets, members and ranges.

#include "core/bitmap/bitmap.hpp"
#include "receipts/receipt_bitmap.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_union);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_intersection);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_difference);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_symmetric_difference);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_add_int2);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_add_int4);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_add_int8);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_add_to_int2);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_add_to_int4);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_add_to_int8);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_remove_int2);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_remove_int4);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_remove_int8);
PG_FUNCTION_INFO_V1(chatopt_add_range);
PG_FUNCTION_INFO_V1(chatopt_remove_range);
PGDLLEXPORT Datum chatopt_receipt_bitmap_union(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_intersection(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_difference(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_symmetric_difference(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_add_int2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_add_int4(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_add_int8(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_add_to_int2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_add_to_int4(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_add_to_int8(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_remove_int2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_remove_int4(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_remove_int8(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_add_range(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_remove_range(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {
namespace {

using core::SetOperation;

Datum apply(SetOperation operation, FunctionCallInfo fcinfo) {
  const core::Bytes a = pg::varlena_bytes(PG_GETARG_DATUM(0));
  const core::Bytes b = pg::varlena_bytes(PG_GETARG_DATUM(1));
  const pg::VarlenaResult result(core::bitmap_bound(operation, a, b));
  return result.finish(core::bitmap_apply(operation, a, b, result.payload()));
}

Datum add(Datum value, int64 argument) {
  const core::Member member = member_argument(argument);
  const core::Bytes set = pg::varlena_bytes(value);
  const pg::VarlenaResult result(core::bitmap_insert_bound(set, member));
  return result.finish(core::bitmap_insert(set, member, result.payload()));
}

Datum remove(Datum value, int64 argument) {
  const core::Member member = member_argument(argument);
  const core::Bytes set = pg::varlena_bytes(value);
  const pg::VarlenaResult result(core::bitmap_erase_bound(set, member));
  return result.finish(core::bitmap_erase(set, member, result.payload()));
}

// The range [lower, upper) of members to add: one that is not empty lies within 0 … 2^31.
void check_range(int64 lower, int64 upper) {
  constexpr int64 kEnd = int64{core::kMaxMember} + 1;
  if (lower < upper && (lower < 0 || upper > kEnd))
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                    errmsg("range from " INT64_FORMAT " to " INT64_FORMAT " is out of range", lower, upper),
                    errdetail("Ranges begin at 0 or above and end before 2147483648.")));
}

}  // namespace
}  // namespace chatopt::receipts

using Operation = chatopt::core::SetOperation;  // its own name is the parser's too

// receipt_bitmap_union, …(members receipt_bitmap, other receipt_bitmap) -> receipt_bitmap
Datum chatopt_receipt_bitmap_union(PG_FUNCTION_ARGS) { return chatopt::receipts::apply(Operation::kUnion, fcinfo); }
Datum chatopt_receipt_bitmap_intersection(PG_FUNCTION_ARGS) {
  return chatopt::receipts::apply(Operation::kIntersection, fcinfo);
}
Datum chatopt_receipt_bitmap_difference(PG_FUNCTION_ARGS) {
  return chatopt::receipts::apply(Operation::kDifference, fcinfo);
}
Datum chatopt_receipt_bitmap_symmetric_difference(PG_FUNCTION_ARGS) {
  return chatopt::receipts::apply(Operation::kSymmetricDifference, fcinfo);
}

// receipt_bitmap_add(members receipt_bitmap, member smallint | int | bigint) -> receipt_bitmap
Datum chatopt_receipt_bitmap_add_int2(PG_FUNCTION_ARGS) {
  return chatopt::receipts::add(PG_GETARG_DATUM(0), PG_GETARG_INT16(1));
}
Datum chatopt_receipt_bitmap_add_int4(PG_FUNCTION_ARGS) {
  return chatopt::receipts::add(PG_GETARG_DATUM(0), PG_GETARG_INT32(1));
}
Datum chatopt_receipt_bitmap_add_int8(PG_FUNCTION_ARGS) {
  return chatopt::receipts::add(PG_GETARG_DATUM(0), PG_GETARG_INT64(1));
}

// receipt_bitmap_add(member smallint | int | bigint, members receipt_bitmap) -> receipt_bitmap
Datum chatopt_receipt_bitmap_add_to_int2(PG_FUNCTION_ARGS) {
  return chatopt::receipts::add(PG_GETARG_DATUM(1), PG_GETARG_INT16(0));
}
Datum chatopt_receipt_bitmap_add_to_int4(PG_FUNCTION_ARGS) {
  return chatopt::receipts::add(PG_GETARG_DATUM(1), PG_GETARG_INT32(0));
}
Datum chatopt_receipt_bitmap_add_to_int8(PG_FUNCTION_ARGS) {
  return chatopt::receipts::add(PG_GETARG_DATUM(1), PG_GETARG_INT64(0));
}

// receipt_bitmap_remove(members receipt_bitmap, member smallint | int | bigint) -> receipt_bitmap
Datum chatopt_receipt_bitmap_remove_int2(PG_FUNCTION_ARGS) {
  return chatopt::receipts::remove(PG_GETARG_DATUM(0), PG_GETARG_INT16(1));
}
Datum chatopt_receipt_bitmap_remove_int4(PG_FUNCTION_ARGS) {
  return chatopt::receipts::remove(PG_GETARG_DATUM(0), PG_GETARG_INT32(1));
}
Datum chatopt_receipt_bitmap_remove_int8(PG_FUNCTION_ARGS) {
  return chatopt::receipts::remove(PG_GETARG_DATUM(0), PG_GETARG_INT64(1));
}

// add_range(members receipt_bitmap, lower bigint, upper bigint) -> receipt_bitmap
Datum chatopt_add_range(PG_FUNCTION_ARGS) {
  const int64 lower = PG_GETARG_INT64(1);
  const int64 upper = PG_GETARG_INT64(2);
  chatopt::receipts::check_range(lower, upper);
  const chatopt::core::Bytes set = chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0));
  const chatopt::pg::VarlenaResult result(chatopt::core::bitmap_insert_range_bound(set, lower, upper));
  return result.finish(chatopt::core::bitmap_insert_range(set, lower, upper, result.payload()));
}

// remove_range(members receipt_bitmap, lower bigint, upper bigint) -> receipt_bitmap
Datum chatopt_remove_range(PG_FUNCTION_ARGS) {
  const int64 lower = PG_GETARG_INT64(1);
  const int64 upper = PG_GETARG_INT64(2);
  const chatopt::core::Bytes set = chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0));
  const chatopt::pg::VarlenaResult result(chatopt::core::bitmap_erase_range_bound(set, lower, upper));
  return result.finish(chatopt::core::bitmap_erase_range(set, lower, upper, result.payload()));
}
