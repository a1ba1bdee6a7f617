// Finding the counter row of a conversation by its key.
#pragma once

#include "core/counters/ledger.hpp"
#include "counters/chat.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

// A version of the row, materialized; which one does not matter, locking finds
// the newest. key and image are the same value. False: there is no such row.
// Cost: the place where the row was last found, else one descent of the index.
bool find_row(const Chat& chat, Relation counters, Datum key, core::Bytes image, TupleTableSlot* slot);

// Does the row in the slot have this key?
bool has_key(const Chat& chat, TupleTableSlot* slot, core::Bytes key);

uint32 hash_of(core::Bytes key);

}  // namespace chatopt::counters
