// Background workers that are started when there is work, and end with it: no
// preloading needed.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::pg {

struct WorkerTask {
  const char* entry;  // a function of this library
  const char* name;
  Datum argument;
  Oid database;
  Oid owner;                      // whose session it is; InvalidOid: a superuser's
  int restart_after = 0;          // seconds until one that ended by an error is started again; 0: never
  const char* by_hand = nullptr;  // the command that does without a worker, for the hint of an error
};

// Raises 55000 where the owner is not permitted to log in.
void check_may_run(const WorkerTask& task);

// Has the postmaster start a worker; this process is told when it starts and ends. NULL: none is free.
BackgroundWorkerHandle* register_worker(const WorkerTask& task);

// Raises 53000 for that, and 57P03 for one that did not start.
[[noreturn]] void refuse_no_worker(const WorkerTask& task);
[[noreturn]] void refuse_not_started();

// Starts a worker and waits until it has started. Gives its process id; raises the above.
pid_t start_worker(const WorkerTask& task);

// First thing in the worker: signals, database, the owner's identity, a pinned
// search_path.
void begin_worker();

// Runs a command at top level, in transactions of its own, as a client's would be: CREATE INDEX CONCURRENTLY, VACUUM, a
// procedure that commits. The caller is in no transaction.
void run_command(const char* sql);

}  // namespace chatopt::pg
