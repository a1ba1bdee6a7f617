// What the counters keep in chatopt's own tables.
#pragma once

#include "pg/config.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

using pg::check_owns;
using pg::config_row;
using pg::config_value;
using pg::run_as_config_owner;

// Has every backend read again what it knows of the chat.
void invalidate_chat(Oid messages);

// Writes the state of a chat and tells every backend.
void write_chat_state(Oid messages, const char* state);

}  // namespace chatopt::counters
