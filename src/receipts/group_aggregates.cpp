// group_receipts_agg() and group_receipts_merge_agg(). The state is a builder
// that lives, with all its memory, in the aggregate's memory context; nothing
// has to destroy it. Between workers it travels as a stored value.

#include <algorithm>

#include "receipts/group_receipts.hpp"
#include "pg/boundary.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_group_receipts_agg_step_int2);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_agg_step_int4);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_agg_step_int8);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_merge_step);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_combine);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_serialize);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_deserialize);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_final);
PGDLLEXPORT Datum chatopt_group_receipts_agg_step_int2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_agg_step_int4(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_agg_step_int8(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_merge_step(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_combine(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_serialize(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_deserialize(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_final(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {
namespace {

using core::ReceiptsBuilder;
using core::ReceiptStatus;

MemoryContext aggregate_context(FunctionCallInfo fcinfo) {
  MemoryContext context = nullptr;
  if (AggCheckCallContext(fcinfo, &context) == 0)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("aggregate support function called outside of an aggregate")));
  return context;
}

// The state in argument n, or nullptr.
ReceiptsBuilder* state_argument(FunctionCallInfo fcinfo, int n) {
  return PG_ARGISNULL(n) ? nullptr : reinterpret_cast<ReceiptsBuilder*>(PG_GETARG_POINTER(n));
}

ReceiptsBuilder* own_state(FunctionCallInfo fcinfo) {
  MemoryContext const context = aggregate_context(fcinfo);
  ReceiptsBuilder* state = state_argument(fcinfo, 0);
  return state != nullptr ? state : make_builder(context);
}

Datum state_datum(FunctionCallInfo fcinfo, ReceiptsBuilder* state) {
  if (state == nullptr) PG_RETURN_NULL();
  PG_RETURN_POINTER(state);
}

ReceiptStatus status_argument(Datum value) {
  const core::Bytes word = pg::varlena_bytes(value);
  const auto is = [&](const char* status) {
    const std::size_t length = strlen(status);
    return word.size() == length && pg_strncasecmp(reinterpret_cast<const char*>(word.data()), status, length) == 0;
  };
  if (is("seen")) return ReceiptStatus::kSeen;
  if (is("delivered")) return ReceiptStatus::kDelivered;
  if (is("sent")) return ReceiptStatus::kSent;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("unknown receipt status \"%.*s\"", static_cast<int>(std::min<std::size_t>(word.size(), 100)),
                         reinterpret_cast<const char*>(word.data())),
                  errhint("A status is sent, delivered or seen; translate others with CASE.")));
  pg_unreachable();
}

Datum add_row(FunctionCallInfo fcinfo, int64 slot) {
  ReceiptsBuilder* state = own_state(fcinfo);
  const core::Member member = slot_argument(slot);
  const ReceiptStatus status = status_argument(PG_GETARG_DATUM(2));
  pg::cpp_zone([=] { state->insert(member, status); });
  return state_datum(fcinfo, state);
}

bool has_null(FunctionCallInfo fcinfo) { return PG_ARGISNULL(1) || PG_ARGISNULL(2); }

// The state as a value, which serves as its serialized form too.
Datum value_of(const ReceiptsBuilder& state) {
  Workspace workspace;
  return receipts_datum(state.write(workspace.take(state.bound())));
}

void merge_into(ReceiptsBuilder* state, core::Bytes bytes) {
  const core::Receipts receipts = core::receipts_view(bytes);
  pg::cpp_zone([=, &receipts] { state->merge(receipts); });
}

}  // namespace
}  // namespace chatopt::receipts

// group_receipts_agg_step(state internal, slot smallint | int | bigint, status text) -> internal
Datum chatopt_group_receipts_agg_step_int2(PG_FUNCTION_ARGS) {
  using namespace chatopt::receipts;
  return has_null(fcinfo) ? state_datum(fcinfo, state_argument(fcinfo, 0)) : add_row(fcinfo, PG_GETARG_INT16(1));
}
Datum chatopt_group_receipts_agg_step_int4(PG_FUNCTION_ARGS) {
  using namespace chatopt::receipts;
  return has_null(fcinfo) ? state_datum(fcinfo, state_argument(fcinfo, 0)) : add_row(fcinfo, PG_GETARG_INT32(1));
}
Datum chatopt_group_receipts_agg_step_int8(PG_FUNCTION_ARGS) {
  using namespace chatopt::receipts;
  return has_null(fcinfo) ? state_datum(fcinfo, state_argument(fcinfo, 0)) : add_row(fcinfo, PG_GETARG_INT64(1));
}

// group_receipts_merge_step(state internal, receipts group_receipts) -> internal
Datum chatopt_group_receipts_merge_step(PG_FUNCTION_ARGS) {
  using namespace chatopt::receipts;
  if (PG_ARGISNULL(1)) return state_datum(fcinfo, state_argument(fcinfo, 0));
  ReceiptsBuilder* state = own_state(fcinfo);
  merge_into(state, chatopt::pg::varlena_bytes(PG_GETARG_DATUM(1)));
  return state_datum(fcinfo, state);
}

// group_receipts_combine(state internal, other internal) -> internal
Datum chatopt_group_receipts_combine(PG_FUNCTION_ARGS) {
  using namespace chatopt::receipts;
  ReceiptsBuilder* const other = state_argument(fcinfo, 1);
  if (other == nullptr) return state_datum(fcinfo, state_argument(fcinfo, 0));
  // The other state may live shorter than this one, so it is copied.
  ReceiptsBuilder* state = own_state(fcinfo);
  merge_into(state, chatopt::pg::varlena_bytes(value_of(*other)));
  return state_datum(fcinfo, state);
}

// group_receipts_serialize(state internal) -> bytea
Datum chatopt_group_receipts_serialize(PG_FUNCTION_ARGS) {
  using namespace chatopt::receipts;
  (void)aggregate_context(fcinfo);
  return value_of(*state_argument(fcinfo, 0));
}

// group_receipts_deserialize(bytes bytea, state internal) -> internal
Datum chatopt_group_receipts_deserialize(PG_FUNCTION_ARGS) {
  using namespace chatopt::receipts;
  (void)aggregate_context(fcinfo);
  const chatopt::core::Bytes bytes = chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0));
  check_bytes(bytes);
  // It is combined into another one at once and may go with this call's memory.
  ReceiptsBuilder* state = make_builder(CurrentMemoryContext);
  merge_into(state, bytes);
  PG_RETURN_POINTER(state);
}

// group_receipts_final(state internal) -> group_receipts
Datum chatopt_group_receipts_final(PG_FUNCTION_ARGS) {
  using namespace chatopt::receipts;
  (void)aggregate_context(fcinfo);
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  return value_of(*state_argument(fcinfo, 0));
}
