// Filling in, and putting right, what a follower keeps beside the counters of a
// conversation: batch after batch, each under the counter's lock.
#pragma once

#include "counters/batches.hpp"

namespace chatopt::counters {

// All conversations that are not filled in; a task of its own. No transaction is
// held when it begins or ends.
void fill_follower(const Run& run);

// One conversation until it is done. Commits.
void fill_follower_conversation(Run* run, Datum key);

// The first batch of a conversation whose counter is locked, from its start. Done where there is no follower.
Step fill_follower_again(const Chat& chat, Datum key, int64 last, Run* run);

// What verify finds wrong, conversation by conversation.
void repair_follower(Run* run);

}  // namespace chatopt::counters
