// <members>_read_log: when each read position moved, for chats that keep it.
#pragma once

#include "reads/reads.hpp"
#include "reads/state_row.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// The read position of an open membership moved: messages after from, up to upto,
// have been read at this time. The lock of the read state row guards the member's rows.
void log_read(const Reads& reads, const StateKey& key, int64 from, int64 upto, TimestampTz at);

// When this number was read, as the active snapshot sees the log. False: it does not say.
bool find_logged(const Reads& reads, const StateKey& key, int64 number, TimestampTz* at);

}  // namespace chatopt::reads
