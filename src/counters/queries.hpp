// The few queries of the counters module that need the planner: never one a
// row, each run as the owner of the messages table, seeing every row.
#pragma once

#include "core/counters/ledger.hpp"
#include "counters/chat.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

// "schema"."name" of a relation. In the current memory context.
const char* qualified_name(Oid relation);
const char* quoted_column(Oid relation, AttrNumber column);

// Makes the counter row of an existing conversation that has none. False: there
// is no such conversation. *made tells whether it was this call that made it.
bool create_counter_row(const Chat& chat, core::Bytes conversation, bool* made);

// Runs one command with one or two keys as parameters ($1, $2) as the owner of
// the messages table; returns how many rows it touched or found.
uint64 run_as_owner(const Chat& chat, const char* sql, int keys, const Datum* values);

}  // namespace chatopt::counters
