// What is tracked for the readers of a chat: the tables that track_reads made,
// how their rows are found, and the columns by their positions.
#pragma once

#include "counters/chat.hpp"
#include "pg/image.hpp"
#include "pg/row_finder.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// <members>_read_state: one row an interval of membership, (joined, left].
namespace state {
enum Column : AttrNumber { kConversation = 1, kMember, kJoined, kLeft, kDelivered, kRead, kUpdatedAt, kSlot };
}
// <conversations>_read_heads: one row a tracked conversation.
namespace head {
enum Column : AttrNumber { kConversation = 1, kNextSlot, kMembers, kFilledUpto };
}
// <messages>_skipped_numbers: the numbers that are nobody's unread message.
namespace skipped {
enum Column : AttrNumber { kConversation = 1, kLevel, kChunk, kRemoved, kUncounted, kCounts };
}
// <members>_read_marks: what a position cannot say.
namespace mark {
enum Column : AttrNumber { kMember = 1, kConversation, kChunk, kUnread, kDelivered, kRead };
}
// <members>_read_log: the moves of the read positions, where they are kept.
namespace log {
enum Column : AttrNumber { kConversation = 1, kMember, kFrom, kUpto, kAt };
}

// <messages>_views: how often a message was viewed, in several rows.
namespace view {
enum Column : AttrNumber { kConversation = 1, kNumber, kSlot, kViews };
}

// <messages>_mentioned: whom messages mention, but for their senders, whether or not they count or have been read.
namespace mention {
enum Column : AttrNumber { kMember = 1, kConversation, kNumber };
}

struct Reads {
  const counters::Chat* chat;
  Oid read_state;
  Oid read_heads;
  Oid skipped_numbers;
  Oid read_marks;
  Oid read_log;            // InvalidOid: none is kept
  Oid views;  // invalid: not counted
  Oid mentions;       // invalid: not kept
  Oid mention_table;  // the application's table of (message, member); invalid: a column of messages says it
  bool own_messages_read;  // sending reads up to one's own message
  bool filling;            // conversations of before wait for backfill
  int32 private_size;
  int32 small_size;
  int32 large_size;

  pg::ValueType conversation_type;
  pg::ValueType member_type;
  pg::RowFinder open_state;  // (member, conversation), the interval that has no end
  pg::RowFinder states;      // (member, conversation, joined)
  pg::RowFinder members;     // the read state by conversation
  pg::RowFinder head;
  pg::RowFinder skipped;  // (conversation, level, chunk)
  pg::RowFinder mark;     // (member, conversation, chunk)
  pg::RowFinder marks;    // those by conversation
  pg::RowFinder log;      // (conversation, member, upto)
  pg::RowFinder view;  // (conversation, number, slot)
  pg::RowFinder mention;   // (member, conversation, number)
  pg::RowFinder mentions_by_number;  // (conversation, number)
  FmgrInfo member_order;  // of the index on members
};

// Of an attached messages table; raises 55000 where its reads are not tracked,
// and for a chat that is disabled.
Reads& tracked_reads(Oid messages);
// NULL: not tracked.
Reads* find_reads(Oid messages);

// The chat whose read state this table is. NULL: none.
const counters::Chat* chat_of_read_state(Oid table);

// The chat whose mentions are in this table of the application's. NULL: none.
const counters::Chat* chat_of_mention_table(Oid table);

// The tables of the reads of an attached messages table, by the configuration alone. False: reads are not tracked.
bool tables_of(Oid messages, Reads* reads);

// The read state of an attached messages table, by the configuration alone. Invalid: reads are not tracked.
Oid read_state_of(Oid messages);

// Writes that nothing waits for backfill any more.
void write_tracked(Oid messages);

void init_reads();

}  // namespace chatopt::reads
