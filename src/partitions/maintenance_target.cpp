#include "partitions/maintenance_target.hpp"

#include "pg/boundary.hpp"
#include "pg/errand.hpp"

namespace chatopt::partitions {
namespace {

constexpr long kFirstBackOff = 10000;  // milliseconds
constexpr long kLongestBackOff = 3600000;
constexpr const char* kCommand = "CALL chatopt.maintain()";

// As PostgreSQL itself looks for a database when it is connected to none.
HeapTuple find_database(Relation databases, const char* name) {
  ScanKeyData key;
  ScanKeyInit(&key, Anum_pg_database_datname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum(name));
  SysScanDesc scan = systable_beginscan(databases, DatabaseNameIndexId, criticalSharedRelcachesBuilt, nullptr, 1, &key);
  HeapTuple tuple = systable_getnext(scan);
  if (HeapTupleIsValid(tuple)) tuple = heap_copytuple(tuple);
  systable_endscan(scan);
  return tuple;
}

// A worker that cannot connect would end by an error of its own, in the log each time.
Oid connectable_database(const char* name) {
  MemoryContext caller = CurrentMemoryContext;
  StartTransactionCommand();
  Relation databases = table_open(DatabaseRelationId, AccessShareLock);
  const HeapTuple tuple = find_database(databases, name);
  const auto* database = HeapTupleIsValid(tuple) ? reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple)) : nullptr;
  if (database == nullptr)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_DATABASE), errmsg("database \"%s\" does not exist", name),
                    errhint("Correct chatopt.databases.")));
  if (!database->datallowconn)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("database \"%s\" is not currently accepting connections", name)));
  const Oid result = database->oid;
  table_close(databases, AccessShareLock);
  CommitTransactionCommand();
  MemoryContextSwitchTo(caller);
  return result;
}

void send_maintenance(const char* database) {
  const pg::WorkerTask task = {.entry = "chatopt_maintenance_worker",
                               .name = "chatopt maintenance",
                               .argument = 0,
                               .database = connectable_database(database),
                               .owner = InvalidOid};
  const pg::CommandOutcome outcome = pg::send_worker(task, kCommand, {});
  if (!outcome.done())
    ereport(ERROR, (errcode(outcome.sqlstate), errmsg_internal("%s", outcome.message),
                    errdetail_internal("%s", outcome.detail), errhint("%s", outcome.hint)));
}

bool is_empty(const char* text) { return text == nullptr || *text == '\0'; }

void note_failure(MaintenanceTarget* target, const ErrorData& error) {
  target->back_off = target->back_off == 0 ? kFirstBackOff : Min(2 * target->back_off, kLongestBackOff);
  target->due = pg::deadline_in(target->back_off);
  if (strncmp(target->problem, error.message, sizeof target->problem - 1) == 0) return;
  strlcpy(target->problem, error.message, sizeof target->problem);
  ereport(LOG, (errcode(error.sqlerrcode),
                errmsg("partitions of database \"%s\" could not be maintained: %s", target->database, error.message),
                is_empty(error.detail) ? 0 : errdetail_internal("%s", error.detail),
                is_empty(error.hint) ? 0 : errhint("%s", error.hint)));
}

void note_success(MaintenanceTarget* target, long interval) {
  target->back_off = 0;
  target->due = pg::deadline_in(interval);
  if (is_empty(target->problem)) return;
  target->problem[0] = '\0';
  ereport(LOG, (errmsg("partitions of database \"%s\" are maintained again", target->database)));
}

}  // namespace

MaintenanceTarget target_for(const char* database) {
  MaintenanceTarget target = {};
  strlcpy(target.database, database, sizeof target.database);
  target.due = pg::deadline_in(0);
  return target;
}

void maintain_database(MaintenanceTarget* target, long interval) {
  const ErrorData* error = pg::try_at_top([&] { send_maintenance(target->database); }, false);
  if (error == nullptr)
    note_success(target, interval);
  else
    note_failure(target, *error);
}

}  // namespace chatopt::partitions
