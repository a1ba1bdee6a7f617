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

}  // namespace

void create_partition(const Set& set, const Task& task, pg::Patience patience) {
  const Phases phases = statements_for(set, task);
  run_statements(phases.build);
  pg::take_locks(attach_locks(set.parent), patience);
  run_statements(phases.attach);
}

}  // namespace chatopt::partitions
