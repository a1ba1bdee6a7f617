#include "partitions/retired.hpp"

#include "partitions/locks.hpp"
#include "partitions/statements.hpp"
#include "pg/config.hpp"

namespace chatopt::partitions {
namespace {

const char* text_at(Datum* texts, bool* nulls, int i) { return nulls[i] ? nullptr : TextDatumGetCString(texts[i]); }

}  // namespace

void remember_retired(const Retired& retired, const char* how) {
  Oid types[] = {OIDOID, OIDOID, TEXTOID, TEXTOID, TEXTOID};
  Datum values[] = {ObjectIdGetDatum(retired.table), ObjectIdGetDatum(retired.parent),
                    retired.lower == nullptr ? Datum{0} : CStringGetTextDatum(retired.lower),
                    retired.upper == nullptr ? Datum{0} : CStringGetTextDatum(retired.upper), CStringGetTextDatum(how)};
  const char nulls[] = {' ', ' ', retired.lower == nullptr ? 'n' : ' ', retired.upper == nullptr ? 'n' : ' ', ' ', '\0'};
  (void)pg::run_as_config_owner(
      "DELETE FROM chatopt.retired_partition AS t WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = t.tbl) OR NOT EXISTS "
      "(SELECT FROM pg_class WHERE oid = t.parent)",
      0, nullptr, nullptr, nullptr);
  (void)pg::run_as_config_owner(
      "INSERT INTO chatopt.retired_partition (tbl, parent, lower_bound, upper_bound, how) VALUES ($1, $2, $3, $4, $5) ON "
      "CONFLICT (tbl) DO UPDATE SET parent = excluded.parent, lower_bound = excluded.lower_bound, upper_bound = "
      "excluded.upper_bound, how = excluded.how, retired_at = now()",  // clock: on purpose
      lengthof(types), types, values, nulls);
}

void forget_retired(Oid table) {
  Oid type = OIDOID;
  Datum value = ObjectIdGetDatum(table);
  (void)pg::run_as_config_owner("DELETE FROM chatopt.retired_partition WHERE tbl = $1", 1, &type, &value, nullptr);
}

Retired load_retired(Oid table) {
  Datum row;
  if (!pg::config_value("SELECT ARRAY[t.parent::oid::text, t.lower_bound, t.upper_bound] FROM chatopt.retired_partition AS "
                        "t JOIN pg_class AS c ON c.oid = t.tbl WHERE t.tbl = $1 AND NOT c.relispartition",
                        table, &row))
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" is no partition that was retired", get_rel_name(table)),
                    errhint("The view chatopt.partitions lists them as 'detached' and 'archived'.")));
  Datum* texts;
  bool* nulls;
  int count;
  deconstruct_array(DatumGetArrayTypeP(row), TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &count);
  return {table, atooid(TextDatumGetCString(texts[0])), text_at(texts, nulls, 1), text_at(texts, nulls, 2)};
}

void attach_retired(const Set& set, const Retired& retired, pg::Patience patience) {
  Oid types[] = {REGCLASSOID, REGCLASSOID, TEXTOID, TEXTOID};
  const Datum values[] = {ObjectIdGetDatum(set.parent), ObjectIdGetDatum(retired.table),
                          CStringGetTextDatum(retired.lower == nullptr ? "" : retired.lower),
                          CStringGetTextDatum(retired.upper == nullptr ? "" : retired.upper)};
  Statements found[2];
  load_statements(
      "SELECT array_agg(n.statement ORDER BY n.place) FILTER (WHERE n.phase = 'build'), array_agg(n.statement ORDER BY "
      "n.place) FILTER (WHERE n.phase <> 'build') FROM chatopt._attach_again($1, $2, nullif($3, ''), nullif($4, '')) WITH "
      "ORDINALITY AS n(phase, statement, place)",
      lengthof(types), types, values, found, lengthof(found));
  run_statements(found[0]);
  pg::take_locks(attach_locks(set.parent), patience);
  run_statements(found[1]);
  forget_retired(retired.table);
}

}  // namespace chatopt::partitions
