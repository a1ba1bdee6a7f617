// Whom messages mention, as SQL: what the table of mentions is to hold.
#pragma once

#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// A query of (conversation_id, member_id, seq) on messages as new, with this condition on them; a mention made twice is
// there twice. Nobody is mentioned by themselves. In the current memory context. Raises 55000 where the triggers on
// messages do not name the column.
const char* mentions_wanted(const Reads& reads, const char* condition);

}  // namespace chatopt::reads
