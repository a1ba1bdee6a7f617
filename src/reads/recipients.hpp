// One message and how far it has come with each of its recipients.
#pragma once

#include "core/receipts/receipts.hpp"
#include "reads/memberships.hpp"
#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

struct Recipient {
  Datum member;
  int32 slot;
  bool present;  // still a member
  core::ReceiptStatus status;
  bool read_last;  // nothing after it has been read: then the time below is when it was seen
  TimestampTz read_at;
};

struct Recipients {
  bool known;  // false: no such message, or who it went to is not told of this conversation
  Recipient* rows;
  int32 count;
};

// As the current role may see it: the message itself, and rows of the read state
// that no policy hides. In the current memory context.
Recipients find_recipients(const Reads& reads, Datum conversation, int64 number);

}  // namespace chatopt::reads
