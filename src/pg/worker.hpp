// Background workers that are started when there is work, and end with it: no
// preloading needed.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::pg {

// Starts a worker in this database that runs entry, a function of this library,
// for one table as that table's owner. Gives its process id; raises 53000 when
// no worker is free, 57P03 when it did not start.
// One that ends by an error is started again after so many seconds; 0: never.
pid_t start_worker(const char* entry, const char* name, Oid relation, Oid owner, int restart_after = 0);

// First thing in the worker: signals, database, the owner's identity, a pinned
// search_path.
void begin_worker();

// Runs a utility command at top level, in transactions of its own as CREATE
// INDEX CONCURRENTLY wants it. The caller is in no transaction.
void run_command(const char* sql);

}  // namespace chatopt::pg
