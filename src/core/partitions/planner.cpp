#include "core/partitions/planner.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "core/partitions/checked.hpp"

namespace chatopt::core {
namespace {

static_assert(std::is_trivially_destructible_v<Policy> && std::is_trivially_destructible_v<Step>);

constexpr Position kLeast = std::numeric_limits<Position>::min();
constexpr Position kGreatest = std::numeric_limits<Position>::max();

Position lower_of(const Existing& partition) noexcept { return partition.below ? kLeast : partition.lower; }
Position upper_of(const Existing& partition) noexcept { return partition.above ? kGreatest : partition.upper; }

bool in_order(std::span<const Existing> by_lower) noexcept {
  Position last = kLeast;
  for (const Existing& partition : by_lower) {
    if (partition.is_default) continue;
    const Position lower = lower_of(partition);
    if (lower < last || lower > upper_of(partition)) return false;
    last = lower;
  }
  return true;
}

class Planner {
 public:
  Planner(std::span<const Existing> by_lower, const Policy& policy, const Limits& limits,
          std::span<Step> steps) noexcept
      : by_lower_(by_lower), policy_(policy), left_(limits), steps_(steps) {}

  Result<Planned> plan(Instant now) noexcept {
    if (policy_.premake < 0 || policy_.premake > kMostPremake) return PartitionError::kBadPremake;
    if (!is_timestamp(now.micros)) return PartitionError::kOutOfRange;
    if (!in_order(by_lower_)) return PartitionError::kNotInOrder;
    const Result<Position> position = position_of(policy_.scale.axis, policy_.scale.zone, now);
    if (!position) return position.error();
    const Result<Period> current = period_at(policy_.scale, *position);
    if (!current) return current.error();
    const Result<Position> kept = oldest_kept(policy_, now);
    if (!kept) return kept.error();
    now_ = *position;
    kept_ = *kept;
    PartitionError error = make_ahead(*current);
    if (error == PartitionError::kNone) error = make_older(current->lower);
    if (error != PartitionError::kNone) return error;
    retire_all(now);
    return Planned{used_, more_};
  }

 private:
  void put(const Step& step, std::uint32_t& left) noexcept {
    if (left == 0 || used_ == steps_.size()) {
      more_ = true;
      return;
    }
    --left;
    steps_[used_++] = step;
  }

  PartitionError create(const Period& period, Position lower, Position upper, Reason why,
                        std::uint32_t& left) noexcept {
    if (lower >= upper || upper <= kept_) return PartitionError::kNone;
    const bool whole = lower == period.lower && upper == period.upper;
    const Result<Local> named =
        whole ? midnight(period.start) : local_of(policy_.scale.axis, policy_.scale.zone, lower);
    if (!named) return named.error();
    put({Do::kCreate, why, After::kDetach, 0, lower, upper, whole, *named}, left);
    return PartitionError::kNone;
  }

  // The gaps of one period. covered_ is how far all is covered, next_ the first partition that begins beyond it.
  PartitionError fill(const Period& period, Reason why) noexcept {
    while (covered_ < period.upper) {
      for (; next_ < by_lower_.size(); ++next_) {
        const Existing& partition = by_lower_[next_];
        if (partition.is_default) continue;
        if (lower_of(partition) > covered_) break;
        covered_ = std::max(covered_, upper_of(partition));
      }
      if (covered_ >= period.upper) break;
      const Position upper =
          next_ < by_lower_.size() ? std::min(period.upper, lower_of(by_lower_[next_])) : period.upper;
      const PartitionError error = create(period, covered_, upper, why, left_.creates);
      if (error != PartitionError::kNone) return error;
      covered_ = upper;
    }
    return PartitionError::kNone;
  }

  PartitionError make_ahead(const Period& current) noexcept {
    covered_ = current.lower;
    Period period = current;
    for (int i = 0;; ++i) {
      const PartitionError error = fill(period, i == 0 ? Reason::kCurrent : Reason::kAhead);
      if (error != PartitionError::kNone || i == policy_.premake || more_) return error;
      const Result<Period> next = next_period(policy_.scale, period);
      // Where the axis ends there is nothing to be made ahead.
      if (!next) return next.error() == PartitionError::kOutOfRange ? PartitionError::kNone : next.error();
      period = *next;
    }
  }

  // From the last partition that is past to the present period, or to what reaches into it.
  PartitionError make_older(Position upto) noexcept {
    Position from = kGreatest;
    for (const Existing& partition : by_lower_) {
      if (partition.is_default) continue;
      const Position upper = upper_of(partition);
      if (upper > now_)
        upto = std::min(upto, lower_of(partition));
      else
        from = from == kGreatest ? upper : std::max(from, upper);
    }
    if (from >= upto || left_.older == 0) return PartitionError::kNone;
    Result<Period> period = oldest_to_make(from, upto);
    // Nobody's clock was there.
    if (!period) return period.error() == PartitionError::kOutOfRange ? PartitionError::kNone : period.error();
    for (;;) {
      const Position lower = std::max(period->lower, from);
      const Position upper = std::min(period->upper, upto);
      const PartitionError error = create(*period, lower, upper, Reason::kOlder, left_.older);
      if (error != PartitionError::kNone || upper == upto) return error;
      period = next_period(policy_.scale, *period);
      if (!period) return period.error();
    }
  }

  Result<Period> oldest_to_make(Position from, Position upto) const noexcept {
    Result<Period> period = period_at(policy_.scale, upto - 1);
    if (!period) return period;
    for (std::uint32_t pieces = 1; pieces < left_.older && period->lower > from && period->lower > kept_; ++pieces) {
      const Result<Period> previous = previous_period(policy_.scale, *period);
      if (!previous) return previous.error() == PartitionError::kOutOfRange ? period : previous;
      period = previous;
    }
    return period;
  }

  [[nodiscard]] bool is_due(const Existing& partition) const noexcept {
    return policy_.keep && !partition.is_default && !partition.above && kept_ != kLeast && partition.upper <= kept_;
  }

  void retire_all(Instant now) noexcept {
    const bool doubted = is_doubted(now);
    for (const Existing& partition : by_lower_) {
      if (partition.is_default) continue;
      const bool due = is_due(partition);
      if (partition.pending)
        finish_detach(partition, due && !doubted);
      else if (due)
        retire(partition, doubted);
      else if (partition.purge == Purge::kRetiring)
        block(partition, Reason::kHalfPurged);
    }
  }

  [[nodiscard]] bool is_doubted(Instant now) const noexcept {
    std::int64_t since;
    if (!policy_.last_run || subtract_overflows(now.micros, policy_.last_run->micros, since) || since <= kClockJump)
      return false;
    std::size_t due = 0;
    std::size_t all = 0;
    for (const Existing& partition : by_lower_) {
      if (partition.is_default) continue;
      ++all;
      if (is_due(partition)) ++due;
    }
    return 2 * due > all;
  }

  [[nodiscard]] bool has_to_be_purged(const Existing& partition) const noexcept {
    return policy_.purges && partition.purge != Purge::kRetired;
  }

  void finish_detach(const Existing& partition, bool due) noexcept {
    const bool goes_on = due && !partition.held && !partition.blocked && !has_to_be_purged(partition);
    retiring(partition, Do::kFinishDetach, due ? Reason::kOutOfWindow : Reason::kDetachPending,
             goes_on ? policy_.after : After::kDetach);
  }

  void retire(const Existing& partition, bool doubted) noexcept {
    if (partition.held) return block(partition, Reason::kHeld);
    if (partition.blocked) return block(partition, Reason::kBlocked);
    if (partition.purge == Purge::kReturning) return block(partition, Reason::kReturning);
    if (doubted) return block(partition, Reason::kClock);
    constexpr Do kDoes[] = {Do::kDetach, Do::kDrop, Do::kArchive};
    const Do what = has_to_be_purged(partition) ? Do::kPurge : kDoes[static_cast<int>(policy_.after)];
    retiring(partition, what, Reason::kOutOfWindow, policy_.after);
  }

  void retiring(const Existing& partition, Do what, Reason why, After after) noexcept {
    put({what, why, after, partition.id, partition.lower, partition.upper, false, {}}, left_.retires);
  }
  void block(const Existing& partition, Reason why) noexcept {
    put({Do::kBlocked, why, policy_.after, partition.id, partition.lower, partition.upper, false, {}}, left_.blocked);
  }

  std::span<const Existing> by_lower_;
  const Policy& policy_;
  Limits left_;
  std::span<Step> steps_;
  std::size_t used_ = 0;
  bool more_ = false;
  Position now_ = 0;
  Position kept_ = kLeast;
  Position covered_ = kLeast;
  std::size_t next_ = 0;
};

}  // namespace

Result<Planned> plan(std::span<const Existing> by_lower, const Policy& policy, Instant now, const Limits& limits,
                     std::span<Step> steps) noexcept {
  return Planner(by_lower, policy, limits, steps).plan(now);
}

}  // namespace chatopt::core
