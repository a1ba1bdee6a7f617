// A database that the launcher looks after: when it is due, and what was wrong the last time.
#pragma once

#include "pg/deadline.hpp"
#include "pg/postgres.hpp"

namespace chatopt::partitions {

struct MaintenanceTarget {
  char database[NAMEDATALEN];
  pg::Deadline due;
  long back_off;      // milliseconds after the next failure; 0: none yet
  char problem[512];  // as it was logged; empty: none
};

// Due at once.
MaintenanceTarget target_for(const char* database);

// Starts the worker in the database and waits for its end; says in the log what is new. Never raises but for the end of
// this process. interval: milliseconds until it is due again if all went well.
void maintain_database(MaintenanceTarget* target, long interval);

}  // namespace chatopt::partitions
