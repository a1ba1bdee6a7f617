// chatopt.receipts(): the receipts of one message as sets of slots.

#include "pg/boundary.hpp"
#include "reads/audience.hpp"
#include "reads/call.hpp"
#include "reads/recipients.hpp"
#include "receipts/group_receipts.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_receipts);
PGDLLEXPORT Datum chatopt_reads_receipts(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

Datum value_of(const Recipients& recipients, bool present_only) {
  core::ReceiptsBuilder* builder = receipts::make_builder(CurrentMemoryContext);
  pg::cpp_zone([=, &recipients] {
    for (int32 i = 0; i < recipients.count; ++i) {
      const Recipient& recipient = recipients.rows[i];
      if (recipient.present || !present_only)
        builder->insert(static_cast<core::Member>(recipient.slot), recipient.status);
    }
  });
  receipts::Workspace workspace;
  return receipts::receipts_datum(builder->write(workspace.take(builder->bound())));
}

}  // namespace
}  // namespace chatopt::reads

// receipts(messages, conversation, seq, present_only) -> group_receipts
Datum chatopt_reads_receipts(PG_FUNCTION_ARGS) {
  using namespace chatopt::reads;
  Call* call = ready_call(fcinfo, true, false);
  const Reads& reads = *call->reads;
  check_may_read_state(reads);
  const int64 number = number_argument(fcinfo, 2, "seq");
  const bool present_only = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
  Datum conversation;
  if (!key_argument(fcinfo, call, 1, &conversation)) PG_RETURN_NULL();
  const Recipients recipients = find_recipients(reads, conversation, number);
  if (!recipients.known) PG_RETURN_NULL();
  return value_of(recipients, present_only);
}
