// How far a member has got: the positions of a membership interval, and what moves them.
//
// Invariant: joined <= read <= delivered <= last, the conversation's greatest number, and read, delivered <= left.
// Laws: marks never move a position back, do nothing the second time, and give the same in any order; beyond last they
// stop there, since a client may be ahead. A membership that has ended is frozen.
//
// An unread mark is a second, lower reading position, made by hand: unread messages are counted from it while it is
// there, receipts know nothing of it. It is there only while it is below read:
//   - mark_unread(from) puts it at from - 1, wherever it was, but not below joined; at read or above there is none.
//   - Reading up to n moves it up to n, so that it goes when n reaches read; delivery leaves it alone.
//
// Pure values: everything is noexcept and allocates nothing.
#pragma once

#include <cstdint>
#include <limits>

namespace chatopt::core {

inline constexpr std::int64_t kStillMember = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kNoUnreadMark = -1;

// A membership interval: of the numbers in (joined, left], the member is a recipient.
struct Positions {
  std::int64_t joined = 0;
  std::int64_t left = kStillMember;
  std::int64_t delivered = 0;
  std::int64_t read = 0;
  bool operator==(const Positions&) const = default;
};

enum class Mark { kDelivered, kRead };

// What an event changed, as bits.
inline constexpr unsigned kDeliveredMoved = 1;
inline constexpr unsigned kReadMoved = 2;
inline constexpr unsigned kUnreadMarkMoved = 4;

[[nodiscard]] constexpr std::int64_t position(const Positions& positions, Mark mark) noexcept {
  return mark == Mark::kRead ? positions.read : positions.delivered;
}
[[nodiscard]] constexpr bool is_open(const Positions& positions) noexcept { return positions.left == kStillMember; }

// Delivered, or delivered and read, up to this number.
constexpr unsigned mark_upto(Positions& positions, Mark mark, std::int64_t upto, std::int64_t last) noexcept {
  if (!is_open(positions)) return 0;
  if (upto > last) upto = last;
  unsigned changed = 0;
  if (mark == Mark::kRead && upto > positions.read) {
    positions.read = upto;
    changed |= kReadMoved;
  }
  if (upto > positions.delivered) {
    positions.delivered = upto;
    changed |= kDeliveredMoved;
  }
  return changed;
}

// The same where there may be an unread mark. Sending is this with Mark::kRead and the number sent.
constexpr unsigned mark_upto(Positions& positions, std::int64_t& unread_mark, Mark mark, std::int64_t upto,
                             std::int64_t last) noexcept {
  unsigned changed = mark_upto(positions, mark, upto, last);
  if (mark == Mark::kRead && is_open(positions) && unread_mark != kNoUnreadMark && upto > unread_mark) {
    unread_mark = upto < positions.read ? upto : kNoUnreadMark;
    changed |= kUnreadMarkMoved;
  }
  return changed;
}

// From this number on unread once more.
constexpr unsigned mark_unread(const Positions& positions, std::int64_t& unread_mark, std::int64_t from) noexcept {
  if (!is_open(positions)) return 0;
  const std::int64_t wanted = from <= positions.joined ? positions.joined : from - 1;
  const std::int64_t mark = wanted < positions.read ? wanted : kNoUnreadMark;
  if (mark == unread_mark) return 0;
  unread_mark = mark;
  return kUnreadMarkMoved;
}

// What unread messages are counted from.
[[nodiscard]] constexpr std::int64_t unread_position(const Positions& positions, std::int64_t unread_mark) noexcept {
  return unread_mark != kNoUnreadMark && unread_mark < positions.read ? unread_mark : positions.read;
}

// Leaving at this number, the conversation's greatest.
constexpr void leave(Positions& positions, std::int64_t last) noexcept {
  if (is_open(positions)) positions.left = last;
}
// A new membership begins where the conversation is: nothing before is unread.
[[nodiscard]] constexpr Positions joined_at(std::int64_t last) noexcept { return {last, kStillMember, last, last}; }

}  // namespace chatopt::core
