// One call of a function on reads: its chat, its keys, its rights. Kept in
// fn_extra, so that a call costs no catalogue look-up after the first.
#pragma once

#include "reads/reads.hpp"
#include "reads/state_row.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

constexpr int kMostKeyArguments = 2;

// Turns an argument of any type into a key's own type, through its text form.
struct KeyArgument {
  const char* name;  // of the argument, for error messages
  bool converts;
  FmgrInfo output;
  FmgrInfo input;
  Oid input_parameter;
  bool from_varlena;
};

struct Call {
  uint64 generation;
  Oid messages;
  Oid role;
  Reads* reads;
  KeyArgument key[kMostKeyArguments];
};

// The call site, for this messages table (argument 0), with key arguments from
// position 1 on: a conversation where conversation is true, then a member where
// member is true. Raises 22004 for a NULL table, 55000 where reads are not tracked.
Call* ready_call(FunctionCallInfo fcinfo, bool conversation, bool member);

// The key at this position in its own type; NULL stays NULL. Raises 22P02, and
// names the argument, where the text form is not one of the type.
bool key_argument(FunctionCallInfo fcinfo, Call* call, int position, Datum* key);

// The elements of an array argument; none may be NULL itself (22004).
struct KeyList {
  Datum* values;
  bool* nulls;
  int count;
};
KeyList list_argument(FunctionCallInfo fcinfo, int position, const char* name);
// The same with keys, in their own type: an array of any type, or its text form.
KeyList keys_argument(FunctionCallInfo fcinfo, int position, const char* name, const pg::ValueType& type);

// A number that must not be NULL: 22004.
int64 number_argument(FunctionCallInfo fcinfo, int position, const char* name);

// May the current role read, or move, positions? Raises 42501.
void check_may_read(const Call* call);
void check_may_mark(const Call* call);
// Row-level security: does the current role see every row of the read state, this member's row?
bool sees_all_rows(const Reads& reads);
bool visible_to_caller(const Reads& reads, const StateKey& key);
// The same for a role that wants to move it: an UPDATE that its policies allow.
bool movable_by_caller(const Reads& reads, const StateKey& key);

FmgrInfo output_of(const pg::ValueType& type);

// Refuses in a read-only transaction, on a standby, and while the chat is disabled (55000).
void check_writable(const Call* call, const char* function);

}  // namespace chatopt::reads
