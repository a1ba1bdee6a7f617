// What verify and repair share.
#pragma once

#include "counters/chat.hpp"

namespace chatopt::counters {

// The query of chatopt.verify: $1 a conversation's key or NULL, $2 the share of
// conversations; columns conversation, counter, stored, actual, as text.
const char* verify_query(const Chat& chat);

// 42501 unless the caller owns the messages and the counters.
void check_may_maintain(Oid messages, Oid counters);

}  // namespace chatopt::counters
