#include "partitions/children.hpp"

#include "pg/identity.hpp"

namespace chatopt::partitions {
namespace {

struct Key {
  const char* child;
  Oid owner;  // of the child table
  const char* name;
  const char* refers;
  const char* batch;  // NULL: the key forbids it
};

struct Keys {
  Key* first;
  int count;
};

// In SPI's memory.
Keys load_keys(const Set& set, const Task& task) {
  Oid types[] = {REGCLASSOID, REGCLASSOID};
  Datum values[] = {ObjectIdGetDatum(set.parent), ObjectIdGetDatum(task.leaf)};
  if (SPI_execute_with_args("SELECT k.child::text, c.relowner::text, k.key_name::text, k.refers, k.batch FROM chatopt._referring_keys($1, $2) "
                            "AS k JOIN pg_class AS c ON c.oid = k.child",
                            lengthof(types), types, values, nullptr, false, 0) != SPI_OK_SELECT)
    elog(ERROR, "query for foreign keys failed");
  SPITupleTable* rows = SPI_tuptable;
  Keys keys = {static_cast<Key*>(palloc(sizeof(Key) * (SPI_processed + 1))), static_cast<int>(SPI_processed)};
  for (int i = 0; i < keys.count; ++i) {
    const auto column = [&](int number) { return SPI_getvalue(rows->vals[i], rows->tupdesc, number); };
    keys.first[i] = {column(1), atooid(column(2)), column(3), column(4), column(5)};
  }
  return keys;
}

// As the owner of the child table, as a foreign key's own triggers do it.
uint64 run(const Key& key, const char* sql) {
  const pg::Identity before = pg::become_owner(key.owner, SECURITY_RESTRICTED_OPERATION);
  const int result = SPI_execute(sql, false, 0);
  if (result < 0) elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
  pg::become(before);
  return SPI_processed;
}

// Before anything is done to any of them.
void check_allowed(const Keys& keys, const Task& task) {
  for (int i = 0; i < keys.count; ++i) {
    const Key& key = keys.first[i];
    if (key.batch == nullptr && run(key, key.refers) > 0)
      ereport(ERROR, (errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
                      errmsg("rows of table %s refer to partition \"%s\"", key.child, task.name),
                      errdetail("Foreign key \"%s\" lets no row go that is referred to.", key.name),
                      errhint("Delete those rows first, or have the key declared ON DELETE CASCADE.")));
  }
}

}  // namespace

bool settle_children(const Set& set, const Task& task) {
  bool some = false;
  SPI_connect();
  const Keys keys = load_keys(set, task);
  check_allowed(keys, task);
  for (int i = 0; i < keys.count && !some; ++i)
    if (keys.first[i].batch != nullptr) some = run(keys.first[i], keys.first[i].batch) > 0;
  SPI_finish();
  return some;
}

}  // namespace chatopt::partitions
