// What another module keeps beside the counters of a chat, in the same
// transaction and under the same locks: the counters tell it what happened and
// know nothing else of it.
#pragma once

#include "core/counters/ledger.hpp"
#include "counters/chat.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

struct Config;
struct Drift;

// What one try at a conversation came to: done; more batches to go; or somebody
// holds a row that it needs, and nothing was kept.
enum class Step { kDone, kMore, kBusy };

struct FillBatch {
  int64 size;   // about so many messages are looked at
  bool again;   // from the start, whatever is there
  int64 done;   // numbers that it got through
};

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

  // Filling in what was there before; batches.hpp runs it. Queries of keys have the
  // last key, or NULL, as $1 and give them in order; they are NULL where nothing is kept.
  const char* task;  // its name in chatopt.progress
  const char* (*unfilled)(const Chat& chat);  // conversations
  const char* (*unfilled_numbers)(const Chat& chat);  // how many numbers they have to go
  const char* (*strays)(const Chat& chat);  // what is kept of conversations that there are not
  // The next batch of a conversation whose counter is locked and filled, inside SPI
  // and as the owner of messages; waits for nobody. last is its last number.
  Step (*fill)(const Chat& chat, Datum conversation, int64 last, FillBatch* batch);
  void (*filled)(Oid messages);  // there is nothing unfilled any more

  // Adds to a query of (table, trigger) those it relies on. Needs nothing but the configuration.
  void (*append_triggers)(StringInfo sql, const Config& config);
  // Finds what is not as it should be; inside SPI, as the owner of messages, under the active snapshot.
  void (*verify)(const Chat& chat, const Drift& drift);
};

void set_follower(const Follower* follower);
const Follower* follower();

// The counter of a conversation, which notes what a follower needs.
core::Counter& counter_of(const Chat& chat, core::Ledger& ledger, core::Bytes key);

}  // namespace chatopt::counters
