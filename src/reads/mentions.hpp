// The mentions that a member has not read, counted from positions: a mention counts while its message would, if the
// member had read none.
#pragma once

#include "reads/unread.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// Goes through the unread mentions of a member, ascending.
struct MentionScan;
MentionScan* begin_mentions(const Reads& reads, const UnreadTables& tables, const StateKey& key, const Unread& unread);
// 0: no more.
int64 next_mention(MentionScan* scan);
void end_mentions(MentionScan* scan);

// Are the mentions in the conversation known? Not before backfill has been through it.
bool mentions_known(const Reads& reads, const UnreadTables& tables, const StateKey& key, const Unread& unread);
// Cost: a look-up, and for each unread mention at most a look at the skipped numbers.
int64 count_mentions(const Reads& reads, const UnreadTables& tables, const StateKey& key, const Unread& unread);

}  // namespace chatopt::reads
