#include "partitions/sets.hpp"

#include "pg/config.hpp"

namespace chatopt::partitions {
namespace {

const char* text_of(HeapTupleHeader row, const char* column) {
  bool null;
  const Datum value = GetAttributeByName(row, column, &null);
  return null ? nullptr : TextDatumGetCString(value);
}

int int_of(HeapTupleHeader row, const char* column) {
  bool null;
  const Datum value = GetAttributeByName(row, column, &null);
  return null ? 0 : DatumGetInt32(value);
}

bool time_of(HeapTupleHeader row, const char* column, TimestampTz* time) {
  bool null;
  const Datum value = GetAttributeByName(row, column, &null);
  *time = null ? 0 : DatumGetTimestampTz(value);
  return !null;
}

const Interval* interval_of(HeapTupleHeader row, const char* column) {
  bool null;
  const Datum value = GetAttributeByName(row, column, &null);
  return null ? nullptr : DatumGetIntervalP(value);
}

// False where the table is gone.
bool read_catalogue(Set* set) {
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(set->parent));
  if (!HeapTupleIsValid(tuple)) return false;
  const auto form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
  set->owner = form->relowner;
  set->schema = form->relnamespace;
  set->name = pstrdup(NameStr(form->relname));
  ReleaseSysCache(tuple);
  return true;
}

bool read_set(HeapTupleHeader row, Set* set) {
  bool null;
  memset(set, 0, sizeof *set);
  set->parent = DatumGetObjectId(GetAttributeByName(row, "parent", &null));
  if (!read_catalogue(set)) return false;
  set->kind = text_of(row, "kind");
  set->every = text_of(row, "every");
  set->premake = int_of(row, "premake");
  set->time_zone = text_of(row, "time_zone");
  set->has_epoch = time_of(row, "snowflake_epoch", &set->snowflake_epoch);
  set->snowflake_shift = int_of(row, "snowflake_shift");
  set->name_format = text_of(row, "name_format");
  set->keep = interval_of(row, "keep");
  set->action = text_of(row, "action");
  set->archive_schema = text_of(row, "archive_schema");
  set->paused = strcmp(text_of(row, "state"), "paused") == 0;
  set->failures = int_of(row, "failures");
  set->has_retry = time_of(row, "retry_at", &set->retry_at);
  return true;
}

}  // namespace

Sets load_sets(Oid parent) {
  Sets sets = {nullptr, 0};
  Datum rows;
  if (!pg::config_value(
          "SELECT array_agg(t ORDER BY t.parent::oid) FROM chatopt.partition_set AS t WHERE $1 = 0 OR t.parent = $1",
          parent, &rows))
    return sets;
  ArrayType* array = DatumGetArrayTypeP(rows);
  Datum* elements;
  int count;
  deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &elements, nullptr, &count);
  sets.first = static_cast<Set*>(palloc(sizeof(Set) * count));
  for (int i = 0; i < count; ++i)
    if (read_set(DatumGetHeapTupleHeader(elements[i]), &sets.first[sets.count])) ++sets.count;
  return sets;
}

Set load_set(Oid parent) {
  const Sets sets = load_sets(parent);
  if (sets.count == 1) return sets.first[0];
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("chatopt does not look after the partitions of table \"%s\"", get_rel_name(parent)),
                  errhint("Call chatopt.partition first; the view chatopt.partition_sets lists the tables.")));
  pg_unreachable();
}

bool may_maintain(const Set& set) { return has_privs_of_role(GetUserId(), set.owner); }

void save_outcome(Oid parent, const char* problem, bool has_retry, TimestampTz retry_at) {
  Oid types[] = {OIDOID, TEXTOID, TIMESTAMPTZOID};
  Datum values[] = {ObjectIdGetDatum(parent), problem == nullptr ? Datum{0} : CStringGetTextDatum(problem),
                    TimestampTzGetDatum(retry_at)};
  const char nulls[] = {' ', problem == nullptr ? 'n' : ' ', has_retry ? ' ' : 'n', '\0'};
  (void)pg::run_as_config_owner(
      "UPDATE chatopt.partition_set SET problem = $2, retry_at = $3, failures = CASE WHEN $2 IS NULL THEN 0 ELSE "
      "failures + 1 END WHERE parent = $1 AND (problem IS DISTINCT FROM $2 OR retry_at IS DISTINCT FROM $3 OR $2 IS NOT NULL)",
      lengthof(types), types, values, nulls);
}

}  // namespace chatopt::partitions
