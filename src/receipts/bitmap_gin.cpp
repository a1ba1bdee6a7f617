// GIN: one key for each member, an int. A set of two billion members takes six
// bytes and would make as many keys, so the number of keys is limited; queries
// beyond what is worth looking up use fewer keys, or none, and check each row.

#include "core/bitmap/bitmap.hpp"
#include "receipts/receipt_bitmap.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_gin_extract_value);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_gin_extract_query);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_gin_consistent);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_gin_triconsistent);
PGDLLEXPORT Datum chatopt_receipt_bitmap_gin_extract_value(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_gin_extract_query(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_gin_consistent(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_gin_triconsistent(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {
namespace {

// As in the operator class of sql/install/61-receipt-bitmap-indexes.sql.
enum Strategy : StrategyNumber {
  kOverlaps = 1,
  kContains = 2,
  kContainsInt2 = 3,
  kContainsInt4 = 4,
  kContainsInt8 = 5,
  kEquals = 6,
};

constexpr int32 kMaxIndexed = 100000;
// Every row found looks at every key of the query. All of these members must be there, so a part of them finds the
// candidates; of those any may be, so beyond the limit only reading the whole index would do.
constexpr int32 kMaxRequired = 256;
constexpr int64 kMaxAlternatives = 10000;

Datum* keys_of(core::Bytes set, int32 limit) {
  auto* keys = static_cast<Datum*>(palloc(static_cast<Size>(limit) * sizeof(Datum)));
  int32 count = 0;
  core::BitmapRuns runs(set);
  for (core::Run run; count < limit && runs.next(run);)
    for (core::Member member = run.first; member <= run.last && count < limit; ++member)
      keys[count++] = Int32GetDatum(static_cast<int32>(member));
  return keys;
}

Datum* one_key(int64 argument, int32* count) {
  auto* key = static_cast<Datum*>(palloc(sizeof(Datum)));
  *key = Int32GetDatum(static_cast<int32>(member_argument(argument)));
  *count = 1;
  return key;
}

Datum* query_keys(Datum query, Strategy strategy, int32* count, int32* search_mode) {
  const core::Bytes set = pg::varlena_bytes(query);
  const int64 members = core::bitmap_cardinality(set);
  if (members == 0) {
    // Every set holds the empty one, only an empty one equals it, and none overlaps it.
    if (strategy == kContains) *search_mode = GIN_SEARCH_MODE_ALL;
    if (strategy == kEquals) *search_mode = GIN_SEARCH_MODE_INCLUDE_EMPTY;
    return nullptr;
  }
  if (strategy == kOverlaps && members > kMaxAlternatives) {
    *search_mode = GIN_SEARCH_MODE_ALL;
    return nullptr;
  }
  *count = static_cast<int32>(strategy == kOverlaps ? members : Min(members, int64{kMaxRequired}));
  return keys_of(set, *count);
}

// What a row needs beyond its keys: nothing, if they say it all.
bool needs_recheck(Strategy strategy, int32 keys) {
  switch (strategy) {
    case kOverlaps:
      return keys == 0;
    case kContains:
      return keys == kMaxRequired;
    case kEquals:
      return keys != 0;
    case kContainsInt2:
    case kContainsInt4:
    case kContainsInt8:
      break;
  }
  return false;
}

}  // namespace
}  // namespace chatopt::receipts

using chatopt::receipts::Strategy;

// receipt_bitmap_gin_extract_value(members receipt_bitmap, keys internal) -> internal
Datum chatopt_receipt_bitmap_gin_extract_value(PG_FUNCTION_ARGS) {
  const chatopt::core::Bytes set = chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0));
  auto* count = reinterpret_cast<int32*>(PG_GETARG_POINTER(1));
  const int64 members = chatopt::core::bitmap_cardinality(set);
  if (members > chatopt::receipts::kMaxIndexed)
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("set has too many members for a GIN index"),
                    errdetail("It has %lld members, the limit is %d.", static_cast<long long>(members),
                              chatopt::receipts::kMaxIndexed),
                    errhint("Index smaller sets only, by a partial index with WHERE cardinality(...) <= %d.",
                            chatopt::receipts::kMaxIndexed)));
  *count = static_cast<int32>(members);
  PG_RETURN_POINTER(members == 0 ? nullptr : chatopt::receipts::keys_of(set, *count));
}

// receipt_bitmap_gin_extract_query(query receipt_bitmap, …) -> internal; for @> with a number the query is that number
Datum chatopt_receipt_bitmap_gin_extract_query(PG_FUNCTION_ARGS) {
  auto* count = reinterpret_cast<int32*>(PG_GETARG_POINTER(1));
  const auto strategy = static_cast<Strategy>(PG_GETARG_UINT16(2));
  auto* extra = reinterpret_cast<Pointer**>(PG_GETARG_POINTER(4));
  auto* search_mode = reinterpret_cast<int32*>(PG_GETARG_POINTER(6));
  *count = 0;
  switch (strategy) {
    case Strategy::kContainsInt2:
      PG_RETURN_POINTER(chatopt::receipts::one_key(PG_GETARG_INT16(0), count));
    case Strategy::kContainsInt4:
      PG_RETURN_POINTER(chatopt::receipts::one_key(PG_GETARG_INT32(0), count));
    case Strategy::kContainsInt8:
      PG_RETURN_POINTER(chatopt::receipts::one_key(PG_GETARG_INT64(0), count));
    case Strategy::kOverlaps:
    case Strategy::kContains:
    case Strategy::kEquals:
      break;
  }
  Datum* const keys = chatopt::receipts::query_keys(PG_GETARG_DATUM(0), strategy, count, search_mode);
  // Keys with extra data are not compared with every key before them, in time square to their number, for equal ones.
  if (*count > 1) {
    *extra = static_cast<Pointer*>(palloc(static_cast<Size>(*count) * sizeof(Pointer)));
    for (int32 i = 0; i < *count; ++i) (*extra)[i] = reinterpret_cast<Pointer>(keys);
  }
  PG_RETURN_POINTER(keys);
}

// receipt_bitmap_gin_consistent(check internal, strategy smallint, query receipt_bitmap, keys int, …) -> boolean
Datum chatopt_receipt_bitmap_gin_consistent(PG_FUNCTION_ARGS) {
  const auto* check = reinterpret_cast<const bool*>(PG_GETARG_POINTER(0));
  const auto strategy = static_cast<Strategy>(PG_GETARG_UINT16(1));
  const int32 keys = PG_GETARG_INT32(3);
  *reinterpret_cast<bool*>(PG_GETARG_POINTER(5)) = chatopt::receipts::needs_recheck(strategy, keys);
  int32 found = 0;
  for (int32 i = 0; i < keys; ++i) found += check[i] ? 1 : 0;
  PG_RETURN_BOOL(strategy == Strategy::kOverlaps ? found > 0 || keys == 0 : found == keys);
}

// receipt_bitmap_gin_triconsistent(check internal, strategy smallint, query receipt_bitmap, keys int, …) -> "char"
Datum chatopt_receipt_bitmap_gin_triconsistent(PG_FUNCTION_ARGS) {
  const auto* check = reinterpret_cast<const GinTernaryValue*>(PG_GETARG_POINTER(0));
  const auto strategy = static_cast<Strategy>(PG_GETARG_UINT16(1));
  const int32 keys = PG_GETARG_INT32(3);
  const GinTernaryValue met = chatopt::receipts::needs_recheck(strategy, keys) ? GIN_MAYBE : GIN_TRUE;
  int32 there = 0;
  int32 missing = 0;
  for (int32 i = 0; i < keys; ++i) {
    there += check[i] == GIN_TRUE ? 1 : 0;
    missing += check[i] == GIN_FALSE ? 1 : 0;
  }
  if (strategy == Strategy::kOverlaps) {
    if (there > 0 || keys == 0) PG_RETURN_GIN_TERNARY_VALUE(met);
    PG_RETURN_GIN_TERNARY_VALUE(missing == keys ? GIN_FALSE : GIN_MAYBE);
  }
  if (missing > 0) PG_RETURN_GIN_TERNARY_VALUE(GIN_FALSE);
  PG_RETURN_GIN_TERNARY_VALUE(there == keys ? met : GIN_MAYBE);
}
