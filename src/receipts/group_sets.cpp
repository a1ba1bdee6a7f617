// What receipts hold: the sets, their sizes, the status, and the counts as JSON.

#include <algorithm>

#include "receipts/group_receipts.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_recipients);
PG_FUNCTION_INFO_V1(chatopt_delivered);
PG_FUNCTION_INFO_V1(chatopt_seen);
PG_FUNCTION_INFO_V1(chatopt_pending);
PG_FUNCTION_INFO_V1(chatopt_unseen);
PG_FUNCTION_INFO_V1(chatopt_recipient_count);
PG_FUNCTION_INFO_V1(chatopt_delivered_count);
PG_FUNCTION_INFO_V1(chatopt_seen_count);
PG_FUNCTION_INFO_V1(chatopt_pending_count);
PG_FUNCTION_INFO_V1(chatopt_unseen_count);
PG_FUNCTION_INFO_V1(chatopt_receipt_status);
PG_FUNCTION_INFO_V1(chatopt_receipt_status_int2);
PG_FUNCTION_INFO_V1(chatopt_receipt_status_int4);
PG_FUNCTION_INFO_V1(chatopt_receipt_status_int8);
PG_FUNCTION_INFO_V1(chatopt_receipt_status_text);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_json);
PG_FUNCTION_INFO_V1(chatopt_group_receipts_jsonb);
PGDLLEXPORT Datum chatopt_recipients(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_delivered(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_seen(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_pending(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_unseen(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_recipient_count(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_delivered_count(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_seen_count(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_pending_count(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_unseen_count(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_status(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_status_int2(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_status_int4(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_status_int8(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_receipt_status_text(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_json(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_group_receipts_jsonb(PG_FUNCTION_ARGS);
}

namespace chatopt::receipts {
namespace {

using core::ReceiptStatus;

// What tells where the sets are, and is read at once.
constexpr std::size_t kHeadSize = 1024;

// How many members a set has. Of a value out of line only the beginnings of its
// sets are read, where the recipients are not many ranges themselves.
core::Count count(Datum value, core::ReceiptSet set) {
  if (pg::varlena_is_external(value)) {
    const core::Bytes head = pg::varlena_slice(value, 0, kHeadSize);
    const core::SetPlace place = core::receipts_find(head, pg::varlena_size(value), set);
    if (place.found && place.length == 0) return 0;
    if (place.found) {
      const std::size_t length = std::min(place.length, core::kMaxFlatSize);
      const bool in_head = place.offset + length <= head.size();
      return core::bitmap_cardinality(in_head ? head.subspan(place.offset, length)
                                              : pg::varlena_slice(value, place.offset, length));
    }
  }
  const core::Receipts receipts = receipts_argument(value);
  return core::bitmap_cardinality(set == core::ReceiptSet::kRecipients  ? receipts.recipients
                                  : set == core::ReceiptSet::kDelivered ? receipts.delivered
                                                                        : receipts.seen);
}

Datum set_difference(core::Bytes set, core::Bytes without) {
  if (core::bitmap_is_empty(without)) return pg::varlena_datum(set);
  constexpr auto kDifference = core::SetOperation::kDifference;
  Workspace workspace;
  std::byte* space = workspace.take(core::bitmap_bound(kDifference, set, without));
  return pg::varlena_datum({space, core::bitmap_apply(kDifference, set, without, space)});
}

// Never null for kNone: the caller says NULL there.
Datum status_text(ReceiptStatus status) {
  return PointerGetDatum(cstring_to_text(status == ReceiptStatus::kSeen        ? "seen"
                                         : status == ReceiptStatus::kDelivered ? "delivered"
                                                                               : "sent"));
}

Datum slot_status(FunctionCallInfo fcinfo, int64 slot) {
  const ReceiptStatus status = core::receipt_status(receipts_argument(PG_GETARG_DATUM(0)), slot_argument(slot));
  if (status == ReceiptStatus::kNone) PG_RETURN_NULL();
  return status_text(status);
}

char* counts(Datum value) {
  return psprintf("{\"recipients\": " INT64_FORMAT ", \"delivered\": " INT64_FORMAT ", \"seen\": " INT64_FORMAT "}",
                  count(value, core::ReceiptSet::kRecipients), count(value, core::ReceiptSet::kDelivered),
                  count(value, core::ReceiptSet::kSeen));
}

}  // namespace
}  // namespace chatopt::receipts

using chatopt::core::ReceiptSet;
using chatopt::receipts::receipts_argument;

// recipients(receipts group_receipts) -> receipt_bitmap
Datum chatopt_recipients(PG_FUNCTION_ARGS) {
  return chatopt::pg::varlena_datum(receipts_argument(PG_GETARG_DATUM(0)).recipients);
}

// delivered(receipts group_receipts) -> receipt_bitmap
Datum chatopt_delivered(PG_FUNCTION_ARGS) {
  return chatopt::pg::varlena_datum(receipts_argument(PG_GETARG_DATUM(0)).delivered);
}

// seen(receipts group_receipts) -> receipt_bitmap
Datum chatopt_seen(PG_FUNCTION_ARGS) { return chatopt::pg::varlena_datum(receipts_argument(PG_GETARG_DATUM(0)).seen); }

// pending(receipts group_receipts) -> receipt_bitmap
Datum chatopt_pending(PG_FUNCTION_ARGS) {
  const auto receipts = receipts_argument(PG_GETARG_DATUM(0));
  return chatopt::receipts::set_difference(receipts.recipients, receipts.delivered);
}

// unseen(receipts group_receipts) -> receipt_bitmap
Datum chatopt_unseen(PG_FUNCTION_ARGS) {
  const auto receipts = receipts_argument(PG_GETARG_DATUM(0));
  return chatopt::receipts::set_difference(receipts.recipients, receipts.seen);
}

// recipient_count(receipts group_receipts) -> bigint
Datum chatopt_recipient_count(PG_FUNCTION_ARGS) {
  PG_RETURN_INT64(chatopt::receipts::count(PG_GETARG_DATUM(0), ReceiptSet::kRecipients));
}

// delivered_count(receipts group_receipts) -> bigint
Datum chatopt_delivered_count(PG_FUNCTION_ARGS) {
  PG_RETURN_INT64(chatopt::receipts::count(PG_GETARG_DATUM(0), ReceiptSet::kDelivered));
}

// seen_count(receipts group_receipts) -> bigint
Datum chatopt_seen_count(PG_FUNCTION_ARGS) {
  PG_RETURN_INT64(chatopt::receipts::count(PG_GETARG_DATUM(0), ReceiptSet::kSeen));
}

// pending_count(receipts group_receipts) -> bigint
Datum chatopt_pending_count(PG_FUNCTION_ARGS) {
  using chatopt::receipts::count;
  PG_RETURN_INT64(count(PG_GETARG_DATUM(0), ReceiptSet::kRecipients) -
                  count(PG_GETARG_DATUM(0), ReceiptSet::kDelivered));
}

// unseen_count(receipts group_receipts) -> bigint
Datum chatopt_unseen_count(PG_FUNCTION_ARGS) {
  using chatopt::receipts::count;
  PG_RETURN_INT64(count(PG_GETARG_DATUM(0), ReceiptSet::kRecipients) - count(PG_GETARG_DATUM(0), ReceiptSet::kSeen));
}

// receipt_status(receipts group_receipts) -> text
Datum chatopt_receipt_status(PG_FUNCTION_ARGS) {
  return chatopt::receipts::status_text(chatopt::core::receipt_status(receipts_argument(PG_GETARG_DATUM(0))));
}

// receipt_status(receipts group_receipts, slot smallint | int | bigint | text) -> text
Datum chatopt_receipt_status_int2(PG_FUNCTION_ARGS) {
  return chatopt::receipts::slot_status(fcinfo, PG_GETARG_INT16(1));
}
Datum chatopt_receipt_status_int4(PG_FUNCTION_ARGS) {
  return chatopt::receipts::slot_status(fcinfo, PG_GETARG_INT32(1));
}
Datum chatopt_receipt_status_int8(PG_FUNCTION_ARGS) {
  return chatopt::receipts::slot_status(fcinfo, PG_GETARG_INT64(1));
}
Datum chatopt_receipt_status_text(PG_FUNCTION_ARGS) {
  const Datum slot = DirectFunctionCall1(int8in, CStringGetDatum(text_to_cstring(PG_GETARG_TEXT_PP(1))));
  return chatopt::receipts::slot_status(fcinfo, DatumGetInt64(slot));
}

// group_receipts_json(receipts group_receipts) -> json
Datum chatopt_group_receipts_json(PG_FUNCTION_ARGS) {
  PG_RETURN_TEXT_P(cstring_to_text(chatopt::receipts::counts(PG_GETARG_DATUM(0))));
}

// group_receipts_jsonb(receipts group_receipts) -> jsonb
Datum chatopt_group_receipts_jsonb(PG_FUNCTION_ARGS) {
  return DirectFunctionCall1(jsonb_in, CStringGetDatum(chatopt::receipts::counts(PG_GETARG_DATUM(0))));
}
