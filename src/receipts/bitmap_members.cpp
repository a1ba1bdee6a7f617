// A set as rows and as int[], and int[] as a set.

#include <new>

#include "core/bitmap/bitmap.hpp"
#include "pg/boundary.hpp"
#include "receipts/receipt_bitmap.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_members);
PG_FUNCTION_INFO_V1(chatopt_members_support);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_from_array);
PG_FUNCTION_INFO_V1(chatopt_receipt_bitmap_to_array);
PGDLLEXPORT Datum chatopt_members(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_members_support(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_from_array(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_bitmap_to_array(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {
namespace {

// Where a scan of the members stands. left counts what is left of the run.
struct MembersScan {
  core::BitmapRuns runs;
  core::Member next = 0;
  uint32 left = 0;

  explicit MembersScan(core::Bytes set) noexcept : runs(set) {}
  bool next_member(core::Member* member) {
    if (left == 0) {
      core::Run run;
      if (!runs.next(run)) return false;
      next = run.first;
      left = run.last - run.first + 1;
    }
    *member = next++;
    --left;
    return true;
  }
};

MembersScan* begin_members(FunctionCallInfo fcinfo, MemoryContext context) {
  MemoryContext const caller = MemoryContextSwitchTo(context);
  // A copy: the argument may be gone at the next call.
  const Datum copy = pg::varlena_datum(pg::varlena_bytes(PG_GETARG_DATUM(0)));
  auto* scan = new (palloc(sizeof(MembersScan))) MembersScan(pg::varlena_bytes(copy));
  MemoryContextSwitchTo(caller);
  return scan;
}

// The members as the elements of an int[], written run by run.
Datum array_of(core::Bytes set) {
  const int64 count = core::bitmap_cardinality(set);
  if (count == 0) return PointerGetDatum(construct_empty_array(INT4OID));
  if (count > int64{MaxArraySize})
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("set has too many members for an array"),
                    errdetail("It has %lld members, an array has at most %zu elements.", static_cast<long long>(count),
                              MaxArraySize),
                    errhint("Use members() to have them one by one.")));
  const Size size = ARR_OVERHEAD_NONULLS(1) + static_cast<Size>(count) * sizeof(int32);
  auto* array = static_cast<ArrayType*>(palloc(size));
  pg::varlena_set_size(array, size);
  array->ndim = 1;
  array->dataoffset = 0;
  array->elemtype = INT4OID;
  ARR_DIMS(array)[0] = static_cast<int>(count);
  ARR_LBOUND(array)[0] = 1;
  auto* element = reinterpret_cast<int32*>(ARR_DATA_PTR(array));
  core::BitmapRuns runs(set);
  for (core::Run run; runs.next(run);) {
    CHECK_FOR_INTERRUPTS();
    for (core::Member member = run.first; member <= run.last; ++member) *element++ = static_cast<int32>(member);
  }
  return PointerGetDatum(array);
}

Datum set_of(const int32* elements, int count) {
  constexpr int kAtOnce = 1 << 20;  // between two looks at whether the statement is cancelled
  auto* state = new (palloc(sizeof(SetState))) SetState(CurrentMemoryContext);
  for (int done = 0; done < count; done += kAtOnce) {
    CHECK_FOR_INTERRUPTS();
    const int end = Min(count, done + kAtOnce);
    for (int i = done; i < end; ++i) (void)member_argument(elements[i]);
    pg::cpp_zone([=] {
      for (int i = done; i < end; ++i) state->builder.insert(static_cast<core::Member>(elements[i]));
    });
  }
  return set_datum(*state);
}

}  // namespace
}  // namespace chatopt::receipts

// members(members receipt_bitmap) -> setof int, ascending
Datum chatopt_members(PG_FUNCTION_ARGS) {
  FuncCallContext* context;
  if (SRF_IS_FIRSTCALL()) {
    context = SRF_FIRSTCALL_INIT();
    context->user_fctx = chatopt::receipts::begin_members(fcinfo, context->multi_call_memory_ctx);
  }
  context = SRF_PERCALL_SETUP();
  chatopt::core::Member member = 0;
  if (!static_cast<chatopt::receipts::MembersScan*>(context->user_fctx)->next_member(&member)) SRF_RETURN_DONE(context);
  SRF_RETURN_NEXT(context, Int32GetDatum(static_cast<int32>(member)));
}

// members_support(request internal) -> internal: how many rows members() of a constant returns
Datum chatopt_members_support(PG_FUNCTION_ARGS) {
  auto* node = reinterpret_cast<Node*>(PG_GETARG_POINTER(0));
  if (!IsA(node, SupportRequestRows)) PG_RETURN_POINTER(nullptr);
  auto* request = reinterpret_cast<SupportRequestRows*>(node);
  if (!is_funcclause(request->node)) PG_RETURN_POINTER(nullptr);
  auto* argument = static_cast<Node*>(linitial(reinterpret_cast<FuncExpr*>(request->node)->args));
  Node* const estimated = estimate_expression_value(request->root, argument);
  if (!IsA(estimated, Const)) PG_RETURN_POINTER(nullptr);
  auto* constant = reinterpret_cast<Const*>(estimated);
  request->rows =
      constant->constisnull
          ? 0
          : static_cast<double>(chatopt::core::bitmap_cardinality(chatopt::pg::varlena_bytes(constant->constvalue)));
  PG_RETURN_POINTER(request);
}

// receipt_bitmap_from_array(elements int[]) -> receipt_bitmap: of any dimensions, as unnest reads them
Datum chatopt_receipt_bitmap_from_array(PG_FUNCTION_ARGS) {
  const ArrayType* array = PG_GETARG_ARRAYTYPE_P(0);
  if (array_contains_nulls(const_cast<ArrayType*>(array)))
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a set cannot have a null member"),
                    errhint("Use array_remove(elements, NULL).")));
  const int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
  return chatopt::receipts::set_of(reinterpret_cast<const int32*>(ARR_DATA_PTR(array)), count);
}

// receipt_bitmap_to_array(members receipt_bitmap) -> int[], ascending
Datum chatopt_receipt_bitmap_to_array(PG_FUNCTION_ARGS) {
  return chatopt::receipts::array_of(chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0)));
}
