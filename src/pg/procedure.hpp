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

}  // namespace chatopt::pg
