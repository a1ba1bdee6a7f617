// Making receipts and changing them: constructors, mark_delivered, mark_seen,
// and the merge behind the operator |.

#include "receipts/group_receipts.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_group_receipts);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_int2);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_int4);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_int8);
PG_FUNCTION_INFO_V1(chatopt_mark_delivered);
PG_FUNCTION_INFO_V1(chatopt_mark_delivered_int2);
PG_FUNCTION_INFO_V1(chatopt_mark_delivered_int4);
PG_FUNCTION_INFO_V1(chatopt_mark_delivered_int8);
PG_FUNCTION_INFO_V1(chatopt_mark_delivered_text);
PG_FUNCTION_INFO_V1(chatopt_mark_seen);
PG_FUNCTION_INFO_V1(chatopt_mark_seen_int2);
PG_FUNCTION_INFO_V1(chatopt_mark_seen_int4);
PG_FUNCTION_INFO_V1(chatopt_mark_seen_int8);
PG_FUNCTION_INFO_V1(chatopt_mark_seen_text);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_merge);
PGDLLEXPORT Datum chatopt_group_receipts(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_int2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_int4(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_int8(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_mark_delivered(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_mark_delivered_int2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_mark_delivered_int4(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_mark_delivered_int8(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_mark_delivered_text(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_mark_seen(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_mark_seen_int2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_mark_seen_int4(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_mark_seen_int8(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_mark_seen_text(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_merge(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {
namespace {

using core::ReceiptStatus;

// Slots 0 … count-1.
Datum first_slots(int64 count) {
  constexpr int64 kSlots = int64{core::kMaxMember} + 1;
  if (count < 0 || count > kSlots)
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                    errmsg("number of recipients %lld is out of range", static_cast<long long>(count)),
                    errdetail("A group has 0 to %lld slots.", static_cast<long long>(kSlots))));
  const core::Bytes none = core::empty_set();
  Workspace workspace;
  std::byte* set = workspace.take(core::bitmap_insert_range_bound(none, 0, count));
  const std::size_t size = core::bitmap_insert_range(none, 0, count, set);
  return receipts_datum({{set, size}, none, none});
}

Datum mark_slot(Datum value, int64 slot, ReceiptStatus status) {
  const core::Member member = slot_argument(slot);
  const core::Bytes bytes = pg::varlena_bytes(value);
  core::Receipts receipts = core::receipts_view(bytes);
  Workspace workspace;
  std::byte* space = workspace.take(core::receipts_mark_bound(receipts, member));
  return core::receipts_mark(receipts, status, member, space) ? receipts_datum(receipts) : value;
}

Datum mark_set(Datum value, core::Bytes slots, ReceiptStatus status) {
  core::Receipts receipts = receipts_argument(value);
  Workspace for_slots;
  if (!core::bitmap_contains(receipts.recipients, slots)) {
    constexpr auto kIntersection = core::SetOperation::kIntersection;
    std::byte* space = for_slots.take(core::bitmap_bound(kIntersection, receipts.recipients, slots));
    slots = {space, core::bitmap_apply(kIntersection, receipts.recipients, slots, space)};
  }
  Workspace workspace;
  std::byte* space = workspace.take(core::receipts_mark_bound(receipts, slots));
  return core::receipts_mark(receipts, status, slots, space) ? receipts_datum(receipts) : value;
}

// A slot or a set of slots, as the text form of receipt_bitmap has them.
Datum mark_text(FunctionCallInfo fcinfo, ReceiptStatus status) {
  const char* given = text_to_cstring(PG_GETARG_TEXT_PP(1));
  const Datum slots = DirectFunctionCall1(chatopt_receipt_bitmap_in, CStringGetDatum(given));
  return mark_set(PG_GETARG_DATUM(0), pg::varlena_bytes(slots), status);
}

Datum merge(Datum left, Datum right) {
  core::Receipts receipts = receipts_argument(left);
  const core::Receipts other = receipts_argument(right);
  Workspace workspace;
  std::byte* space = workspace.take(core::receipts_merge_bound(receipts, other));
  return core::receipts_merge(receipts, other, space) ? receipts_datum(receipts) : left;
}

}  // namespace
}  // namespace chatopt::receipts

using chatopt::core::ReceiptStatus;

// group_receipts(recipients receipt_bitmap) -> group_receipts
Datum chatopt_group_receipts(PG_FUNCTION_ARGS) {
  const auto none = chatopt::core::empty_set();
  return chatopt::receipts::receipts_datum({chatopt::pg::varlena_bytes(PG_GETARG_DATUM(0)), none, none});
}

// group_receipts(n smallint | int | bigint) -> group_receipts
Datum chatopt_group_receipts_int2(PG_FUNCTION_ARGS) { return chatopt::receipts::first_slots(PG_GETARG_INT16(0)); }
Datum chatopt_group_receipts_int4(PG_FUNCTION_ARGS) { return chatopt::receipts::first_slots(PG_GETARG_INT32(0)); }
Datum chatopt_group_receipts_int8(PG_FUNCTION_ARGS) { return chatopt::receipts::first_slots(PG_GETARG_INT64(0)); }

// mark_delivered(receipts group_receipts, slots receipt_bitmap) -> group_receipts
Datum chatopt_mark_delivered(PG_FUNCTION_ARGS) {
  return chatopt::receipts::mark_set(PG_GETARG_DATUM(0), chatopt::pg::varlena_bytes(PG_GETARG_DATUM(1)),
                                     ReceiptStatus::kDelivered);
}

// mark_delivered(receipts group_receipts, slot smallint | int | bigint) -> group_receipts
Datum chatopt_mark_delivered_int2(PG_FUNCTION_ARGS) {
  return chatopt::receipts::mark_slot(PG_GETARG_DATUM(0), PG_GETARG_INT16(1), ReceiptStatus::kDelivered);
}
Datum chatopt_mark_delivered_int4(PG_FUNCTION_ARGS) {
  return chatopt::receipts::mark_slot(PG_GETARG_DATUM(0), PG_GETARG_INT32(1), ReceiptStatus::kDelivered);
}
Datum chatopt_mark_delivered_int8(PG_FUNCTION_ARGS) {
  return chatopt::receipts::mark_slot(PG_GETARG_DATUM(0), PG_GETARG_INT64(1), ReceiptStatus::kDelivered);
}

// mark_delivered(receipts group_receipts, slots text) -> group_receipts
Datum chatopt_mark_delivered_text(PG_FUNCTION_ARGS) {
  return chatopt::receipts::mark_text(fcinfo, ReceiptStatus::kDelivered);
}

// mark_seen(receipts group_receipts, slots receipt_bitmap) -> group_receipts
Datum chatopt_mark_seen(PG_FUNCTION_ARGS) {
  return chatopt::receipts::mark_set(PG_GETARG_DATUM(0), chatopt::pg::varlena_bytes(PG_GETARG_DATUM(1)),
                                     ReceiptStatus::kSeen);
}

// mark_seen(receipts group_receipts, slot smallint | int | bigint) -> group_receipts
Datum chatopt_mark_seen_int2(PG_FUNCTION_ARGS) {
  return chatopt::receipts::mark_slot(PG_GETARG_DATUM(0), PG_GETARG_INT16(1), ReceiptStatus::kSeen);
}
Datum chatopt_mark_seen_int4(PG_FUNCTION_ARGS) {
  return chatopt::receipts::mark_slot(PG_GETARG_DATUM(0), PG_GETARG_INT32(1), ReceiptStatus::kSeen);
}
Datum chatopt_mark_seen_int8(PG_FUNCTION_ARGS) {
  return chatopt::receipts::mark_slot(PG_GETARG_DATUM(0), PG_GETARG_INT64(1), ReceiptStatus::kSeen);
}

// mark_seen(receipts group_receipts, slots text) -> group_receipts
Datum chatopt_mark_seen_text(PG_FUNCTION_ARGS) { return chatopt::receipts::mark_text(fcinfo, ReceiptStatus::kSeen); }

// group_receipts_merge(receipts group_receipts, other group_receipts) -> group_receipts
Datum chatopt_group_receipts_merge(PG_FUNCTION_ARGS) {
  return chatopt::receipts::merge(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
}
