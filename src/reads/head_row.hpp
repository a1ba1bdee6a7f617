// The head of a tracked conversation: its next slot, how many members it has,
// and how far its skipped numbers are filled in.
#pragma once

#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

struct Head {
  int32 next_slot;
  int32 members;
  bool filled;         // everything that is kept of the conversation is exact, but perhaps
  bool mentions_left;  // for mentions, which are so up to filled_upto
  int64 filled_upto;   // if not filled: numbers up to this one are exact
  ItemPointerData place;
};

// The newest version; the counter's lock keeps it so. False: there is none.
bool find_head(const Reads& reads, Datum conversation, Head* head);
// As a snapshot sees it.
bool find_head_seen(const Reads& reads, Datum conversation, Snapshot snapshot, Head* head);
// Makes it, as head says.
void insert_head(const Reads& reads, Datum conversation, Head* head);
// Writes next_slot, members and how far it is filled.
void write_head(const Reads& reads, Datum conversation, const Head& head);

}  // namespace chatopt::reads
