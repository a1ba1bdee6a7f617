// Writing and reading chatopt's own tables, which only their owner may.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::pg {

// The owner of the configuration: who created the extension.
Oid config_owner();

// Runs one statement as the owner of the configuration; returns how many rows
// it touched. The statement is ours, never the caller's.
uint64 run_as_config_owner(const char* sql, int count, Oid* types, Datum* values, const char* nulls);

// One value that such a statement gives for a relation ($1), copied into the
// current memory context. False: no row, or NULL.
bool config_value(const char* sql, Oid relation, Datum* value);

// The same, to a caller who may read the table; else 42501.
Datum config_row(Oid table, const char* sql, bool* found);

// Raises 42501 where the caller does not own the table, 42P01 where it is gone.
void check_owns(Oid relation);

}  // namespace chatopt::pg
