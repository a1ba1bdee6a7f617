// chatopt.migrate_receipts() and migrate_receipts_json(): refuse to run where they could not commit, then leave
// the work to a procedure in SQL, which commits conversation by conversation.

#include "pg/procedure.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(chatopt_reads_migrate_receipts);
PG_FUNCTION_INFO_V1(chatopt_reads_migrate_receipts_json);
PGDLLEXPORT Datum chatopt_reads_migrate_receipts(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum chatopt_reads_migrate_receipts_json(PG_FUNCTION_ARGS);
}

namespace chatopt::reads {
namespace {

void call_procedure(FunctionCallInfo fcinfo, const char* sql, const Oid* types) {
  ParamListInfo values = makeParamList(fcinfo->nargs);
  for (int i = 0; i < fcinfo->nargs; ++i)
    values->params[i] = {fcinfo->args[i].value, fcinfo->args[i].isnull, PARAM_FLAG_CONST, types[i]};
  SPI_connect_ext(SPI_OPT_NONATOMIC);
  SPIExecuteOptions options = {};
  options.params = values;
  options.allow_nonatomic = true;
  if (SPI_execute_extended(sql, &options) < 0) elog(ERROR, "migration failed");
  SPI_finish();
}

}  // namespace
}  // namespace chatopt::reads

// CALL migrate_receipts(messages, receipts, receipt_message, receipt_user, delivered_at, read_at, status, split, batch_size)
Datum chatopt_reads_migrate_receipts(PG_FUNCTION_ARGS) {
  using namespace chatopt::reads;
  constexpr Oid kTypes[] = {REGCLASSOID, REGCLASSOID, NAMEOID, NAMEOID, NAMEOID, NAMEOID, NAMEOID, BOOLOID, INT4OID};
  chatopt::pg::refuse_in_transaction_block(fcinfo, "migrate_receipts");
  call_procedure(fcinfo, "CALL chatopt._migrate_receipts($1, $2, $3, $4, $5, $6, $7, $8, $9)", kTypes);
  PG_RETURN_VOID();
}

// CALL migrate_receipts_json(messages, column_name, batch_size)
Datum chatopt_reads_migrate_receipts_json(PG_FUNCTION_ARGS) {
  using namespace chatopt::reads;
  constexpr Oid kTypes[] = {REGCLASSOID, NAMEOID, INT4OID};
  chatopt::pg::refuse_in_transaction_block(fcinfo, "migrate_receipts_json");
  call_procedure(fcinfo, "CALL chatopt._migrate_receipts_json($1, $2, $3)", kTypes);
  PG_RETURN_VOID();
}
