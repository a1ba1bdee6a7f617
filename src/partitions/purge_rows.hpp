// The messages of a partition that a purge, or its way back, comes to next.
#pragma once

#include "counters/chat.hpp"
#include "counters/purge_mark.hpp"
#include "pg/postgres.hpp"

namespace chatopt::partitions {

struct PurgeRow {
  Datum conversation;
  int64 number;
  bool counted;
  Datum key;
  Datum time;
  bool time_null;
};

struct PurgeRows {
  PurgeRow* rows;
  uint64 count;
};

// At most so many, from the mark on in the order of the index on conversation and
// number: up what is not purged, or, returning, down what is. Inside SPI, whose
// memory they are in; as the owner of messages.
PurgeRows next_purge_rows(const counters::Source& source, const counters::PurgeMark& mark, int most);

}  // namespace chatopt::partitions
