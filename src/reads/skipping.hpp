// The numbers of a conversation that are nobody's unread message: removed, or not counted.
#pragma once

#include "core/counters/skips.hpp"
#include "reads/head_row.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// Writes what was noted; last is the conversation's last number. Before the
// conversation is filled in, numbers behind what has been are left to backfill.
// The counter is locked. Cost: each touched leaf of 4,096 numbers once, and at
// most four nodes above it.
void write_skips(const Reads& reads, Datum conversation, const core::Skips& skips, int64 last, const Head& head);

}  // namespace chatopt::reads
