// A time zone as a list of the times at which its offset changes. Who has the rules (PostgreSQL) makes the list, for
// the window that is going to be asked about; beyond it the answer is an error, never a guess.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "core/partitions/calendar.hpp"

namespace chatopt::core {

// From this second on (of 1970, UTC) the offset is so many seconds, east of Greenwich positive.
struct Transition {
  std::int64_t at;
  std::int32_t offset;  // less than a day either way
  auto operator<=>(const Transition&) const = default;
};

// Both inclusive.
struct Window {
  Instant from;
  Instant to;
  [[nodiscard]] constexpr bool holds(Instant instant) const noexcept { return from <= instant && instant <= to; }
  bool operator==(const Window&) const = default;
};
inline constexpr Window kAllTime = {{std::numeric_limits<std::int64_t>::min()},
                                    {std::numeric_limits<std::int64_t>::max()}};

class Zone {
 public:
  // UTC.
  constexpr Zone() noexcept = default;
  // transitions: all that there are after window.from and up to window.to, ascending; they must outlive the Zone.
  // Before the first of them first_offset holds.
  constexpr Zone(std::int32_t first_offset, std::span<const Transition> transitions, Window window) noexcept
      : transitions_(transitions), window_(window), first_offset_(first_offset) {}

  // All O(log transitions).

  [[nodiscard]] Result<Local> to_local(Instant instant) const noexcept;
  // As PostgreSQL's timestamp AT TIME ZONE: a time that a gap leaves out is taken by the offset before it, one that
  // there is twice by the offset after. Needs a day on either side to be within the window.
  [[nodiscard]] Result<Instant> to_utc(Local local) const noexcept;

  // The least that to_local gives for the instant or any after it: clocks are put back. Needs two days more.
  [[nodiscard]] Result<Local> least_local(Instant instant) const noexcept;
  // The least that to_utc gives for the time or any after it: it differs within a gap, where it is the gap's instant.
  [[nodiscard]] Result<Instant> least_utc(Local local) const noexcept;

 private:
  struct Around;
  [[nodiscard]] Result<Around> around(Local local) const noexcept;
  [[nodiscard]] std::size_t count_upto(std::int64_t second) const noexcept;
  [[nodiscard]] std::int32_t offset_after(std::size_t transitions) const noexcept;

  std::span<const Transition> transitions_;
  Window window_ = kAllTime;
  std::int32_t first_offset_ = 0;
};

}  // namespace chatopt::core
