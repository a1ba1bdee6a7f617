// The running transaction's ledger: made at first use, gone with the transaction.
#pragma once

#include "core/counters/ledger.hpp"
#include "pg/boundary.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

// At the current (sub)transaction's depth.
core::Ledger& ledger();
// NULL when this transaction has none.
core::Ledger* ledger_if_any();

// The name of the statement whose executor owns this memory context. The ledger
// is told when the context, and with it the statement, ends.
core::Ledger::Tag statement_tag(MemoryContext executor);

// Counter tables may have been rewritten: what is known of row places is void.
void forget_row_locations();

void init_ledgers();

}  // namespace chatopt::counters
