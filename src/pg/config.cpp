#include "pg/config.hpp"

#include "pg/identity.hpp"

namespace chatopt::pg {

Oid config_owner() {
  const Oid table = get_relname_relid("chat", get_namespace_oid("chatopt", false));
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "configuration table chatopt.chat is missing");
  const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
  ReleaseSysCache(tuple);
  return owner;
}

void check_owns(Oid relation) {
  if (!OidIsValid(relation)) return;
  if (get_rel_name(relation) == nullptr)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relation)));
  if (!owns_relation(relation, GetUserId()))
    aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relation));
}

uint64 run_as_config_owner(const char* sql, int count, Oid* types, Datum* values, const char* nulls) {
  const Identity before = become_owner(config_owner());
  SPI_connect();
  const int result = SPI_execute_with_args(sql, count, types, values, nulls, false, 0);
  if (result < 0) elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
  const uint64 rows = SPI_processed;
  SPI_finish();
  become(before);
  return rows;
}

bool config_value(const char* sql, Oid relation, Datum* value) {
  MemoryContext caller = CurrentMemoryContext;
  const Identity before = become_owner(config_owner());
  SPI_connect();
  Oid type = OIDOID;
  Datum argument = ObjectIdGetDatum(relation);
  (void)SPI_execute_with_args(sql, 1, &type, &argument, nullptr, true, 1);
  bool null = true;
  if (SPI_processed == 1) *value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
  if (!null) {
    int16 length;
    bool by_value;
    get_typlenbyval(SPI_gettypeid(SPI_tuptable->tupdesc, 1), &length, &by_value);
    MemoryContext spi = MemoryContextSwitchTo(caller);
    *value = datumCopy(*value, by_value, length);
    MemoryContextSwitchTo(spi);
  }
  SPI_finish();
  become(before);
  return !null;
}

Datum config_row(Oid table, const char* sql, bool* found) {
  *found = false;
  if (get_rel_name(table) == nullptr) return Datum{0};
  if (!owns_relation(table, GetUserId()) &&
      pg_class_aclcheck(table, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
    aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(table));
  Datum row = 0;
  *found = config_value(sql, table, &row);
  return row;
}

}  // namespace chatopt::pg
