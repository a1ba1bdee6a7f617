// What can be told of the receipts of a conversation: by how it is tracked, and
// by its size and the policy of the chat.
#pragma once

#include "core/reads/acks.hpp"
#include "reads/conversation_row.hpp"
#include "reads/people.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

enum class Detail {
  kNothing,  // too large, or not all of it is tracked yet
  kCounts,   // how many
  kWho       // and who
};

struct Audience {
  ConversationRow conversation;
  Detail detail;
};
// As the active snapshot sees it. False: there is no such conversation.
bool find_audience(const Reads& reads, Datum conversation, Audience* audience);

// A chunk of what a member acknowledged out of order.
struct AckRow {
  int32 person;
  int64 index;
  core::AckChunk chunk;
};
// Those with numbers from … upto, as a list of AckRow; their members come to people.
List* find_acks(const Reads& reads, Datum conversation, int64 from, int64 upto, People* people);

// The current role may read every column of the read state, or 42501: an answer says who has read what when.
void check_may_read_state(const Reads& reads);

}  // namespace chatopt::reads
