// The skipped numbers of a conversation as ascending ranges: told from its
// messages, or from what is stored of them.
#pragma once

#include "core/reads/skip_tree.hpp"
#include "reads/reads.hpp"
#include "reads/skip_rows.hpp"
#include "pg/postgres.hpp"

namespace chatopt::reads {

// Neighbours of one kind are one range. In the memory context in which the first is added.
struct SkipRanges {
  core::SkipChange* ranges;
  std::size_t count;
  std::size_t room;
};
void add_range(SkipRanges* to, int64 first, int64 last, core::SkipKind kind);

// Messages in ascending order of their numbers, from next on: what lies between them is removed.
struct MessageRanges {
  SkipRanges skipped;
  int64 next;
};
void add_message(MessageRanges* to, int64 number, bool counted);
// There is no message more up to this number.
void end_messages(MessageRanges* to, int64 last);

// What is stored of a conversation with this last number.
SkipRanges stored_ranges(SkipLookup* lookup, int64 last);

// Numbers of this kind in the first, but not in the second, as a set is written: {1-3,7}. Cut
// short after 200 bytes. NULL: there are none.
const char* difference_text(const SkipRanges& in, const SkipRanges& not_in, core::SkipKind kind);

}  // namespace chatopt::reads
