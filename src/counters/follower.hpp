// What another module keeps beside the counters of a chat, in the same
// transaction and under the same locks: the counters tell it what happened and
// know nothing else of it.
#pragma once

#include "core/counters/ledger.hpp"
#include "counters/chat.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

struct Follower {
  // Fills in what it keeps for this chat, in the current memory context.
  void (*load)(Chat* chat);
  // A counter row, which is locked, was written; its notes are still there. Called
  // too where there was nothing to change in the row itself.
  void (*written)(const Chat& chat, const core::Counter& counter, int64 stored_last);
  // A conversation was deleted; or its key has changed, where to is given.
  void (*conversation_gone)(const Chat& chat, Datum from, const Datum* to);
  // The conversations table was truncated.
  void (*conversations_truncated)(const Chat& chat);
};

void set_follower(const Follower* follower);
const Follower* follower();

// The counter of a conversation, which notes what a follower needs.
core::Counter& counter_of(const Chat& chat, core::Ledger& ledger, core::Bytes key);

}  // namespace chatopt::counters
