// The counter row of one conversation: find it, lock it, write it.
#pragma once

#include "core/counters/ledger.hpp"
#include "counters/chat.hpp"
#include "counters/last_message.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

// Locks the counter row FOR NO KEY UPDATE until the end of the transaction and
// tells the ledger what it holds. Waits for other writers of this conversation,
// first come, first served; raises 40001 under REPEATABLE READ and SERIALIZABLE
// when the row has changed since the snapshot. False: there is no such row.
// Cost: one index lookup and one row lock, O(log conversations).
bool lock_counter(const Chat& chat, core::Ledger& ledger, core::Counter& counter);

using CounterLock = pg::RowLock;
// The same, but gives up at once where it would have to wait, unless told to.
CounterLock lock_counter_unless_busy(const Chat& chat, core::Ledger& ledger, core::Counter& counter, bool wait);

// Before a statement's first number from a counter that this transaction has
// locked already: reads the row again, should something else have written it.
bool refresh_counter(const Chat& chat, core::Ledger& ledger, core::Counter& counter);

// Writes what was noted to the row, which is locked: one new row version, HOT
// where no index has a changed column. Fires no trigger.
void write_counter(const Chat& chat, core::Ledger& ledger, core::Counter& counter);

// Marks the locked row as one whose messages backfill has yet to number.
void set_counter_unfilled(const Chat& chat, core::Ledger& ledger, core::Counter& counter);

// All counters of one conversation, counted afresh.
struct Recount {
  int64 last;
  int64 messages;
  int64 members;
};
void write_recount(const Chat& chat, core::Ledger& ledger, core::Counter& counter, const Recount& count,
                   const LastMessage& last);

}  // namespace chatopt::counters
