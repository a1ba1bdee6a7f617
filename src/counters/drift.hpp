// Differences that verify finds, as rows of text: conversation, counter, stored, actual.
#pragma once

#include "counters/batches.hpp"
#include "pg/postgres.hpp"

namespace chatopt::counters {

// Where they go, and of which conversations they are wanted.
struct Drift {
  Tuplestorestate* rows;
  TupleDesc columns;
  bool all;  // else of this conversation
  Datum key;
  float8 sample;  // or of about this share of all
};

// Any of them may be NULL.
void add_drift(const Drift& drift, const char* conversation, const char* counter, const char* stored,
               const char* actual);
// Adds what a query gives, four columns of text.
void add_drift_rows(const Drift& drift, const char* sql, int count, Oid* types, Datum* values, const char* nulls);
// $1 is the conversation's key or NULL, $2 the share.
void add_drift_of(const Chat& chat, const Drift& drift, const char* sql);

// Conversations with which the follower finds something wrong.
Keys conversations_with_drift(Run* run);

}  // namespace chatopt::counters
