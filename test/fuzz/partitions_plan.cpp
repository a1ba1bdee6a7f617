// The input as a partitioned table, a policy, a zone with any transitions and a clock: there is a plan or an error,
// what is to be created overlaps nothing and is created once, what is retired is out of the window. Or it is a text of
// a person's: a period, a time, a pattern of names.
#include "common.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/partitions/naming.hpp"
#include "core/partitions/planner.hpp"
#include "core/partitions/text.hpp"

using namespace chatopt::core;
using chatopt::fuzz::expect;

namespace {

class Script {
 public:
  Script(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  [[nodiscard]] bool done() const { return at_ == end_; }
  std::int64_t byte() { return done() ? 0 : *at_++; }
  // Any, or near the clock in days of the axis.
  std::int64_t number(std::int64_t base, std::int64_t unit) {
    const std::int64_t how = byte();
    if (how < 200) {
      const std::int64_t units = (byte() - 128) * 16 + how % 16;
      const std::int64_t part = how % 5 == 0 ? byte() * (unit / 256) : 0;
      // It may pass the ends of the axis, and then comes round.
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(base) + static_cast<std::uint64_t>(part) +
                                       static_cast<std::uint64_t>(units) * static_cast<std::uint64_t>(unit));
    }
    std::uint64_t result = 0;
    for (std::int64_t bytes = how % 9; bytes > 0; --bytes) result = result << 8 | static_cast<std::uint64_t>(byte());
    return static_cast<std::int64_t>(how % 2 == 0 ? result : ~result);
  }
  [[nodiscard]] std::string_view rest() const {
    return {reinterpret_cast<const char*>(at_), static_cast<std::size_t>(end_ - at_)};
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

void texts(std::string_view text, Every every) {
  if (const Result<Every> read = parse_every(text)) expect(*read >= Every::kDay && *read <= Every::kYear);
  if (const Result<Instant> read = parse_instant(text)) expect(is_timestamp(read->micros));
  const std::size_t half = text.size() / 2;
  const Civil day = period_start(every, {2026, 11, 20});
  const Civil next = next_period(every, day);
  for (const std::string_view pattern : {text, text.substr(half)}) {
    const bool fits = check_pattern(pattern, every) == PartitionError::kNone;
    const Result<PartitionName> name = period_name(text.substr(0, half), pattern, day);
    if (name) expect(name->size <= kMostNameBytes && name->text[name->size] == '\0');
    const Result<PartitionName> other = period_name("t", pattern, next);
    const Result<PartitionName> one = period_name("t", pattern, day);
    if (fits) expect(one && other && one->view() != other->view());
  }
  if (const Result<PartitionName> name = piece_name(text, {static_cast<std::int64_t>(half) * kMicrosPerDay}))
    expect(name->size <= kMostNameBytes);
}

std::vector<Transition> transitions(Script& script) {
  std::vector<Transition> result;
  std::int64_t at = 1'700'000'000;
  for (std::int64_t left = script.byte() % 20; left > 0; --left) {
    at += 1 + script.byte() * script.byte() * 600;
    result.push_back({at, static_cast<std::int32_t>((script.byte() - 128) * 670)});
  }
  return result;
}

std::vector<Existing> partitions(Script& script, std::int64_t base, std::int64_t unit) {
  std::vector<Existing> result;
  for (std::uint32_t id = 0; id < 40 && !script.done(); ++id) {
    const std::int64_t flags = script.byte() | script.byte() << 8;
    const Position lower = script.number(base, unit);
    const Position upper = script.number(base, unit);
    const auto flag = [flags](int bit) { return (flags >> bit & 1) != 0; };
    const auto both = [&](int a) { return flag(a) && flag(a + 1); };
    result.push_back({id, flag(0) ? std::min(lower, upper) : lower, flag(0) ? std::max(lower, upper) : upper, both(1),
                      both(3), both(5), flag(7), flag(8), flag(9), static_cast<Purge>(flags >> 10 & 3)});
  }
  return result;
}

Position lower_of(const Existing& partition) { return partition.below ? INT64_MIN : partition.lower; }
Position upper_of(const Existing& partition) { return partition.above ? INT64_MAX : partition.upper; }
void sort(std::vector<Existing>& all) {
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return lower_of(a) < lower_of(b); });
}

void check(std::vector<Existing>& all, const Policy& policy, Instant now, const Limits& limits) {
  std::vector<Step> steps(limits.steps());
  const Result<Planned> planned = plan(all, policy, now, limits, steps);
  const Window window = needed_window(all, policy, now);
  expect(window.from <= window.to);
  if (!planned) return;
  expect(planned->steps <= steps.size());
  steps.resize(planned->steps);
  const Position here = *position_of(policy.scale.axis, policy.scale.zone, now);
  const std::size_t before = all.size();
  for (const Step& step : steps) {
    if (step.what == Do::kCreate) {
      expect(step.lower < step.upper);
      for (const Existing& other : all)
        expect(other.is_default || lower_of(other) == upper_of(other) || step.upper <= lower_of(other) ||
               step.lower >= upper_of(other));
      all.push_back({1000, step.lower, step.upper, false, false, false, false, false, false, Purge::kNone});
    } else {
      const Existing& partition = all[step.id];
      expect(step.id < before && !partition.is_default);
      if (step.what == Do::kFinishDetach) expect(partition.pending);
      if (step.what != Do::kFinishDetach && step.what != Do::kBlocked)
        expect(policy.keep && partition.upper <= here && !partition.above && !partition.held && !partition.blocked);
    }
  }
  if (planned->more) return;
  sort(all);
  std::vector<Step> again(limits.steps());
  const Result<Planned> second = plan(all, policy, now, limits, again);
  expect(static_cast<bool>(second));
  expect(std::none_of(again.begin(), again.begin() + static_cast<std::ptrdiff_t>(second->steps),
                      [](const Step& step) { return step.what == Do::kCreate; }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script(data, size);
  const std::int64_t what = script.byte();
  const auto every = static_cast<Every>(what % 5);
  if (what >= 224) {
    texts(script.rest(), every);
    return 0;
  }
  const std::vector<Transition> changes = transitions(script);
  const Instant now{script.number(848'491'200'000'000, kMicrosPerDay / 3)};
  Policy policy;
  policy.scale.every = every;
  policy.scale.axis = {static_cast<AxisKind>(script.byte() % 7), script.number(1'288'834'974'657, 1000), 22};
  if (script.byte() % 8 == 0) policy.scale.axis.shift = static_cast<int>(script.byte()) - 100;
  policy.scale.zone = Zone(static_cast<std::int32_t>((script.byte() - 128) * 670), changes, kAllTime);
  policy.premake = static_cast<int>(script.byte()) - 2;
  policy.after = static_cast<After>(script.byte() % 3);
  policy.purges = script.byte() % 2 == 0;
  if (script.byte() % 4 != 0) policy.keep = Span{script.number(0, 1) / 16, script.number(0, 1), script.number(0, 1000)};
  if (script.byte() % 4 == 0) policy.last_run = Instant{script.number(now.micros / 2, kMicrosPerDay)};
  const Result<Position> base = position_of(policy.scale.axis, Zone(), now);
  const Result<Position> next = position_of(policy.scale.axis, Zone(), Instant{now.micros / 2});
  const std::int64_t unit = base && next ? std::max<std::int64_t>(1, *base / 10'000 - *next / 10'000) : 1000;
  std::vector<Existing> all = partitions(script, base ? *base : 0, unit);
  if (script.byte() % 16 != 15) sort(all);
  for (std::uint32_t id = 0; id < all.size(); ++id) all[id].id = id;
  const auto limit = [&script] { return static_cast<std::uint32_t>(script.byte() % 40); };
  check(all, policy, now, script.byte() % 2 == 0 ? Limits{} : Limits{limit(), limit(), limit(), limit()});
  return 0;
}
