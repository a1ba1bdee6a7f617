// Memberships: intervals (joined, left] of message numbers.
#pragma once

#include "reads/head_row.hpp"
#include "reads/reads.hpp"
#include "reads/state_row.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// A new interval from this number on, or the latest one again where it ended just
// there: a row deleted and inserted again has missed nothing. Nothing where the
// member is in already. The conversation's counter is locked; head is changed,
// and left to be written. Cost: one look at the member's intervals, one row.
void join(const Reads& reads, Relation table, const StateKey& key, int64 number, Head* head);

// Members of a conversation that nobody has been a member of yet, in order of key. Cost: one row each.
void join_first(Relation table, Datum conversation, const Datum* members, uint64 count, int64 number, Head* head);

// Ends the open interval; nothing where there is none.
void leave(const Reads& reads, Relation table, const StateKey& key, int64 number, Head* head);

// Makes the members of a conversation that has none yet join before its first message.
void join_present_members(const Reads& reads, Relation table, Datum conversation, int64 number, Head* head);

}  // namespace chatopt::reads
