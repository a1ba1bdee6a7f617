// What the reads module does when counters change: the follower of counters.
#pragma once

#include "core/counters/ledger.hpp"
#include "counters/chat.hpp"
#include "reads/state_row.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// Keeps skipped numbers, memberships and own reads of a conversation whose
// counter is locked. Cost: of an ordinary send, one row version for its sender.
void counter_written(const counters::Chat& chat, const core::Counter& counter, int64 stored_last);

// A member has sent the message with this number, 0 for none: it is read, where
// sending reads. last is the conversation's last number.
void read_own(const Reads& reads, Relation table, const StateKey& key, int64 number, int64 last);

// Deletes, or renames, what is kept of a conversation.
void conversation_gone(const counters::Chat& chat, Datum from, const Datum* to);
void conversations_truncated(const counters::Chat& chat);

}  // namespace chatopt::reads
