#include <string>

extern "C" {
#include "postgres.h"
#include "fmgr.h"
}

namespace {
struct Named {
  int number;
  std::string name;
};
std::string spelled(int number) { return std::to_string(number); }
}  // namespace

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_bad);
Datum chatopt_bad(PG_FUNCTION_ARGS) {
  Named named{PG_GETARG_INT32(0), "lost when palloc raises"};
  return PointerGetDatum(palloc(spelled(named.number).size()));
}
}
