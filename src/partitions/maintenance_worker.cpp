// The launcher's worker: maintains the partitions of one database.

#include "partitions/launcher.hpp"
#include "pg/errand.hpp"

extern "C" {
PGDLLEXPORT void chatopt_maintenance_worker(Datum errand);
}

namespace chatopt::partitions {
namespace {

constinit bool is_worker = false;

void maintain(const char* command) {
  StartTransactionCommand();
  if (!OidIsValid(get_extension_oid("chatopt", true)))
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("extension \"chatopt\" does not exist"),
                    errhint("CREATE EXTENSION chatopt in this database, or take it out of chatopt.databases.")));
  CommitTransactionCommand();
  pg::run_command(command);
}

}  // namespace

bool in_maintenance_worker() { return is_worker; }

}  // namespace chatopt::partitions

void chatopt_maintenance_worker(Datum errand) {
  chatopt::partitions::is_worker = true;
  chatopt::pg::run_errand(errand, false, chatopt::partitions::maintain);
}
