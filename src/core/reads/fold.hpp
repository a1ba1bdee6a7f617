// Many marks, some on the same positions, as one operation for each.
//
// Marks only raise positions, so the greatest number of each kind is all that matters, and the order of a batch makes
// no difference. The caller numbers the positions: id is the rank of (conversation, member) in the order in which rows
// are to be locked. noexcept, into the caller's memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/reads/positions.hpp"

namespace chatopt::core {

struct MarkEntry {
  std::uint32_t id;
  Mark mark;
  std::int64_t upto;
};
struct FoldedMark {
  std::int64_t delivered = 0;  // 0: none
  std::int64_t read = 0;
  [[nodiscard]] bool empty() const noexcept { return delivered <= 0 && read <= 0; }
  bool operator==(const FoldedMark&) const = default;
};

// Every id is < folded.size(). Returns how many of them have something to do. O(entries + ids).
inline std::size_t fold(std::span<const MarkEntry> entries, std::span<FoldedMark> folded) noexcept {
  std::fill(folded.begin(), folded.end(), FoldedMark{});
  std::size_t result = 0;
  for (const MarkEntry& entry : entries) {
    if (entry.upto <= 0) continue;
    FoldedMark& to = folded[entry.id];
    if (to.empty()) ++result;
    std::int64_t& upto = entry.mark == Mark::kRead ? to.read : to.delivered;
    upto = std::max(upto, entry.upto);
  }
  return result;
}

// Returns what changed, as mark_upto does.
constexpr unsigned mark_folded(Positions& positions, std::int64_t& unread_mark, const FoldedMark& folded,
                               std::int64_t last) noexcept {
  unsigned changed = 0;
  if (folded.read > 0) changed |= mark_upto(positions, unread_mark, Mark::kRead, folded.read, last);
  if (folded.delivered > 0) changed |= mark_upto(positions, unread_mark, Mark::kDelivered, folded.delivered, last);
  return changed;
}

}  // namespace chatopt::core
