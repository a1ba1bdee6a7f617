// Who is a member of a conversation and how far they have got, put in order by what
// the members table and the messages say. The conversation's counter is locked,
// and nobody is waited for: false means that somebody holds a row, and that what
// was done is to be rolled back. Inside SPI, as the owner of messages.
#pragma once

#include "reads/head_row.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// Own messages with numbers in (after, upto] are read, where sending reads.
bool read_own_of(const Reads& reads, Datum conversation, int64 after, int64 upto);

// Members join and leave at the last number; positions that cannot be are cut down, a slot that
// two members share goes to the earlier, marks of nobody go. head is changed, and left to be written.
bool settle(const Reads& reads, Datum conversation, int64 last, Head* head);

// A condition on the row s of the read state: its positions cannot be, last being the conversation's last number.
const char* impossible_positions(const char* last);
// One on the row m of the marks, of an unread mark: it is of no use.
const char* useless_mark(const Reads& reads);

}  // namespace chatopt::reads
