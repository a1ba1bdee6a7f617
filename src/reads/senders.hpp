// Who sent the messages of a range: they are no recipients of them.
#pragma once

#include "core/reads/sweep.hpp"
#include "reads/people.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

constexpr int32 kNoMessage = -2;

// For each number of the range the sender, by index in people; core::kNobody for
// a message without one, kNoMessage where the current role sees none: privileges
// and policies on messages decide, under the active snapshot. senders has room
// for the range. Raises 42501. Cost: one index range of messages; the plan is kept.
void find_senders(const Reads& reads, Datum conversation, int64 from, int64 upto, People* people, int32* senders);

// The operator that says whether two values of a type are equal, as SQL that any search_path understands.
const char* equality_operator(Oid type);

}  // namespace chatopt::reads
