// The messages of one conversation as they are stored, for backfill and repair:
// which have no number, giving them one, counting them. Queries run as the
// caller, inside SPI; key is the conversation's.
#pragma once

#include "core/counters/ledger.hpp"
#include "counters/chat.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

// A row to number, as a query found it.
struct Place {
  Oid relation;
  ItemPointerData tid;
};

// SELECT columns of the messages without a number, $1 being the conversation.
const char* unnumbered(const Chat& chat, const char* columns, const char* rest);
// The ORDER BY in which old messages are numbered.
const char* in_order(const Chat& chat);
int64 count_unnumbered(const Chat& chat, Datum key, int64 limit);
// 0: there is none.
int64 greatest_number(const Chat& chat, Datum key);

// Numbers rows (tableoid, ctid) from *next on; those that somebody holds are
// passed over, *next is behind the last number given.
void number_rows(const Chat& chat, SPITupleTable* rows, uint64 count, int64* next);
// Holds every row, or none: nothing is written before all are had. False: *busy
// is the one that somebody else holds.
bool lock_rows(SPITupleTable* rows, uint64 count, Place* busy);
// Is the row that stopped the last try still held? If not, *place is cleared.
bool is_busy(Place* place);

// Two messages with one number: the later by time and key gives its number back.
void clear_duplicates(const Chat& chat, Datum key);
// Counts the conversation afresh and writes all its counters. Its row is locked.
// Cost: reads every message and member of it.
void recount(const Chat& chat, core::Ledger& ledger, core::Counter& counter, Datum key, int64 last);

}  // namespace chatopt::counters
