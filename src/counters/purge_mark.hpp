// How far a partition of messages has been emptied for the counters, while its
// rows are still there: one row of chatopt.partition_purge, written by
// src/partitions/purging.cpp.
//
// A message up to the mark, in the order of the index on conversation and
// number, is removed in the counters' sense: it counts for nothing and is nobody's
// last or unread message. The mark passes a conversation's message only while its
// counter is locked; so who has the counter and reads the mark afterwards knows.
#pragma once

#include "counters/chat.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

struct PurgeMark {
  Oid partition;    // InvalidOid: it has none, and is like any other
  Oid parent;       // the attached messages table
  bool returning;   // moving down, else up
  bool whole;       // all messages of the partition are up to it
  const char* key;  // of a conversation, as text; NULL: whole, or no message is up to it
  int64 number;
  int64 messages;   // gone through in this direction
};

// As the snapshot sees it; in the current memory context. Cost: one scan of a table of a page.
PurgeMark purge_mark_of(Oid partition, Snapshot snapshot);
// As it is now.
PurgeMark purge_mark_now(Oid partition);

enum class OrderOperator { kLess, kEqual, kGreater };
// OPERATOR(schema.name) of the type's own order, whatever the search_path.
const char* type_operator(Oid type, OrderOperator which);

// Is this message up to the mark?
bool is_up_to(const PurgeMark& mark, const Source& source, Datum conversation, int64 number);
// The same as SQL on the columns of alias, for the messages of this partition.
const char* up_to_mark(const PurgeMark& mark, const Source& source, const char* alias);

// " AND …" to leave out what has been purged in any partition of the chat, for
// a query that runs under this snapshot, or, given the latest one, under the lock
// of the only counter it asks about. Empty where nothing has been.
const char* purged_condition(const Chat& chat, const char* alias, Snapshot snapshot);
const char* purged_condition_now(const Chat& chat, const char* alias);

// Has anything been purged that is still there?
bool has_purged(Oid messages);

// No message comes into a partition that has a mark, nor changes its place in the order: 23514.
void refuse_if_purging(const Source& source);
// The same for one whose conversation changes: only when all are purged anyway may the conversation have another key.
void refuse_move_if_purging(const Source& source, bool renamed);

}  // namespace chatopt::counters
