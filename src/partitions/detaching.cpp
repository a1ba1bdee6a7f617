#include "partitions/detaching.hpp"

#include "partitions/children.hpp"
#include "partitions/locks.hpp"
#include "partitions/purging.hpp"
#include "partitions/retired.hpp"
#include "partitions/statements.hpp"

namespace chatopt::partitions {
namespace {

char* full_name(Oid relation) {
  return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));
}

// A table of its own is no part of the chat any more: its triggers would only
// refuse TRUNCATE.
void drop_own_triggers(Oid leaf) {
  Oid type = REGCLASSOID;
  const Datum value = ObjectIdGetDatum(leaf);
  Statements found;
  load_statements(
      "SELECT array_agg(format('DROP TRIGGER %I ON %s', o.trigger_name, o.place)) FROM "
      "chatopt._own_triggers(ARRAY[$1]) AS o",
      1, &type, &value, &found, 1);
  run_statements(found);
}

void archive(const Set& set, Oid leaf) {
  // The schema may have got another owner since set_retention.
  Oid types[] = {REGCLASSOID, TEXTOID};
  const Datum values[] = {ObjectIdGetDatum(set.parent), CStringGetTextDatum(set.archive_schema)};
  run_check("SELECT chatopt._check_archive($1, $2)", lengthof(types), types, values);
  run_statement(psprintf("ALTER TABLE %s SET SCHEMA %s", full_name(leaf), quote_identifier(set.archive_schema)));
}

}  // namespace

bool retire_partition(const Set& set, const Task& task, pg::Patience patience) {
  if (task.what != core::Do::kFinishDetach && settle_children(set, task)) return false;
  const char* statement = psprintf("ALTER TABLE %s DETACH PARTITION %s", full_name(set.parent), full_name(task.leaf));
  if (task.what == core::Do::kFinishDetach) {
    // Waits for old snapshots first: with nothing locked that anybody would wait for.
    (void)set_config_option("lock_timeout", psprintf("%d", pg::longest_lock_wait()), PGC_USERSET, PGC_S_SESSION,
                            GUC_ACTION_SAVE, true, 0, false);
    run_statement(psprintf("%s FINALIZE", statement));
  } else {
    pg::take_locks(detach_locks(set.parent, task.leaf), patience);
    run_statement(statement);
  }
  if (is_chat_partition(set.parent)) forget_purge(task.leaf);
  if (task.after == core::After::kDrop) {
    run_statement(psprintf("DROP TABLE %s", full_name(task.leaf)));
    return true;
  }
  drop_own_triggers(task.leaf);
  if (task.after == core::After::kArchive) archive(set, task.leaf);
  remember_retired({task.leaf, set.parent, task.lower, task.upper},
                   task.after == core::After::kArchive ? "archived" : "detached");
  return true;
}

}  // namespace chatopt::partitions
