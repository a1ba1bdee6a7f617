// Receipts that wait in a table: request threads INSERT, a drain folds and applies.
#pragma once

#include "pg/postgres.hpp"

namespace chatopt::reads {

// The queue of a chat. InvalidOid: none.
Oid queue_of(Oid messages);

// Takes at most so many entries from the queue and applies them, in the current
// transaction; waits for nobody: entries that others hold, or whose rows are busy,
// stay. Returns how many were taken. As the owner of messages.
uint64 drain_queue(Oid messages, Oid queue, int32 batch_size);

// Settings of the queue's worker.
void define_queue_settings();

}  // namespace chatopt::reads
