// Acting as the owner of a table, as PostgreSQL's foreign key checks do. An
// error restores the caller's identity by itself.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::pg {

// SET CONSTRAINTS ALL IMMEDIATE.
inline void check_constraints_now() {
  auto* statement = makeNode(ConstraintsSetStmt);
  statement->constraints = NIL;
  statement->deferred = false;
  AfterTriggerSetState(statement);
}

struct Identity {
  Oid user;
  int security_context;
  int guc_level;
};

// From here on the owner acts, sees every row, and names resolve in pg_catalog.
// more: SECURITY_RESTRICTED_OPERATION where code of the owner's runs in a caller's name for other than a trigger.
inline Identity become_owner(Oid owner, int more = 0) {
  Identity before;
  GetUserIdAndSecContext(&before.user, &before.security_context);
  SetUserIdAndSecContext(owner, before.security_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS | more);
  before.guc_level = NewGUCNestLevel();
  (void)set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                          false);
  return before;
}

inline void become(const Identity& before) {
  AtEOXact_GUC(false, before.guc_level);
  SetUserIdAndSecContext(before.user, before.security_context);
}

// Runs body as the owner, in a restricted operation: what code of the owner's it meets (triggers, expressions, event
// triggers) can neither become somebody else nor leave anything behind for later. From here to the end of the
// transaction deferrable constraints are checked by each statement, as SET CONSTRAINTS ALL IMMEDIATE: at commit somebody
// else would run the owner's triggers. What is deferred already is checked first, as who deferred it.
// An error ends it like everything else of identity: caught only in a subtransaction around all of it.
template <class Body>
void as_owner(Oid owner, Body&& body) {
  check_constraints_now();
  const Identity before = become_owner(owner, SECURITY_RESTRICTED_OPERATION);
  body();
  become(before);
}

}  // namespace chatopt::pg
