#include "pg/command_worker.hpp"

#include "pg/errand.hpp"

extern "C" {
PGDLLEXPORT void chatopt_command_worker(Datum errand);
}

namespace chatopt::pg {
namespace {

// The command may wait for every older snapshot: for ours too, while we wait for it, and nothing would notice.
void check_no_snapshot() {
  InvalidateCatalogSnapshot();
  if (TransactionIdIsValid(MyProc->xmin))
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
                    errmsg_internal("a command in another session would wait for this one's snapshot")));
}

}  // namespace

CommandOutcome run_elsewhere(Oid owner, const char* sql, std::span<const Setting> settings) {
  check_no_snapshot();
  const WorkerTask task = {.entry = "chatopt_command_worker",
                           .name = "chatopt command",
                           .argument = 0,
                           .database = MyDatabaseId,
                           .owner = owner,
                           .by_hand = sql};
  return send_worker(task, sql, settings);
}

}  // namespace chatopt::pg

void chatopt_command_worker(Datum errand) { chatopt::pg::run_errand(errand, true, chatopt::pg::run_command); }
