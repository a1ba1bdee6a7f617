// chatopt.seen_by(): who has seen one message, and when where that is known.

#include "reads/audience.hpp"
#include "reads/call.hpp"
#include "reads/read_log.hpp"
#include "reads/recipients.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_seen_by);
PGDLLEXPORT Datum chatopt_reads_seen_by(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

int in_member_order(const void* left, const void* right, void* argument) {
  auto* reads = static_cast<Reads*>(argument);
  return DatumGetInt32(FunctionCall2Coll(&reads->member_order, reads->states.key[0].collation,
                                         static_cast<const Recipient*>(left)->member,
                                         static_cast<const Recipient*>(right)->member));
}

// The log knows every move of a position; without it, only the last one's time is known.
bool find_seen_at(const Reads& reads, const StateKey& key, const Recipient& recipient, int64 number,
                  TimestampTz* seen_at) {
  if (OidIsValid(reads.read_log) && find_logged(reads, key, number, seen_at)) return true;
  *seen_at = recipient.read_at;
  return recipient.read_last;
}

void put_row(const Reads& reads, Datum conversation, const Recipient& recipient, int64 number, FmgrInfo* output,
             ReturnSetInfo* result) {
  TimestampTz seen_at;
  const bool known = find_seen_at(reads, {recipient.member, conversation}, recipient, number, &seen_at);
  Datum values[] = {CStringGetTextDatum(OutputFunctionCall(output, recipient.member)), TimestampTzGetDatum(seen_at)};
  bool nulls[] = {false, !known};
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

}  // namespace
}  // namespace chatopt::reads

// seen_by(messages, conversation, seq) -> TABLE (member, seen_at)
Datum chatopt_reads_seen_by(PG_FUNCTION_ARGS) {
  using namespace chatopt::reads;
  Call* call = ready_call(fcinfo, true, false);
  Reads& reads = *call->reads;
  check_may_read_state(reads);
  const int64 number = number_argument(fcinfo, 2, "seq");
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Datum conversation;
  if (!key_argument(fcinfo, call, 1, &conversation)) return Datum{0};
  const Recipients recipients = find_recipients(reads, conversation, number);
  if (recipients.count > 1)
    qsort_arg(recipients.rows, static_cast<Size>(recipients.count), sizeof(Recipient), in_member_order, &reads);
  FmgrInfo output = output_of(reads.member_type);
  for (int32 i = 0; i < recipients.count; ++i)
    if (recipients.rows[i].status == chatopt::core::ReceiptStatus::kSeen)
      put_row(reads, conversation, recipients.rows[i], number, &output, result);
  return Datum{0};
}
