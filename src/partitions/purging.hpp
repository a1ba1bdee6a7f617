// Emptying a partition of an attached chat's messages for the counters, so that
// it can go, and putting its messages back when it returns.
//
// The messages are taken out conversation by conversation in transactions of a
// batch each; their rows stay. In between and ever after, message_count, the last
// message, unread counts and receipts are exact, and chatopt.verify finds nothing:
// the mark (counters/purge_mark.hpp) says which messages count for nothing. When
// all do, the partition is detached or dropped, which changes no counter. A
// session that is killed leaves the mark where its last batch ended.
//
// Each function runs in the caller's transaction, of isolation level READ
// COMMITTED, and after purge_batch and return_batch the caller commits. They act
// as the owner of the messages; whether the caller may is the caller's to check.
#pragma once

#include "counters/chat.hpp"
#include "pg/postgres.hpp"

namespace chatopt::partitions {

// Is it the messages table of an attached chat?
bool is_chat_partition(Oid parent);

// Its chat, if partitions can be purged; raises 55000 where it is disabled or not
// filled, for its counters are to be counted anyway.
const counters::Chat& chat_to_purge(Oid parent);

// From now on nothing comes into the partition, and batches may begin. Waits for
// the partition's writers with SHARE, which the caller may have taken before; nothing
// where the mark is there already. Raises what chat_to_purge raises, 42809 where leaf
// is no partition of parent, 55P03 as lock_timeout says.
void mark_retiring(Oid parent, Oid leaf);

enum class Purge {
  kMore,      // commit, and call again
  kBusy,      // nothing was done: the partition, its mark or a counter is held; commit, pause, call again
  kFinished,  // the partition can go; or, returning, is like any other
};

// Messages a batch: a conversation waits for about as many milliseconds as it has thousands.
constexpr int kPurgeBatch = 10000;

// Takes the next messages out of the counters, at most batch_rows of at most 1,000
// conversations. Waits for the first conversation's counter, holding nothing, and
// for no other. Raises 55000 where the partition has no mark, and what chat_to_purge raises.
Purge purge_batch(Oid leaf, int batch_rows);

// In the transaction that detaches or drops it, after the last batch.
void forget_purge(Oid leaf);

// A table that was purged and detached, before it is attached again in the same
// transaction: none of its messages counts until return_batch has been there. Raises
// 23503 where conversations are gone, 23505 where a number is on another message by
// now. Or a partition that is being retired: what was purged is to be put back.
void mark_returning(Oid parent, Oid leaf);

// Puts the next messages back, from the greatest down, as purge_batch takes them.
Purge return_batch(Oid leaf, int batch_rows);

}  // namespace chatopt::partitions
