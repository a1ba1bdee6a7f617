// Counter rows as messages need them: there, or refused.
#pragma once

#include "core/counters/ledger.hpp"
#include "counters/chat.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

// lock_counter, and where counters have a table of their own, the row is made
// first for a conversation that has none yet. False: no such conversation.
bool lock_counter_row(const Chat& chat, core::Ledger& ledger, core::Counter& counter);

// 23503, as a foreign key says it.
[[noreturn]] void raise_unknown_conversation(const Source& source, Datum conversation);

// Is there a message with this number in the conversation? One index lookup.
bool number_is_taken(const Chat& chat, core::Bytes conversation, int64 number);

}  // namespace chatopt::counters
