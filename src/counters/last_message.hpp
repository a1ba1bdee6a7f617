// Which message is a conversation's last after what a statement did.
#pragma once

#include "core/counters/ledger.hpp"
#include "counters/chat.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

struct LastMessage {
  bool known;  // false: unchanged
  Datum id;
  Datum at;
  bool id_null;
  bool at_null;
};

// stored_last is the greatest number the counter row has held so far. Costs
// nothing unless the last message itself went, or an older one became counted:
// then one descent of the index on (conversation, sequence), past uncounted messages.
LastMessage last_message_after(const Chat& chat, const core::Counter& counter, TupleTableSlot* row,
                               int64 stored_last);

// The counted message with the greatest number, by query; all NULL where there is none.
LastMessage query_last_message(const Chat& chat, core::Bytes conversation);

}  // namespace chatopt::counters
