// What the guard trigger of the counter table is told by the rest of the module.
#pragma once

#include "counters/chat.hpp"

namespace chatopt::counters {

// The key column of the conversations table.
AttrNumber conversation_key_column(const Chat& chat);

}  // namespace chatopt::counters
