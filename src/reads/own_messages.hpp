// A member's own messages, which are never unread.
#pragma once

#include "reads/reads.hpp"
#include "reads/state_row.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// How many counted messages after this number the member has sent in the
// conversation. By query, as the owner of messages, under the active snapshot;
// its plan is kept. Cost: an index range of the conversation's messages.
int64 count_own_messages(const Reads& reads, const StateKey& key, int64 after);

}  // namespace chatopt::reads
