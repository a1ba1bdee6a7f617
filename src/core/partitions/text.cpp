#include "core/partitions/text.hpp"

#include <cstddef>

#include "core/partitions/checked.hpp"

namespace chatopt::core {
namespace {

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : text_(text) {}

  [[nodiscard]] bool done() const noexcept { return at_ == text_.size(); }
  [[nodiscard]] char here() const noexcept { return done() ? '\0' : text_[at_]; }
  bool take(char c) noexcept {
    const bool there = !done() && text_[at_] == c;
    if (there) ++at_;
    return there;
  }
  void skip_space() noexcept {
    while (!done() && is_space(text_[at_])) ++at_;
  }
  // All the digits that there are here, at least and at most so many.
  bool take_number(std::size_t least, std::size_t most, std::int64_t& number) noexcept {
    number = 0;
    std::size_t digits = 0;
    for (; digits < most && is_digit(here()); ++digits) number = number * 10 + (text_[at_++] - '0');
    return digits >= least && !is_digit(here());
  }
  bool take_digits(int digits, std::int64_t& number) noexcept {
    number = 0;
    for (; digits > 0 && is_digit(here()); --digits) number = number * 10 + (text_[at_++] - '0');
    return digits == 0;
  }
  std::string_view take_word() noexcept {
    const std::size_t start = at_;
    while (is_letter(here())) ++at_;
    return text_.substr(start, at_ - start);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

bool same_word(std::string_view word, std::string_view wanted) noexcept {
  if (word.size() != wanted.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i)
    if (lower(word[i]) != wanted[i]) return false;
  return true;
}

// A unit, and the number of them that makes a period.
struct Counted {
  std::string_view unit;
  std::int64_t number;
  Every every;
};
constexpr Counted kCounted[] = {
    {"day", 1, Every::kDay},         {"day", 7, Every::kWeek},     {"week", 1, Every::kWeek},
    {"month", 1, Every::kMonth},     {"mon", 1, Every::kMonth},    {"month", 3, Every::kQuarter},
    {"mon", 3, Every::kQuarter},     {"month", 12, Every::kYear},  {"mon", 12, Every::kYear},
    {"quarter", 1, Every::kQuarter}, {"quarter", 4, Every::kYear}, {"year", 1, Every::kYear},
};

// What text has of a time.
struct Fields {
  std::int64_t year, month, day, hour, minute, second, micros, offset;
};

bool read_date(Reader& in, Fields& to) noexcept {
  return in.take_number(4, 6, to.year) && in.take('-') && in.take_number(2, 2, to.month) && in.take('-') &&
         in.take_number(2, 2, to.day);
}

// One to six digits.
bool read_fraction(Reader& in, Fields& to) noexcept {
  std::int64_t digit;
  if (!in.take_digits(1, digit)) return false;
  to.micros = digit * 100'000;
  for (std::int64_t unit = 10'000; unit > 0 && in.take_digits(1, digit); unit /= 10) to.micros += digit * unit;
  return true;
}

bool read_time(Reader& in, Fields& to) noexcept {
  if (!in.take_number(2, 2, to.hour) || !in.take(':') || !in.take_number(2, 2, to.minute)) return false;
  if (!in.take(':')) return true;
  return in.take_number(2, 2, to.second) && (!in.take('.') || read_fraction(in, to));
}

// Z, +HH, +HHMM, +HH:MM or +HH:MM:SS, as seconds east.
bool read_offset(Reader& in, Fields& to) noexcept {
  if (in.take('Z') || in.take('z')) return true;
  const std::int64_t sign = in.here() == '-' ? -1 : 1;
  std::int64_t hours;
  std::int64_t minutes = 0;
  std::int64_t seconds = 0;
  if (!in.take('-') && !in.take('+')) return false;
  if (!in.take_digits(2, hours)) return false;
  const bool parted = in.take(':');
  if ((parted || is_digit(in.here())) && !in.take_digits(2, minutes)) return false;
  if (parted && in.take(':') && !in.take_digits(2, seconds)) return false;
  to.offset = sign * (hours * 3600 + minutes * 60 + seconds);
  return hours < 16 && minutes < 60 && seconds < 60;
}

bool are_sound(const Fields& of) noexcept {
  return of.year >= 1 && of.month >= 1 && of.month <= 12 && of.day >= 1 &&
         of.day <= days_in_month(static_cast<std::int32_t>(of.year), static_cast<std::int32_t>(of.month)) &&
         of.hour < 24 && of.minute < 60 && of.second < 60;
}

}  // namespace

Result<Every> parse_every(std::string_view text) noexcept {
  Reader in(text);
  in.skip_space();
  std::int64_t number = 1;
  if (is_digit(in.here()) && !in.take_number(1, 2, number)) return PartitionError::kSyntax;
  in.skip_space();
  const std::string_view word = in.take_word();
  in.skip_space();
  if (!in.done()) return PartitionError::kSyntax;
  const bool plural = !word.empty() && lower(word.back()) == 's';
  for (const auto& [unit, wanted, every] : kCounted)
    if (number == wanted && (same_word(word, unit) || (plural && same_word(word.substr(0, word.size() - 1), unit))))
      return every;
  return PartitionError::kSyntax;
}

Result<Instant> parse_instant(std::string_view text) noexcept {
  Reader in(text);
  Fields fields{};
  in.skip_space();
  if (!read_date(in, fields)) return PartitionError::kSyntax;
  if (!in.take('T') && !in.take('t') && !in.take(' ')) return PartitionError::kSyntax;
  if (!read_time(in, fields)) return PartitionError::kSyntax;
  in.take(' ');
  if (!read_offset(in, fields)) return PartitionError::kSyntax;
  in.skip_space();
  if (!in.done() || !are_sound(fields)) return PartitionError::kSyntax;
  if (fields.year > 294'277) return PartitionError::kOutOfRange;
  const std::int64_t days =
      days_from_civil({static_cast<std::int32_t>(fields.year), static_cast<std::int32_t>(fields.month),
                       static_cast<std::int32_t>(fields.day)}) -
      kDaysTo2000;
  const std::int64_t seconds = fields.hour * 3600 + fields.minute * 60 + fields.second - fields.offset;
  std::int64_t micros;
  if (multiply_overflows(days * kSecondsPerDay + seconds, kMicrosPerSecond, micros) ||
      add_overflows(micros, fields.micros, micros) || !is_timestamp(micros))
    return PartitionError::kOutOfRange;
  return Instant{micros};
}

}  // namespace chatopt::core
