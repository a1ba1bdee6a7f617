// What maintenance has to do to a table partitioned by time: a function of the partitions there are, the policy and the
// time, and of nothing else. It looks at no data and takes no locks.
//
// Made ahead: each position from the beginning of the period that holds now to the end of the premake-th period after
// it has a partition. A gap is filled by its part of each period, so that partitions of other bounds are never
// overlapped. Then the gap since the last partition that is past, of a server that was down: the newest Limits::older
// pieces of it that are not out of the retention window. Retired: every partition whose upper bound is out of the
// window; its lower bound never matters. Laws:
//   - What is created overlaps nothing, and nothing of it is beyond those periods or out of the window.
//   - After what is to be created is there, nothing is (where Limits::creates suffices).
//   - What is to be retired now will be at all later times, and holds no position in the window.
//   - Nothing that holds now or a later position is retired.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/partitions/periods.hpp"

namespace chatopt::core {

// How far the messages of a partition are from being uncounted, or counted again.
enum class Purge { kNone, kRetiring, kRetired, kReturning };

struct Existing {
  std::uint32_t id;  // the caller's
  Position lower;    // in it; not looked at if below
  Position upper;    // not in it; not looked at if above
  bool below;        // from MINVALUE
  bool above;        // to MAXVALUE
  bool is_default;   // bounds are not looked at
  bool held;
  bool pending;  // DETACH CONCURRENTLY has been begun
  bool blocked;  // may not go now, for a reason the caller knows
  Purge purge;
};

enum class After { kDetach, kDrop, kArchive };
inline constexpr int kMostPremake = 1000;

struct Policy {
  Scale scale;
  int premake = 3;
  std::optional<Span> keep;  // none: for ever
  After after = After::kDetach;
  bool purges = false;  // its partitions are emptied logically before they go
  // Where set, and now is kClockJump after it and more than half of the partitions would go, none does: the clock is
  // taken to be wrong.
  std::optional<Instant> last_run;
};
inline constexpr std::int64_t kClockJump = 400 * kMicrosPerDay;

// Retiring is one step a partition: the first that is to be done, and what comes after it in `after`.
enum class Do { kCreate, kFinishDetach, kPurge, kDetach, kDrop, kArchive, kBlocked };
enum class Reason {
  kCurrent,        // create: now is in this period
  kAhead,          // create: one of the periods after it
  kOlder,          // create: nothing since the last partition that is past
  kOutOfWindow,    // retire
  kDetachPending,  // finish detach; where the partition is not out of the window, or held, after is kDetach
  kHeld,           // blocked
  kBlocked,        // blocked, by what the caller knows
  kReturning,      // blocked: its messages are being counted again
  kHalfPurged,     // blocked: it was begun to be emptied, and is not out of the window
  kClock,          // blocked: see last_run
};

struct Step {
  Do what;
  Reason why;
  After after;       // of what retires
  std::uint32_t id;  // of what retires
  Position lower;    // of what is created; else of the partition as it was given
  Position upper;
  bool whole;   // created: a whole period; named by its first day
  Local named;  // created: the first midnight of the period if whole, else the lower bound
};

// How many steps of a sort a plan has at most: what is to be created first stays, and what is to be retired oldest
// first.
struct Limits {
  std::uint32_t creates = 400;  // from now on
  std::uint32_t older = 400;
  std::uint32_t retires = 100;
  std::uint32_t blocked = 100;
  [[nodiscard]] constexpr std::size_t steps() const noexcept {
    return std::size_t{creates} + older + retires + blocked;
  }
};

struct Planned {
  std::size_t steps;
  bool more;  // limits left out something: plan again when these are done
};

// Which transitions of the zone plan will ask for; policy.scale.zone is not looked at.
[[nodiscard]] Window needed_window(std::span<const Existing> existing, const Policy& policy, Instant now) noexcept;

// Writes the steps to steps, at most limits.steps() and never more than there is room for. by_lower: ascending by lower
// bound, the default partition anywhere. What to create comes first, now's period first of all.
// O(existing + steps * log transitions). Any input gives a plan or an error.
[[nodiscard]] Result<Planned> plan(std::span<const Existing> by_lower, const Policy& policy, Instant now,
                                   const Limits& limits, std::span<Step> steps) noexcept;

// The least position that the policy keeps: partitions whose upper bound is at or below it are out of the window. The
// least there is without keep. Never goes back as time goes on, and is never above now.
[[nodiscard]] Result<Position> oldest_kept(const Policy& policy, Instant now) noexcept;

}  // namespace chatopt::core
