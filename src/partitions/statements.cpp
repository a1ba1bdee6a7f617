#include "partitions/statements.hpp"

namespace chatopt::partitions {
namespace {

Statements statements_of(Datum array, bool null) {
  Statements statements = {nullptr, 0};
  if (!null)
    deconstruct_array(DatumGetArrayTypePCopy(array), TEXTOID, -1, false, TYPALIGN_INT, &statements.first, nullptr,
                      &statements.count);
  return statements;
}

}  // namespace

void load_statements(const char* sql, int count, Oid* types, const Datum* values, Statements* found, int columns) {
  MemoryContext const caller = CurrentMemoryContext;
  SPI_connect();
  if (SPI_execute_with_args(sql, count, types, const_cast<Datum*>(values), nullptr, false, 1) != SPI_OK_SELECT ||
      SPI_processed != 1)
    elog(ERROR, "query for statements failed");
  MemoryContext const spi = MemoryContextSwitchTo(caller);
  for (int i = 0; i < columns; ++i) {
    bool null;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &null);
    found[i] = statements_of(value, null);
  }
  MemoryContextSwitchTo(spi);
  SPI_finish();
}

void run_check(const char* sql, int count, Oid* types, const Datum* values) {
  SPI_connect();
  if (SPI_execute_with_args(sql, count, types, const_cast<Datum*>(values), nullptr, false, 0) != SPI_OK_SELECT)
    elog(ERROR, "check failed to run");
  SPI_finish();
}

void run_statement(const char* sql) {
  SPI_connect();
  const int result = SPI_execute(sql, false, 0);
  if (result < 0) elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
  SPI_finish();
}

void run_statements(const Statements& statements) {
  for (int i = 0; i < statements.count; ++i) run_statement(TextDatumGetCString(statements.first[i]));
}

}  // namespace chatopt::partitions
