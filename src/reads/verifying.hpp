// What verify finds wrong with the reads of a chat.
#pragma once

#include "counters/drift.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// Memberships, positions, slots, marks; then the skipped numbers. Cost: one scan
// of the tables of the reads and of members, two of messages.
void verify(const counters::Chat& chat, const counters::Drift& drift);

// Skipped numbers of conversations that are filled in, against their messages; and the counts of skipped
// numbers against each other.
void verify_skips(const Reads& reads, const counters::Drift& drift);

// A CTE of the conversations that are looked at (key, last number, and of the head there, next_slot, members,
// filled_upto, filled), for add_drift_of; for verify_skips too.
const char* picked_conversations(const Reads& reads);

// Adds the triggers that reads rely on to a query of (table, trigger).
void append_triggers(StringInfo sql, const counters::Config& config);

}  // namespace chatopt::reads
