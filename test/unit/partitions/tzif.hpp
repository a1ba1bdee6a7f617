// The system's time zones, read from their TZif files (RFC 8536) and, beyond these, by the rule in their last line. A
// second reader of zones beside PostgreSQL's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/partitions/zone.hpp"

namespace chatopt::test {

struct ZoneRules {
  std::string name;
  std::int32_t first_offset = 0;
  std::vector<core::Transition> transitions;

  // They look at the rules.
  [[nodiscard]] core::Zone zone() const& { return {first_offset, transitions, core::kAllTime}; }
  core::Zone zone() const&& = delete;
  // Of what the transitions in a window are.
  [[nodiscard]] core::Zone zone(core::Window window) const& {
    const auto second = [](core::Instant instant) {
      return instant.micros / core::kMicrosPerSecond - (instant.micros % core::kMicrosPerSecond < 0 ? 1 : 0) +
             core::kDaysTo2000 * core::kSecondsPerDay;
    };
    const auto first = std::upper_bound(transitions.begin(), transitions.end(), second(window.from), before);
    const auto last = std::upper_bound(transitions.begin(), transitions.end(), second(window.to), before);
    const std::int32_t offset = first == transitions.begin() ? first_offset : std::prev(first)->offset;
    return {offset, {first, last}, window};
  }

 private:
  static bool before(std::int64_t at, const core::Transition& transition) { return at < transition.at; }
};

// The last line: STD offset DST offset,start,end, such as CET-1CEST,M3.5.0,M10.5.0/3.
class PosixRule {
 public:
  explicit PosixRule(std::string_view text) : text_(text) {
    skip_name();
    standard_ = -seconds();
    if (text_.empty()) return;
    skip_name();
    summer_ = text_.empty() || text_.front() == ',' ? standard_ + 3600 : -seconds();
    if (text_.empty()) return;
    start_ = day();
    end_ = day();
    changes_ = true;
  }

  void add_years(std::int32_t first, std::int32_t last, std::vector<core::Transition>& to) const {
    if (!changes_) return;
    const std::int64_t after = to.empty() ? std::int64_t{-1} << 62 : to.back().at;
    std::vector<core::Transition> found;
    for (std::int32_t year = first; year <= last; ++year) {
      found.push_back({at(start_, year) - standard_, summer_});
      found.push_back({at(end_, year) - summer_, standard_});
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    for (const core::Transition& transition : found)
      if (transition.at > after) to.push_back(transition);
  }

 private:
  struct Day {
    char kind = 'M';  // M month.week.weekday, J day 1 … 365 without 29 February, n day 0 … 365
    int month = 0, week = 0, weekday = 0;
    std::int64_t time = 7200;
  };

  void skip_name() {
    if (text_.front() == '<') {
      text_.remove_prefix(text_.find('>') + 1);
      return;
    }
    while (!text_.empty() && ((text_.front() | 0x20) >= 'a' && (text_.front() | 0x20) <= 'z')) text_.remove_prefix(1);
  }
  int number() {
    int result = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; text_.remove_prefix(1))
      result = result * 10 + (text_.front() - '0');
    return result;
  }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::int32_t seconds() {
    const int sign = take('-') ? -1 : (take('+'), 1);
    int result = number() * 3600;
    if (take(':')) result += number() * 60;
    if (take(':')) result += number();
    return sign * result;
  }
  Day day() {
    Day result;
    take(',');
    if (take('M')) {
      result.month = number();
      take('.');
      result.week = number();
      take('.');
      result.weekday = number();
    } else {
      result.kind = take('J') ? 'J' : 'n';
      result.month = number();
    }
    if (take('/')) result.time = seconds();
    return result;
  }
  // Seconds from 1970 by the wall clock.
  static std::int64_t at(const Day& day, std::int32_t year) {
    std::int64_t days = core::days_from_civil({year, 1, 1}) + day.month;
    if (day.kind == 'J' && (day.month < 60 || core::days_in_month(year, 2) == 28)) --days;
    if (day.kind == 'M') {
      const std::int64_t first = core::days_from_civil({year, day.month, 1});
      days = first + ((day.weekday - (first + 4)) % 7 + 7) % 7 + 7 * (day.week - 1);
      while (days >= first + core::days_in_month(year, day.month)) days -= 7;
    }
    return days * core::kSecondsPerDay + day.time;
  }

  std::string_view text_;
  std::int32_t standard_ = 0, summer_ = 0;
  Day start_, end_;
  bool changes_ = false;
};

class TzifReader {
 public:
  explicit TzifReader(std::string bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] bool is_tzif() const { return bytes_.size() > 44 && bytes_.starts_with("TZif") && bytes_[4] >= '2'; }

  void read(std::int32_t last_year, ZoneRules& to) {
    const Header old = header(0);
    const std::size_t start = 44 + old.size(4);
    const Header now = header(start);
    const std::size_t times = start + 44;
    const std::size_t indexes = times + 8 * now.times;
    const std::size_t types = indexes + now.times;
    to.first_offset = static_cast<std::int32_t>(integer(types, 4));
    for (std::size_t i = 0; i < now.times; ++i) {
      const auto type = static_cast<std::size_t>(static_cast<unsigned char>(bytes_[indexes + i]));
      to.transitions.push_back({integer(times + 8 * i, 8), static_cast<std::int32_t>(integer(types + 6 * type, 4))});
    }
    const std::size_t footer = times + now.size(8) + 1;
    const std::string line = bytes_.substr(footer, bytes_.find('\n', footer) - footer);
    if (!line.empty()) PosixRule(line).add_years(1990, last_year, to.transitions);
  }

 private:
  struct Header {
    std::size_t utc, standard, leaps, times, types, chars;
    [[nodiscard]] std::size_t size(std::size_t time) const {
      return times * time + times + types * 6 + chars + leaps * (time + 4) + standard + utc;
    }
  };
  [[nodiscard]] Header header(std::size_t at) const {
    const auto count = [&](std::size_t i) { return static_cast<std::size_t>(integer(at + 20 + 4 * i, 4)); };
    return {count(0), count(1), count(2), count(3), count(4), count(5)};
  }
  [[nodiscard]] std::int64_t integer(std::size_t at, std::size_t size) const {
    std::uint64_t result = 0;
    for (std::size_t i = 0; i < size; ++i) result = result << 8 | static_cast<unsigned char>(bytes_.at(at + i));
    return size == 4 ? static_cast<std::int32_t>(result) : static_cast<std::int64_t>(result);
  }

  std::string bytes_;
};

inline std::string zoneinfo() {
  const char* folder = std::getenv("TZDIR");
  return folder != nullptr ? folder : "/usr/share/zoneinfo";
}

// Without transitions where there is no such zone.
inline ZoneRules zone_rules(const std::string& name, std::int32_t last_year = 2100) {
  std::ifstream file(zoneinfo() + "/" + name, std::ios::binary);
  TzifReader reader(std::string(std::istreambuf_iterator<char>(file), {}));
  ZoneRules rules;
  if (!reader.is_tzif()) return rules;
  rules.name = name;
  reader.read(last_year, rules);
  return rules;
}

// Each once, under the first of its names.
inline std::vector<ZoneRules> all_zones(std::int32_t last_year = 2100) {
  std::vector<ZoneRules> result;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(zoneinfo())) {
    const std::string name = entry.path().string().substr(zoneinfo().size() + 1);
    if (name.starts_with("posix/") || name.starts_with("right/") || !entry.is_regular_file()) continue;
    ZoneRules rules = zone_rules(name, last_year);
    if (!rules.name.empty()) result.push_back(std::move(rules));
  }
  const auto key = [](const ZoneRules& rules) { return std::tie(rules.transitions, rules.first_offset, rules.name); };
  std::sort(result.begin(), result.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto same = [](const auto& a, const auto& b) {
    return a.first_offset == b.first_offset && a.transitions == b.transitions;
  };
  result.erase(std::unique(result.begin(), result.end(), same), result.end());
  return result;
}

}  // namespace chatopt::test
