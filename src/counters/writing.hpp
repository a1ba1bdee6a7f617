// Writing what a transaction has noted.
#pragma once

#include "core/counters/ledger.hpp"

namespace chatopt::counters {

// Writes every noted counter row of the transaction, each once. Locks those not
// locked yet in key order. Cost: one row version a conversation.
void write_noted(core::Ledger& ledger);

}  // namespace chatopt::counters
