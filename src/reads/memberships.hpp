// All memberships of one conversation, open and closed, as the active snapshot sees them.
#pragma once

#include "core/reads/positions.hpp"
#include "pg/row_finder.hpp"
#include "reads/reads.hpp"
#include "reads/state_row.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

struct Membership {
  Datum member;  // until the next one
  core::Positions positions;
  int32 slot;
  TimestampTz read_at;  // when the read position moved last
  bool read_at_null;
};

// In no particular order.
struct MembershipScan {
  Membership membership;
  bool by_query;
  Relation table;
  pg::RowScan rows;
  SPITupleTable* found;
  uint64 count;
  uint64 next;
  TupleTableSlot* slot;
};

enum class Policies {
  kObeyed,  // rows that row-level security hides from the current role are left out
  kIgnored  // for answers that name nobody
};
MembershipScan begin_memberships(const Reads& reads, Datum conversation, Policies policies);
// False: no more.
bool next_membership(MembershipScan* scan);
void end_memberships(MembershipScan* scan);

}  // namespace chatopt::reads
