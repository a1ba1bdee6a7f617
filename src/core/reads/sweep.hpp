// Receipts of a range of numbers from the positions of all members: who is a recipient, who has it, who has read it.
//
// A number's recipients are the members whose interval holds it, joined < number <= left, without its sender; they have
// it by a position at or above it, or by an acknowledgement. Leavers stay with the state they left with.
// Everything is noexcept and written into the caller's memory.
#pragma once

#include <cstdint>
#include <span>

#include "core/reads/acks.hpp"
#include "core/reads/positions.hpp"
#include "core/receipts/receipts.hpp"

namespace chatopt::core {

// One membership interval; a member that came back has several, with one slot.
struct SweepMember {
  Positions positions;
  std::int32_t slot;
};
struct MessageCounts {
  std::int32_t recipients;
  std::int32_t delivered;
  std::int32_t read;
  bool operator==(const MessageCounts&) const = default;
};
inline constexpr MessageCounts kRemovedCounts{-1, -1, -1};
inline constexpr std::int32_t kNobody = -1;

[[nodiscard]] constexpr bool holds(const Positions& positions, std::int64_t number) noexcept {
  return positions.joined < number && number <= positions.left;
}
// How far one message has come with one member, by positions alone; the sender is the caller's to leave out.
[[nodiscard]] constexpr ReceiptStatus status_of(const Positions& positions, std::int64_t number) noexcept {
  if (!holds(positions, number)) return ReceiptStatus::kNone;
  if (number <= positions.read) return ReceiptStatus::kSeen;
  return number <= positions.delivered ? ReceiptStatus::kDelivered : ReceiptStatus::kSent;
}

// The numbers first, first + 1, …, one for each of counts. senders has as many entries, or none: an index of some
// interval of the member who sent the number, or kNobody.
struct SweepRange {
  std::int64_t first;
  std::span<const std::int32_t> senders;
  std::span<MessageCounts> counts;
};

// Counts by positions. O(members + numbers); where a sender's interval is not the one given, its others are looked for.
void sweep(std::span<const SweepMember> members, const SweepRange& range) noexcept;
// Adds what a member has acknowledged above its positions, of the numbers that this one of its intervals holds:
// a chunk of it (see acks.hpp), after sweep.
void sweep_acks(std::span<const SweepMember> members, std::int32_t member, std::int64_t index, const AckChunk& chunk,
                const SweepRange& range) noexcept;

// For skip_visit, last of all: numbers that are removed have kRemovedCounts.
class SweepRemoved {
 public:
  explicit SweepRemoved(const SweepRange& range) noexcept : range_(range) {}
  void leaf(std::int64_t chunk, const SkipLeaf& leaf) noexcept;
  void removed(std::int64_t first, std::int64_t last) noexcept;

 private:
  const SweepRange& range_;
};

}  // namespace chatopt::core
