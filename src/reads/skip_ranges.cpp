#include "reads/skip_ranges.hpp"

namespace chatopt::reads {
namespace {

constexpr std::size_t kFirstRoom = 16;
constexpr int kTextBytes = 200;

// Gathers what skip_visit finds. The parts of a leaf beyond the last number are
// taken too: nothing is skipped there.
struct Gather {
  SkipRanges found;

  void leaf(int64 chunk, const core::SkipLeaf& leaf) {
    const int64 first = core::skip_first(0, chunk);
    for (int word = 0; word < core::kSkipWords; ++word) {
      if ((leaf.removed[word] | leaf.uncounted[word]) == 0) continue;
      for (int member = word * 64; member < (word + 1) * 64; ++member) {
        const core::SkipKind kind = core::skip_leaf_kind(leaf, member);
        if (kind != core::SkipKind::kCounted) add_range(&found, first + member, first + member, kind);
      }
    }
  }
  void removed(int64 first, int64 last) { add_range(&found, first, last, core::SkipKind::kRemoved); }
};

// One set as text, range by range.
struct SetText {
  StringInfoData text;

  void add(int64 first, int64 last) {
    if (text.len > kTextBytes) return;
    if (text.len > 1) appendStringInfoChar(&text, ',');
    appendStringInfo(&text, "%lld", static_cast<long long>(first));
    if (last > first) appendStringInfo(&text, "%c%lld", last == first + 1 ? ',' : '-', static_cast<long long>(last));
  }
  const char* finish() {
    if (text.len == 1) return nullptr;
    appendStringInfoChar(&text, '}');
    if (text.len > kTextBytes) strlcpy(text.data + kTextBytes - 3, "...", 4);
    return text.data;
  }
};

}  // namespace

void add_range(SkipRanges* to, int64 first, int64 last, core::SkipKind kind) {
  if (to->count > 0) {
    core::SkipChange& before = to->ranges[to->count - 1];
    if (before.kind == kind && before.last == first - 1) {
      before.last = last;
      return;
    }
  }
  if (to->count == to->room) {
    to->room = Max(2 * to->room, kFirstRoom);
    const Size bytes = to->room * sizeof(core::SkipChange);
    to->ranges = static_cast<core::SkipChange*>(to->count == 0 ? MemoryContextAllocHuge(CurrentMemoryContext, bytes)
                                                               : repalloc_huge(to->ranges, bytes));
  }
  to->ranges[to->count++] = {first, last, kind};
}

void add_message(MessageRanges* to, int64 number, bool counted) {
  if (number < to->next) return;  // a number given twice
  if (number > to->next) add_range(&to->skipped, to->next, number - 1, core::SkipKind::kRemoved);
  if (!counted) add_range(&to->skipped, number, number, core::SkipKind::kUncounted);
  to->next = number + 1;
}

void end_messages(MessageRanges* to, int64 last) {
  if (to->next <= last) add_range(&to->skipped, to->next, last, core::SkipKind::kRemoved);
  to->next = last + 1;
}

SkipRanges stored_ranges(SkipLookup* lookup, int64 last) {
  Gather gather = {};
  core::skip_visit(*lookup, last, 1, last, gather);
  return gather.found;
}

const char* difference_text(const SkipRanges& in, const SkipRanges& not_in, core::SkipKind kind) {
  SetText set = {};
  initStringInfo(&set.text);
  appendStringInfoChar(&set.text, '{');
  std::size_t other = 0;
  for (std::size_t i = 0; i < in.count; ++i) {
    if (in.ranges[i].kind != kind) continue;
    int64 first = in.ranges[i].first;
    const int64 last = in.ranges[i].last;
    while (other < not_in.count && not_in.ranges[other].last < first) ++other;
    for (std::size_t j = other; j < not_in.count && not_in.ranges[j].first <= last; ++j) {
      if (not_in.ranges[j].kind != kind) continue;
      if (not_in.ranges[j].first > first) set.add(first, not_in.ranges[j].first - 1);
      first = not_in.ranges[j].last + 1;
    }
    if (first <= last) set.add(first, last);
  }
  return set.finish();
}

}  // namespace chatopt::reads
