// Writing chatopt's own tables, which only their owner may.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::counters {

// Runs one statement as the owner of the configuration; returns how many rows
// it touched. The statement is ours, never the caller's.
uint64 run_as_config_owner(const char* sql, int count, Oid* types, Datum* values, const char* nulls);

// Writes the state of a chat and tells every backend.
void write_chat_state(Oid messages, const char* state);

}  // namespace chatopt::counters
