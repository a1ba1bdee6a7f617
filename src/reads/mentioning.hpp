// Keeps <messages>_mentioned, under the lock of the conversation's counter.
#pragma once

#include "core/counters/tracked_notes.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// What a statement has changed, of a conversation whose last number was stored_last before. Cost: of a message that
// mentions somebody, a query by its number and a row for each; of one that goes, a look-up, and its rows.
void write_mentions(const Reads& reads, Datum conversation, const core::TrackedNotes& notes, int64 stored_last);

// Has the table hold just whom the messages with these numbers mention.
void compare_mentions(const Reads& reads, Datum conversation, int64 first, int64 last);

}  // namespace chatopt::reads
