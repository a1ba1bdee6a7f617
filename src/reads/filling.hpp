// Filling in the reads of conversations from before, and filling them again: what
// the follower of counters gives to backfill and repair.
#pragma once

#include "counters/follower.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// Conversations with a counter and no head, or one that is not filled; see counters/follower.hpp.
const char* unfilled_conversations(const counters::Chat& chat);
const char* unfilled_numbers(const counters::Chat& chat);
// Keys of rows whose conversation has no counter.
const char* stray_conversations(const counters::Chat& chat);

// Skipped numbers of the next messages, and in the last batch who is a member.
// Cost: an index range of the conversation's messages; in the last batch its members.
counters::Step fill(const counters::Chat& chat, Datum conversation, int64 last, counters::FillBatch* batch);

}  // namespace chatopt::reads
