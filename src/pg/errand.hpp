// A command given to a background worker, and how it ended: both in a dynamic shared memory segment, whose end on the
// side of the process that sent the worker ends the worker.
#pragma once

#include <span>

#include "pg/command_worker.hpp"
#include "pg/worker.hpp"

namespace chatopt::pg {

// Sends a worker, whose argument is the errand, and waits for its end. Cancelled, or ended, this process ends the worker.
// Raises as register_worker does, and 57P03 where it did not start. Works outside a transaction too: the outcome is in the
// current memory context.
CommandOutcome send_worker(WorkerTask task, const char* sql, std::span<const Setting> settings);

// In the worker: begins it, makes the settings, runs body(sql) and says how it ended. Nobody waits for it any more: does
// nothing. log: errors go to the server's log, too.
void run_errand(Datum argument, bool log, void (*body)(const char* sql));

}  // namespace chatopt::pg
