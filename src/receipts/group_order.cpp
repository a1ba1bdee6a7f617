// Equality, order and hash of receipts: on the members of their sets.

#include "receipts/group_receipts.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_group_receipts_eq);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_ne);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_lt);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_le);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_gt);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_ge);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_cmp);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_hash);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_hash_extended);
PGDLLEXPORT Datum chatopt_group_receipts_eq(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_ne(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_lt(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_le(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_gt(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_ge(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_cmp(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_hash(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_hash_extended(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {
namespace {

// Sorting and hashing call these in one memory context for all rows: what was
// fetched for a comparison is given back.
template <class Look>
auto looked_at(Datum value, Look&& look) {
  pg::VarlenaArgument argument(value);
  const auto result = look(core::receipts_view(argument.bytes()));
  argument.release();
  return result;
}

bool equal(FunctionCallInfo fcinfo) {
  return looked_at(PG_GETARG_DATUM(0), [fcinfo](const core::Receipts& left) {
    return looked_at(PG_GETARG_DATUM(1),
                     [&left](const core::Receipts& right) { return core::receipts_equal(left, right); });
  });
}

int compare(FunctionCallInfo fcinfo) {
  return looked_at(PG_GETARG_DATUM(0), [fcinfo](const core::Receipts& left) {
    return looked_at(PG_GETARG_DATUM(1),
                     [&left](const core::Receipts& right) { return core::receipts_compare(left, right); });
  });
}

uint64 hash(FunctionCallInfo fcinfo, uint64 seed) {
  return looked_at(PG_GETARG_DATUM(0),
                   [=](const core::Receipts& receipts) { return core::receipts_hash(receipts, seed); });
}

}  // namespace
}  // namespace chatopt::receipts

// group_receipts_eq … group_receipts_ge(receipts group_receipts, other group_receipts) -> boolean
Datum chatopt_group_receipts_eq(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(chatopt::receipts::equal(fcinfo)); }
Datum chatopt_group_receipts_ne(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(!chatopt::receipts::equal(fcinfo)); }
Datum chatopt_group_receipts_lt(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(chatopt::receipts::compare(fcinfo) < 0); }
Datum chatopt_group_receipts_le(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(chatopt::receipts::compare(fcinfo) <= 0); }
Datum chatopt_group_receipts_gt(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(chatopt::receipts::compare(fcinfo) > 0); }
Datum chatopt_group_receipts_ge(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(chatopt::receipts::compare(fcinfo) >= 0); }

// group_receipts_cmp(receipts group_receipts, other group_receipts) -> int
Datum chatopt_group_receipts_cmp(PG_FUNCTION_ARGS) { PG_RETURN_INT32(chatopt::receipts::compare(fcinfo)); }

// group_receipts_hash(receipts group_receipts) -> int: the lower half of the extended hash, as hash access methods want
// it
Datum chatopt_group_receipts_hash(PG_FUNCTION_ARGS) {
  PG_RETURN_UINT32(static_cast<uint32>(chatopt::receipts::hash(fcinfo, 0)));
}

// group_receipts_hash_extended(receipts group_receipts, seed bigint) -> bigint
Datum chatopt_group_receipts_hash_extended(PG_FUNCTION_ARGS) {
  PG_RETURN_UINT64(chatopt::receipts::hash(fcinfo, static_cast<uint64>(PG_GETARG_INT64(1))));
}
