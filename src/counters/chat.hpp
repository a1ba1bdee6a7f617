// What is attached: which counters a table's rows belong to, and which column
// plays which role. Read once a backend and relation, dropped by invalidation.
#pragma once

#include "pg/image.hpp"
#include "pg/row_finder.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {
struct Reads;
}

namespace chatopt::counters {

// The counter table of a chat, and what the counters hang on. Lives until the
// end of the transaction in which it was last valid.
struct Chat {
  Oid messages;  // the table named at attach: a plain table or a partition root
  Oid conversations;
  Oid members;   // InvalidOid: none
  Oid counters;  // conversations, or a table of its own
  Oid owner;     // of messages: maintenance runs with this role's rights
  bool enforce;  // chatopt's own check replaced the foreign key to conversations
  bool disabled;
  bool filling;  // rows that were there before attach are still to be numbered
  bool index_missing;

  // Columns of the counter table; 0 where a counter is left out.
  AttrNumber key;
  AttrNumber last_sequence_number;
  AttrNumber message_count;
  AttrNumber member_count;
  AttrNumber last_message_id;
  AttrNumber last_message_at;
  pg::ValueType last_message_id_type;
  pg::ValueType last_message_at_type;

  pg::ValueType key_type;
  pg::RowFinder finder;  // by the unique index on key alone
  FmgrInfo key_order;    // the index's own order

  reads::Reads* reads;  // what the follower keeps; NULL: reads are not tracked
  bool note_senders;    // the follower wants to know who sent what
  bool note_mentions;   // … and who is mentioned: in a column of messages, the role "mentions", or
  bool mentions_apart;  // in a table of their own, with a row a message and member mentioned,
  bool mentions_after;  // which never come before their message
};

// One row of chatopt.chat.
struct Config {
  bool found;
  Oid messages;
  Oid conversations;
  Oid members;
  Oid counters;
  bool enforce;
  bool disabled;
  bool filling;
  bool index_missing;
};

// One table whose triggers are ours: a messages or members table, or a leaf of one.
struct Source {
  Oid relation;  // hash key
  Chat* chat;
  bool messages;  // else members
  AttrNumber conversation;
  AttrNumber number;
  AttrNumber key;   // the message's key, or the member
  AttrNumber time;    // 0: none
  AttrNumber sender;  // 0: none
  AttrNumber mentions;  // 0: none
  bool number_is_int4;
  bool numbered_last;  // no BEFORE INSERT trigger runs after the one that numbers
  bool purging;        // a partition with a mark when this was read (purge_mark.hpp)
  pg::ValueType conversation_type;
  pg::ValueType key_type;
  pg::ValueType time_type;
  pg::ValueType sender_type;
  pg::ValueType mentions_type;
  Oid insert_trigger;  // the AFTER INSERT trigger whose WHEN notes rows
  List* insert_when;   // that WHEN, as the executor takes it; NIL: let it read the text
  bool insert_when_is_plain;  // nothing in it to plan: no condition of the user's
};

// The attached table a relation belongs to: itself, or the nearest attached
// ancestor. The one place that decides whose counters a trigger's table moves;
// a distributed sibling would be found here. NULL: not attached.
Chat* find_chat(Oid relation);

// Of a messages or members table, or a leaf of one. Raises 55000 when it is not
// attached or its triggers were changed, 42501 when its owner may not write the counters.
Source* source_of(Relation relation);
Source* source_of(Oid relation);
// The same if it is at hand; else NULL.
const Source* cached_source(Oid relation);

// The chat whose counter table this is. NULL: none.
Chat* chat_of_counters(Oid relation);
// The chat whose conversations table this is. NULL: none.
Chat* chat_of_conversations(Oid relation);
// The configuration of an attached messages table, whatever became of its
// triggers; raises 55000 where there is none.
Config attached_config(Oid messages);
// The chat of an attached messages table; raises 55000 where there is none.
Chat* attached_chat(Oid messages);

// Changes whenever something cached may have changed: what was remembered
// across calls is good only while it stays the same.
uint64 cache_generation();
// The columns of the counter table as its guard trigger names them.
bool is_counter_column(const Chat& chat, AttrNumber column);

// The message_counted or member_counted condition of an attached table as SQL
// over its own columns, prefixed by the alias; "true" where there is none.
// In the current memory context.
char* counted_condition(Oid table, const char* alias);
// NULL where the table has no triggers of chatopt.
char* find_counted_condition(Oid table, const char* alias);

// Which column of a table plays which role, as the triggers of chatopt on it say.
struct Role {
  const char* name;
  AttrNumber column;
};
constexpr int kMostRoles = 8;
int roles_of(Oid table, Role* roles);

// Drops the cache when this relation changes. For what a follower loads.
void watch_relation(Oid relation);

void init_chat_cache();
void free_stale_chats();  // at the end of a transaction

}  // namespace chatopt::counters
