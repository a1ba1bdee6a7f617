// Acting as the owner of a table, as PostgreSQL's foreign key checks do. An
// error restores the caller's identity by itself.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::pg {

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

}  // namespace chatopt::pg
