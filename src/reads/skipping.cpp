#include "reads/skipping.hpp"

#include <algorithm>

#include "pg/boundary.hpp"
#include "reads/skip_rows.hpp"

namespace chatopt::reads {
namespace {

struct Changes {
  core::SkipChange* ranges;
  std::size_t count;
};

void add(Changes* changes, const core::NumberSet& numbers, core::SkipKind kind, int64 upto) {
  pg::cpp_zone([&numbers, changes, kind, upto] {
    numbers.for_each([=](int64 first, int64 last) {
      if (first <= upto) changes->ranges[changes->count++] = {first, std::min(last, upto), kind};
    });
  });
}

int in_order(const void* left, const void* right) {
  const int64 a = static_cast<const core::SkipChange*>(left)->first;
  const int64 b = static_cast<const core::SkipChange*>(right)->first;
  return a < b ? -1 : a > b ? 1 : 0;
}

Changes changes_of(const core::Skips& skips, int64 upto) {
  const std::size_t most = skips.removed.range_count() + skips.uncounted.range_count() + skips.counted.range_count();
  Changes changes = {static_cast<core::SkipChange*>(
                         MemoryContextAllocHuge(CurrentMemoryContext, most * sizeof(core::SkipChange))),
                     0};
  add(&changes, skips.removed, core::SkipKind::kRemoved, upto);
  add(&changes, skips.uncounted, core::SkipKind::kUncounted, upto);
  add(&changes, skips.counted, core::SkipKind::kCounted, upto);
  qsort(changes.ranges, changes.count, sizeof(core::SkipChange), in_order);
  return changes;
}

}  // namespace

void write_skips(const Reads& reads, Datum conversation, const core::Skips& skips, int64 last, const Head& head) {
  const Changes changes = changes_of(skips, head.filled ? last : Min(last, head.filled_upto));
  if (changes.count > 0) {
    SkipStore store(reads, conversation);
    core::skip_apply(store, last, std::span<const core::SkipChange>(changes.ranges, changes.count));
    store.close();
  }
  pfree(changes.ranges);
}

}  // namespace chatopt::reads
