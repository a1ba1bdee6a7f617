#include "partitions/creating.hpp"

#include "partitions/locks.hpp"
#include "partitions/statements.hpp"

namespace chatopt::partitions {
namespace {

// What is to be run before the parent is locked, and under the lock.
struct Phases {
  Statements build;
  Statements attach;
};

constexpr const char* kStatements =
    "SELECT array_agg(n.statement ORDER BY n.place) FILTER (WHERE n.phase = 'build'), array_agg(n.statement ORDER BY "
    "n.place) FILTER (WHERE n.phase <> 'build') FROM chatopt._new_partition($1, $2, $3, $4, $5) WITH ORDINALITY AS "
    "n(phase, statement, place)";

Phases statements_for(const Set& set, const Task& task) {
  NameData schema;
  NameData name;
  namestrcpy(&schema, get_namespace_name(set.schema));
  namestrcpy(&name, task.name);
  Oid types[] = {REGCLASSOID, NAMEOID, NAMEOID, TEXTOID, TEXTOID};
  const Datum values[] = {ObjectIdGetDatum(set.parent), NameGetDatum(&schema), NameGetDatum(&name),
                          CStringGetTextDatum(task.lower), CStringGetTextDatum(task.upper)};
  Statements found[2];
  load_statements(kStatements, lengthof(types), types, values, found, lengthof(found));
  return {found[0], found[1]};
}

// Rows of the new partition that went to the default one meanwhile.
void move_from_default(const Set& set, const Task& task, Oid default_partition) {
  Oid types[] = {REGCLASSOID, REGCLASSOID, TEXTOID, TEXTOID, TEXTOID};
  const Datum values[] = {
      ObjectIdGetDatum(set.parent), ObjectIdGetDatum(default_partition),
      CStringGetTextDatum(quote_qualified_identifier(get_namespace_name(set.schema), task.name)),
      CStringGetTextDatum(task.lower), CStringGetTextDatum(task.upper)};
  run_check("SELECT chatopt._check_default($1, $2, $4, $5) WHERE $3 <> ''", lengthof(types), types, values);
  Statements found;
  load_statements(
      "SELECT array_agg(m.statement ORDER BY m.place) FROM chatopt._move_from_default($1, $2, $3, $4, $5) WITH "
      "ORDINALITY AS m(statement, place)",
      lengthof(types), types, values, &found, 1);
  run_statements(found);
}

}  // namespace

void create_partition(const Set& set, const Task& task, pg::Patience patience) {
  const Phases phases = statements_for(set, task);
  run_statements(phases.build);
  pg::take_locks(attach_locks(set.parent), patience);
  const Oid default_partition = get_default_partition_oid(set.parent);
  if (OidIsValid(default_partition)) move_from_default(set, task, default_partition);
  run_statements(phases.attach);
}

}  // namespace chatopt::partitions
