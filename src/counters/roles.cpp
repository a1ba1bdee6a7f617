// What the triggers on a table say, for the administration in SQL: which column
// plays which role, and the condition under which its rows count.

#include "counters/chat.hpp"
#include "pg/postgres.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_trigger_roles);
PG_FUNCTION_INFO_V1(chatopt_trigger_condition);
PGDLLEXPORT Datum chatopt_trigger_roles(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_trigger_condition(PG_FUNCTION_ARGS);
}

// trigger_roles(tbl regclass) -> TABLE (role text, column_name name)
Datum chatopt_trigger_roles(PG_FUNCTION_ARGS) {
  using namespace chatopt::counters;
  const Oid table = PG_GETARG_OID(0);
  Role roles[kMostRoles];
  const int count = roles_of(table, roles);
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  for (int i = 0; i < count; ++i) {
    Datum values[] = {CStringGetTextDatum(roles[i].name),
                      CStringGetDatum(get_attname(table, roles[i].column, false))};
    bool nulls[] = {false, false};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  }
  return Datum{0};
}

// trigger_condition(tbl regclass, row_alias text) -> text
Datum chatopt_trigger_condition(PG_FUNCTION_ARGS) {
  const char* alias = text_to_cstring(PG_GETARG_TEXT_PP(1));
  const char* condition = chatopt::counters::find_counted_condition(PG_GETARG_OID(0), alias);
  if (condition == nullptr) PG_RETURN_NULL();
  PG_RETURN_TEXT_P(cstring_to_text(condition));
}
