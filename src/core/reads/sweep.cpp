#include "core/reads/sweep.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace chatopt::core {

namespace {

std::int64_t last_of(const SweepRange& range) noexcept {
  return range.first - 1 + static_cast<std::int64_t>(range.counts.size());
}
std::size_t place(const SweepRange& range, std::int64_t number) noexcept {
  return static_cast<std::size_t>(number - range.first);
}

// One more for each of the numbers in (above, upto], said where it begins and where it ends.
void add_edges(const SweepRange& range, std::int32_t MessageCounts::*count, std::int64_t above,
               std::int64_t upto) noexcept {
  const std::int64_t last = last_of(range);
  upto = std::min(upto, last);
  above = std::max(above, range.first - 1);
  if (above >= upto) return;
  ++(range.counts[place(range, above + 1)].*count);
  if (upto < last) --(range.counts[place(range, upto + 1)].*count);
}

void add_up(std::span<MessageCounts> counts) noexcept {
  MessageCounts sum{};
  for (MessageCounts& at : counts) {
    sum.recipients += at.recipients;
    sum.delivered += at.delivered;
    sum.read += at.read;
    at = sum;
  }
}

// The member's interval that holds the number; null when there is none.
const Positions* interval_of(std::span<const SweepMember> members, std::int32_t member, std::int64_t number) noexcept {
  const SweepMember& given = members[static_cast<std::size_t>(member)];
  if (holds(given.positions, number)) return &given.positions;
  for (const SweepMember& other : members)
    if (other.slot == given.slot && holds(other.positions, number)) return &other.positions;
  return nullptr;
}

bool is_sender(std::span<const SweepMember> members, const SweepRange& range, std::int64_t number,
               std::int32_t slot) noexcept {
  if (range.senders.empty()) return false;
  const std::int32_t sender = range.senders[place(range, number)];
  return sender != kNobody && members[static_cast<std::size_t>(sender)].slot == slot;
}

void leave_senders_out(std::span<const SweepMember> members, const SweepRange& range) noexcept {
  for (std::size_t i = 0; i < range.senders.size(); ++i) {
    if (range.senders[i] == kNobody) continue;
    const std::int64_t number = range.first + static_cast<std::int64_t>(i);
    const Positions* const sender = interval_of(members, range.senders[i], number);
    if (sender == nullptr) continue;
    --range.counts[i].recipients;
    if (number <= sender->delivered) --range.counts[i].delivered;
    if (number <= sender->read) --range.counts[i].read;
  }
}

}  // namespace

void sweep(std::span<const SweepMember> members, const SweepRange& range) noexcept {
  std::fill(range.counts.begin(), range.counts.end(), MessageCounts{});
  for (const SweepMember& member : members) {
    const Positions& at = member.positions;
    add_edges(range, &MessageCounts::recipients, at.joined, at.left);
    add_edges(range, &MessageCounts::delivered, at.joined, std::min(at.delivered, at.left));
    add_edges(range, &MessageCounts::read, at.joined, std::min(at.read, at.left));
  }
  add_up(range.counts);
  leave_senders_out(members, range);
}

void sweep_acks(std::span<const SweepMember> members, std::int32_t member, std::int64_t index, const AckChunk& chunk,
                const SweepRange& range) noexcept {
  const SweepMember& by = members[static_cast<std::size_t>(member)];
  if (by.positions.joined >= last_of(range)) return;
  const std::int64_t base = skip_first(0, index);
  const std::int64_t from = std::max({range.first, base, by.positions.joined + 1});
  const std::int64_t to = std::min({last_of(range), skip_last(0, index), by.positions.left});
  if (from > to) return;
  for (int word = skip_bit(from) / 64; word <= skip_bit(to) / 64; ++word) {
    std::uint64_t left = (chunk.delivered[word] | chunk.read[word]) & skip_mask(word, skip_bit(from), skip_bit(to));
    for (; left != 0; left &= left - 1) {
      const std::int64_t number = base + 64 * word + std::countr_zero(left);
      if (is_sender(members, range, number, by.slot)) continue;
      MessageCounts& counts = range.counts[place(range, number)];
      if (number > by.positions.delivered) ++counts.delivered;
      if (number > by.positions.read && ack_holds(chunk, Mark::kRead, number)) ++counts.read;
    }
  }
}

void SweepRemoved::leaf(std::int64_t chunk, const SkipLeaf& leaf) noexcept {
  const std::int64_t to = std::min(last_of(range_), skip_last(0, chunk));
  for (std::int64_t number = std::max(range_.first, skip_first(0, chunk)); number <= to; ++number) {
    if (skip_leaf_kind(leaf, skip_bit(number)) == SkipKind::kRemoved)
      range_.counts[place(range_, number)] = kRemovedCounts;
    if (number == to) break;
  }
}

void SweepRemoved::removed(std::int64_t first, std::int64_t last) noexcept {
  const auto from = range_.counts.begin() + static_cast<std::ptrdiff_t>(first - range_.first);
  std::fill(from, from + static_cast<std::ptrdiff_t>(last - first + 1), kRemovedCounts);
}

}  // namespace chatopt::core
