// Equality, order and hash of receipt_bitmap: on the members, never on the
// stored form. Sorts and index builds call these in one memory context, so what
// was fetched is given back.

#include "core/bitmap/bitmap.hpp"
#include "receipts/receipt_bitmap.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_eq);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_ne);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_lt);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_le);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_gt);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_ge);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_cmp);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_hash);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_hash_extended);
PGDLLEXPORT Datum chatopt_receipt_bitmap_eq(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_ne(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_lt(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_le(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_gt(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_ge(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_cmp(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_hash(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_hash_extended(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {
namespace {

bool equal(FunctionCallInfo fcinfo) {
  pg::VarlenaArgument a(PG_GETARG_DATUM(0));
  pg::VarlenaArgument b(PG_GETARG_DATUM(1));
  const bool result = core::bitmap_equals(a.bytes(), b.bytes());
  a.release();
  b.release();
  return result;
}

int compare(FunctionCallInfo fcinfo) {
  pg::VarlenaArgument a(PG_GETARG_DATUM(0));
  pg::VarlenaArgument b(PG_GETARG_DATUM(1));
  const int result = core::bitmap_compare(a.bytes(), b.bytes());
  a.release();
  b.release();
  return result;
}

uint64 hash(FunctionCallInfo fcinfo, uint64 seed) {
  pg::VarlenaArgument set(PG_GETARG_DATUM(0));
  const uint64 result = core::bitmap_hash(set.bytes(), seed);
  set.release();
  return result;
}

}  // namespace
}  // namespace chatopt::receipts

// receipt_bitmap_eq … receipt_bitmap_ge(members receipt_bitmap, other receipt_bitmap) -> boolean
Datum chatopt_receipt_bitmap_eq(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(chatopt::receipts::equal(fcinfo)); }
Datum chatopt_receipt_bitmap_ne(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(!chatopt::receipts::equal(fcinfo)); }
Datum chatopt_receipt_bitmap_lt(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(chatopt::receipts::compare(fcinfo) < 0); }
Datum chatopt_receipt_bitmap_le(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(chatopt::receipts::compare(fcinfo) <= 0); }
Datum chatopt_receipt_bitmap_gt(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(chatopt::receipts::compare(fcinfo) > 0); }
Datum chatopt_receipt_bitmap_ge(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(chatopt::receipts::compare(fcinfo) >= 0); }

// receipt_bitmap_cmp(members receipt_bitmap, other receipt_bitmap) -> int
Datum chatopt_receipt_bitmap_cmp(PG_FUNCTION_ARGS) { PG_RETURN_INT32(chatopt::receipts::compare(fcinfo)); }

// receipt_bitmap_hash(members receipt_bitmap) -> int: the lower half of the extended hash, as hash access methods want
// it
Datum chatopt_receipt_bitmap_hash(PG_FUNCTION_ARGS) {
  PG_RETURN_UINT32(static_cast<uint32>(chatopt::receipts::hash(fcinfo, 0)));
}

// receipt_bitmap_hash_extended(members receipt_bitmap, seed bigint) -> bigint
Datum chatopt_receipt_bitmap_hash_extended(PG_FUNCTION_ARGS) {
  PG_RETURN_UINT64(chatopt::receipts::hash(fcinfo, static_cast<uint64>(PG_GETARG_INT64(1))));
}
