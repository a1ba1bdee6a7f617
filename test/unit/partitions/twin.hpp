// A partitioned table as far as planning knows it, and what maintenance does to it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/partitions/planner.hpp"
#include "times.hpp"

namespace chatopt::core {

inline bool operator==(const Step& a, const Step& b) {
  return a.what == b.what && a.why == b.why && a.after == b.after && a.id == b.id && a.lower == b.lower &&
         a.upper == b.upper && a.whole == b.whole && a.named == b.named;
}
inline std::ostream& operator<<(std::ostream& out, const Step& step) {
  const char* const names[] = {"create", "finish detach", "purge", "detach", "drop", "archive", "blocked"};
  return out << names[static_cast<int>(step.what)] << ' ' << step.id << " [" << step.lower << ", " << step.upper << ") "
             << (step.whole ? "whole " : "") << step.named << " why " << static_cast<int>(step.why);
}

}  // namespace chatopt::core

namespace chatopt::test {

using core::Existing;
using core::Position;
using core::Step;

inline constexpr Position kMinimum = std::numeric_limits<Position>::min();
inline constexpr Position kMaximum = std::numeric_limits<Position>::max();

inline Position lower_of(const Existing& partition) { return partition.below ? kMinimum : partition.lower; }
inline Position upper_of(const Existing& partition) { return partition.above ? kMaximum : partition.upper; }

struct Steps {
  std::vector<Step> steps;
  bool more = false;
  core::PartitionError error = core::PartitionError::kNone;

  [[nodiscard]] std::vector<Step> creates() const { return those(true); }
  [[nodiscard]] std::vector<Step> others() const { return those(false); }

 private:
  [[nodiscard]] std::vector<Step> those(bool created) const {
    std::vector<Step> result;
    for (const Step& step : steps)
      if ((step.what == core::Do::kCreate) == created) result.push_back(step);
    return result;
  }
};

class Table {
 public:
  Existing& add(Position lower, Position upper) {
    partitions_.push_back({next_id_++, lower, upper, false, false, false, false, false, false, core::Purge::kNone});
    return partitions_.back();
  }
  Existing& add(const std::string& lower, const std::string& upper) {
    return add(at(lower + " 00:00+00").micros, at(upper + " 00:00+00").micros);
  }
  Existing& add_default() {
    Existing& added = add(0, 0);
    added.is_default = true;
    return added;
  }
  void sort() {
    std::stable_sort(partitions_.begin(), partitions_.end(),
                     [](const Existing& a, const Existing& b) { return lower_of(a) < lower_of(b); });
  }
  void remove(std::uint32_t id) {
    std::erase_if(partitions_, [id](const Existing& partition) { return partition.id == id; });
  }
  // Does what the steps say.
  void take(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      if (step.what == core::Do::kCreate) add(step.lower, step.upper);
      if (step.what == core::Do::kPurge) find(step.id).purge = core::Purge::kRetired;
      if (step.what == core::Do::kDetach || step.what == core::Do::kDrop || step.what == core::Do::kArchive ||
          step.what == core::Do::kFinishDetach)
        remove(step.id);
    }
    sort();
  }
  Existing& find(std::uint32_t id) {
    return *std::find_if(partitions_.begin(), partitions_.end(), [id](const Existing& p) { return p.id == id; });
  }
  [[nodiscard]] const std::vector<Existing>& partitions() const { return partitions_; }

  [[nodiscard]] Steps plan(const core::Policy& policy, core::Instant now, const core::Limits& limits = {}) const {
    return plan_of(partitions_, policy, now, limits);
  }
  static Steps plan_of(const std::vector<Existing>& partitions, const core::Policy& policy, core::Instant now,
                       const core::Limits& limits) {
    Steps result;
    result.steps.resize(limits.steps());
    const core::Result<core::Planned> planned = core::plan(partitions, policy, now, limits, result.steps);
    result.error = planned.error();
    result.steps.resize(planned ? planned->steps : 0);
    result.more = planned && planned->more;
    return result;
  }

 private:
  std::vector<Existing> partitions_;
  std::uint32_t next_id_ = 1;
};

}  // namespace chatopt::test
