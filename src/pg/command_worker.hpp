// A command in a session of its own: what cannot run inside the caller's transaction or procedure, such as CREATE INDEX
// CONCURRENTLY or DETACH PARTITION … CONCURRENTLY, run by a background worker that ends with it.
#pragma once

#include <span>

#include "pg/postgres.hpp"

namespace chatopt::pg {

// A setting of the worker's session, one that any user may set.
struct Setting {
  const char* name;
  const char* value;
};

// How it ended. The texts are in the caller's memory context; detail and hint may be empty, never NULL.
struct CommandOutcome {
  int sqlstate;  // 0: done
  const char* message;
  const char* detail;
  const char* hint;

  bool done() const { return sqlstate == 0; }
};

// Runs one command, schema-qualified throughout, at top level in the owner's own session, and waits for its end. An error
// of the command is the outcome (57P01: somebody stopped the worker) and is in the server's log. Cancelling the caller, or
// its end, stops the worker. Raises 53000 where no worker is free, 55000 where the owner may not log in (before
// PostgreSQL 17), both with the command in the hint, and 57P03 where the worker did not start.
//
// The command waits for older snapshots and for locks: the caller has committed, holds no lock that it needs, and no
// snapshot (XX000, as that would wait for ever).
CommandOutcome run_elsewhere(Oid owner, const char* sql, std::span<const Setting> settings = {});

}  // namespace chatopt::pg
