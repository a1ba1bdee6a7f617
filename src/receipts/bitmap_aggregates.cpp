// Aggregates that make one set out of many members or sets. The state is a
// builder in the aggregate's memory, which ends with that memory; between
// workers it travels as the stored form of the set.

#include <new>

#include "core/bitmap/bitmap.hpp"
#include "pg/boundary.hpp"
#include "receipts/receipt_bitmap.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_agg_step_int2);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_agg_step_int4);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_agg_step_int8);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_or_step);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_and_step);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_or_combine);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_and_combine);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_serialize);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_deserialize);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_final);
PGDLLEXPORT Datum chatopt_receipt_bitmap_agg_step_int2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_agg_step_int4(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_agg_step_int8(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_or_step(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_and_step(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_or_combine(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_and_combine(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_serialize(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_deserialize(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_final(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {
namespace {

SetState* new_state(MemoryContext context) {
  return new (MemoryContextAlloc(context, sizeof(SetState))) SetState(context);
}

SetState* state_argument(FunctionCallInfo fcinfo, int number) {
  return PG_ARGISNULL(number) ? nullptr : reinterpret_cast<SetState*>(PG_GETARG_POINTER(number));
}

MemoryContext aggregate_memory(FunctionCallInfo fcinfo) {
  MemoryContext context = nullptr;
  if (AggCheckCallContext(fcinfo, &context) == 0) elog(ERROR, "aggregate function called outside an aggregate");
  return context;
}

Datum state_result(FunctionCallInfo fcinfo, SetState* state) {
  if (state == nullptr) PG_RETURN_NULL();
  PG_RETURN_POINTER(state);
}

Datum insert(FunctionCallInfo fcinfo, int64 argument) {
  const core::Member member = member_argument(argument);
  SetState* state = state_argument(fcinfo, 0);
  if (state == nullptr) state = new_state(aggregate_memory(fcinfo));
  pg::cpp_zone([=] { state->builder.insert(member); });
  PG_RETURN_POINTER(state);
}

enum class Fold { kOr, kAnd };

// The first set is the state; every other is added to it, or keeps of it what
// is in both.
Datum fold(FunctionCallInfo fcinfo, SetState* state, core::Bytes set, Fold how) {
  const bool first = state == nullptr;
  if (first) state = new_state(aggregate_memory(fcinfo));
  pg::cpp_zone([=] {
    if (first || how == Fold::kOr)
      state->builder.merge(set);
    else if (!state->builder.empty())
      state->builder.intersect(set);
  });
  PG_RETURN_POINTER(state);
}

Datum step(FunctionCallInfo fcinfo, Fold how) {
  SetState* const state = state_argument(fcinfo, 0);
  if (PG_ARGISNULL(1)) return state_result(fcinfo, state);
  return fold(fcinfo, state, pg::varlena_bytes(PG_GETARG_DATUM(1)), how);
}

// The other state lives in memory of its own, for the length of this call.
Datum combine(FunctionCallInfo fcinfo, Fold how) {
  SetState* const state = state_argument(fcinfo, 0);
  const SetState* const other = state_argument(fcinfo, 1);
  if (other == nullptr) return state_result(fcinfo, state);
  return fold(fcinfo, state, pg::varlena_bytes(set_datum(*other)), how);
}

}  // namespace
}  // namespace chatopt::receipts

// receipt_bitmap_agg_step(state internal, member smallint | int | bigint) -> internal
Datum chatopt_receipt_bitmap_agg_step_int2(PG_FUNCTION_ARGS) {
  if (PG_ARGISNULL(1)) return chatopt::receipts::state_result(fcinfo, chatopt::receipts::state_argument(fcinfo, 0));
  return chatopt::receipts::insert(fcinfo, PG_GETARG_INT16(1));
}
Datum chatopt_receipt_bitmap_agg_step_int4(PG_FUNCTION_ARGS) {
  if (PG_ARGISNULL(1)) return chatopt::receipts::state_result(fcinfo, chatopt::receipts::state_argument(fcinfo, 0));
  return chatopt::receipts::insert(fcinfo, PG_GETARG_INT32(1));
}
Datum chatopt_receipt_bitmap_agg_step_int8(PG_FUNCTION_ARGS) {
  if (PG_ARGISNULL(1)) return chatopt::receipts::state_result(fcinfo, chatopt::receipts::state_argument(fcinfo, 0));
  return chatopt::receipts::insert(fcinfo, PG_GETARG_INT64(1));
}

// receipt_bitmap_or_step, receipt_bitmap_and_step(state internal, members receipt_bitmap) -> internal
Datum chatopt_receipt_bitmap_or_step(PG_FUNCTION_ARGS) {
  return chatopt::receipts::step(fcinfo, chatopt::receipts::Fold::kOr);
}
Datum chatopt_receipt_bitmap_and_step(PG_FUNCTION_ARGS) {
  return chatopt::receipts::step(fcinfo, chatopt::receipts::Fold::kAnd);
}

// receipt_bitmap_or_combine, receipt_bitmap_and_combine(state internal, other internal) -> internal
Datum chatopt_receipt_bitmap_or_combine(PG_FUNCTION_ARGS) {
  return chatopt::receipts::combine(fcinfo, chatopt::receipts::Fold::kOr);
}
Datum chatopt_receipt_bitmap_and_combine(PG_FUNCTION_ARGS) {
  return chatopt::receipts::combine(fcinfo, chatopt::receipts::Fold::kAnd);
}

// receipt_bitmap_serialize(state internal) -> bytea
Datum chatopt_receipt_bitmap_serialize(PG_FUNCTION_ARGS) {
  return chatopt::receipts::set_datum(*chatopt::receipts::state_argument(fcinfo, 0));
}

// receipt_bitmap_deserialize(bytes bytea, state internal) -> internal
Datum chatopt_receipt_bitmap_deserialize(PG_FUNCTION_ARGS) {
  (void)chatopt::receipts::aggregate_memory(fcinfo);
  const chatopt::core::Bytes bytes = chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0));
  if (!chatopt::core::bitmap_is_valid(bytes))
    ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                    errmsg("invalid binary representation of type %s", "receipt_bitmap")));
  chatopt::receipts::SetState* const state = chatopt::receipts::new_state(CurrentMemoryContext);
  chatopt::pg::cpp_zone([=] { state->builder.merge(bytes); });
  PG_RETURN_POINTER(state);
}

// receipt_bitmap_final(state internal) -> receipt_bitmap
Datum chatopt_receipt_bitmap_final(PG_FUNCTION_ARGS) {
  return chatopt::receipts::set_datum(*chatopt::receipts::state_argument(fcinfo, 0));
}
