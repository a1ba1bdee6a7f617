extern "C" {
#include "postgres.h"
#include "fmgr.h"
}

namespace chatopt::core {
int grow(int by);  // may throw
}

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_bad);
Datum chatopt_bad(PG_FUNCTION_ARGS) {
  return Int32GetDatum(chatopt::core::grow(PG_GETARG_INT32(0)));
}
}
