#include "core/partitions/naming.hpp"

#include <cstring>

namespace chatopt::core {
namespace {

// The part of a name behind the table's.
class Suffix {
 public:
  void put(char c) noexcept {
    if (size_ < kMostNameBytes)
      text_[size_++] = c;
    else
      full_ = true;
  }
  void put(std::string_view text) noexcept {
    for (const char c : text) put(c);
  }
  void put(std::int64_t number, int digits) noexcept {
    std::int64_t unit = 1;
    for (int i = 1; i < digits || number / unit >= 10; ++i) unit *= 10;
    for (; unit > 0; unit /= 10) put(static_cast<char>('0' + number / unit % 10));
  }
  void put_year(std::int32_t year) noexcept {
    put(year > 0 ? year : 1 - year, 4);
    if (year <= 0) put("bc");
  }
  void put_day(Civil civil) noexcept {
    put('_');
    put_year(civil.year);
    put('_');
    put(civil.month, 2);
    put('_');
    put(civil.day, 2);
  }

  [[nodiscard]] Result<PartitionName> behind(std::string_view base) const noexcept {
    if (full_) return PartitionError::kNameTooLong;
    const std::size_t kept = cut(base, kMostNameBytes - size_);
    if (kept == 0) return PartitionError::kNameTooLong;
    PartitionName name{};
    std::memcpy(name.text, base.data(), kept);
    std::memcpy(name.text + kept, text_, size_);
    name.size = kept + size_;
    return name;
  }

 private:
  // How much of base fits into room without half a character of UTF-8.
  static std::size_t cut(std::string_view base, std::size_t room) noexcept {
    if (base.size() <= room) return base.size();
    for (std::size_t back = 0; back < 4 && back <= room; ++back)
      if ((static_cast<unsigned char>(base[room - back]) & 0xC0) != 0x80) return room - back;
    return room;
  }

  char text_[kMostNameBytes] = {};
  std::size_t size_ = 0;
  bool full_ = false;
};

// What a pattern tells, as bits.
constexpr unsigned kYear = 1;
constexpr unsigned kMonth = 2;
constexpr unsigned kDay = 4;
constexpr unsigned kQuarter = 8;
constexpr unsigned kIsoYear = 16;
constexpr unsigned kIsoWeek = 32;

struct Token {
  std::string_view text;
  unsigned tells;
};
constexpr Token kTokens[] = {{"IYYY", kIsoYear}, {"IW", kIsoWeek}, {"YYYY", kYear},
                             {"MM", kMonth},     {"DD", kDay},     {"Q", kQuarter}};

void put_token(Suffix& suffix, unsigned tells, Civil civil) noexcept {
  if (tells == kYear) suffix.put_year(civil.year);
  if (tells == kMonth) suffix.put(civil.month, 2);
  if (tells == kDay) suffix.put(civil.day, 2);
  if (tells == kQuarter) suffix.put((civil.month + 2) / 3, 1);
  if (tells == kIsoYear) suffix.put_year(iso_week(civil).year);
  if (tells == kIsoWeek) suffix.put(iso_week(civil).week, 2);
}

// What the pattern begins with, or text "" for none.
Token token_at(std::string_view pattern) noexcept {
  for (const Token& token : kTokens)
    if (pattern.starts_with(token.text)) return token;
  return {};
}

// Writes the pattern for the date; gives what it tells.
Result<unsigned> put_pattern(Suffix& suffix, std::string_view pattern, Civil civil) noexcept {
  unsigned told = 0;
  bool quoted = false;
  while (!pattern.empty()) {
    const Token token = quoted ? Token{} : token_at(pattern);
    if (token.tells != 0)
      put_token(suffix, token.tells, civil);
    else if (pattern.front() == '"')
      quoted = !quoted;
    else
      suffix.put(pattern.front());
    told |= token.tells;
    pattern.remove_prefix(token.tells != 0 ? token.text.size() : 1);
  }
  if (quoted) return PartitionError::kBadPattern;
  return told;
}

bool tells_apart(unsigned told, Every every) noexcept {
  const auto has = [told](unsigned wanted) { return (told & wanted) == wanted; };
  const bool day = has(kYear | kMonth | kDay);
  const bool week = has(kIsoYear | kIsoWeek);
  switch (every) {
    case Every::kDay:
      return day;
    case Every::kWeek:
      return day || week;
    case Every::kMonth:
      return has(kYear | kMonth) || week;
    case Every::kQuarter:
      return has(kYear | kMonth) || has(kYear | kQuarter) || week;
    case Every::kYear:
      break;
  }
  return has(kYear) || week;
}

}  // namespace

std::string_view default_pattern(Every every) noexcept {
  switch (every) {
    case Every::kDay:
    case Every::kWeek:
      return "_YYYY_MM_DD";
    case Every::kMonth:
      return "_YYYY_MM";
    case Every::kQuarter:
      return "_YYYY_qQ";
    case Every::kYear:
      break;
  }
  return "_YYYY";
}

PartitionError check_pattern(std::string_view pattern, Every every) noexcept {
  Suffix suffix;
  const Result<unsigned> told = put_pattern(suffix, pattern, {9999, 12, 31});
  if (!told) return told.error();
  if (!tells_apart(*told, every)) return PartitionError::kBadPattern;
  return suffix.behind("t").error();
}

Result<PartitionName> period_name(std::string_view base, std::string_view pattern, Civil start) noexcept {
  Suffix suffix;
  const Result<unsigned> told = put_pattern(suffix, pattern, start);
  if (!told) return told.error();
  return suffix.behind(base);
}

Result<PartitionName> piece_name(std::string_view base, Local lower) noexcept {
  Suffix suffix;
  suffix.put_day(civil_of(lower));
  if (const std::int64_t seconds = time_of_day(lower) / kMicrosPerSecond; seconds != 0) {
    suffix.put('_');
    suffix.put(seconds / 3600 * 10'000 + seconds / 60 % 60 * 100 + seconds % 60, 6);
  }
  return suffix.behind(base);
}

Result<PartitionName> wide_name(std::string_view base, std::string_view pattern, Civil start) noexcept {
  Suffix suffix;
  suffix.put("_before");
  const Result<unsigned> told = put_pattern(suffix, pattern, start);
  if (!told) return told.error();
  return suffix.behind(base);
}

}  // namespace chatopt::core
