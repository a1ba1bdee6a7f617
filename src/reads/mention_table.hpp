// An application's table of mentions, a row a message and member: chatopt's triggers on it say which columns they are in,
// and follow what is written there.
#pragma once

#include "reads/reads.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

struct MentionColumns {
  AttrNumber message;
  AttrNumber member;
};
// Raises 55000 where the triggers are not there.
MentionColumns mention_columns(Oid table);

// Does a foreign key see to it that a row never comes before its message?
bool mentions_come_after(const counters::Chat& chat, Oid table);

}  // namespace chatopt::reads
