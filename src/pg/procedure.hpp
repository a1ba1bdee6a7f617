// Procedures that commit.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::pg {

// First thing in CALL chatopt.<procedure>(…): raises 25001 where it could not commit.
inline void refuse_in_transaction_block(FunctionCallInfo fcinfo, const char* procedure) {
  auto* call = reinterpret_cast<CallContext*>(fcinfo->context);
  if (call == nullptr || !IsA(call, CallContext) || call->atomic)
    ereport(ERROR,
            (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
             errmsg("chatopt.%s cannot run inside a transaction block", procedure), errdetail("It commits in batches."),
             errhint("CALL it by itself, outside BEGIN … COMMIT and outside any function.")));
}

// How long to go on trying, in milliseconds; NULL: no longer than one try takes.
// Raises 22023 below 0 and above 7 days.
inline long patience_argument(FunctionCallInfo fcinfo, int argument) {
  if (PG_ARGISNULL(argument)) return 0;
  const Interval* patience = PG_GETARG_INTERVAL_P(argument);
  const double total = (static_cast<double>(patience->month) * DAYS_PER_MONTH + patience->day) * USECS_PER_DAY +
                       static_cast<double>(patience->time);
  if (!(total >= 0) || total > 7.0 * USECS_PER_DAY)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("patience must be between 0 and 7 days")));
  return static_cast<long>(total / 1000);
}

}  // namespace chatopt::pg
