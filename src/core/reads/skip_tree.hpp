// The skipped numbers of a conversation, as rows: the one header for users. What the rows are: skip_rows.hpp.
//
// Rows come and go through what the caller gives, so that tables and tests share this:
//   bool load(int level, std::int64_t chunk, SkipLeaf&)     level 0; false: there is no such row
//   bool load(int level, std::int64_t chunk, SkipNode&)     level >= 1
//   void save(int level, std::int64_t chunk, const SkipLeaf& / const SkipNode&)      skip_apply only
//   void erase(int level, std::int64_t chunk)                                        skip_apply only
// A Lookup that can count in a stored leaf without unpacking it may have this too, and is then asked no leaf for it:
//   bool leaf_count(std::int64_t chunk, int from, int to, std::int64_t& skipped)
//     false: there is no such row; else skipped = how many of the members from … to are in one of the two sets
//
// They do not throw. They may leave by longjmp: nothing here has a destructor, and nothing is allocated. last, the
// greatest number of the conversation, never goes back, and no number of a change or question that is beyond it is
// skipped.
#pragma once

#include "core/reads/skip_apply.hpp"
#include "core/reads/skip_query.hpp"
#include "core/reads/skip_rows.hpp"
