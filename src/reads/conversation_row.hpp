// What the readers of a conversation need of its counter row, which they never lock.
#pragma once

#include "counters/chat.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// The last number that anybody committed, or this transaction gave. False: no
// such conversation, or its messages are not numbered yet.
bool newest_last_number(const counters::Chat& chat, Datum conversation, int64* last);

struct ConversationRow {
  int64 last;
  int64 messages;  // message_count
};
// As a snapshot sees it; table is the counter table, slot one of its own.
bool find_conversation(const counters::Chat& chat, Relation table, Datum conversation, Snapshot snapshot,
                       TupleTableSlot* slot, ConversationRow* row);

}  // namespace chatopt::reads
