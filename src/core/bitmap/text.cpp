// The text form, both ways.
#include "core/bitmap/bitmap.hpp"

namespace chatopt::core {

namespace {

int digits(Member member) noexcept {
  int result = 1;
  for (; member >= 10; member /= 10) ++result;
  return result;
}

// Not std::to_chars, which would leave symbols of the standard library's in the list of ours.
char* put(char* out, Member member) noexcept {
  char* const end = out + digits(member);
  out = end;
  do {
    *--out = static_cast<char>('0' + member % 10);
    member /= 10;
  } while (member != 0);
  return end;
}

class Parser {
 public:
  Parser(std::string_view text, Builder& builder) noexcept : text_(text), builder_(builder) {}

  bool set() {
    skip_space();
    ++at_;  // the brace
    skip_space();
    if (take('}')) return true;
    do {
      if (!item()) return false;
      skip_space();
    } while (take(','));
    return take('}') || fail(BitmapTextError::kSyntax, at_);
  }
  bool bare() {
    Member member = 0;
    if (!number(member)) return false;
    builder_.insert(member);
    return true;
  }
  [[nodiscard]] bool at_brace() {
    skip_space();
    return at_ < text_.size() && text_[at_] == '{';
  }
  bool at_end() {
    skip_space();
    return at_ == text_.size() || fail(BitmapTextError::kSyntax, at_);
  }
  bool fail(BitmapTextError error, std::size_t position) {
    error_ = error;
    at_ = position;
    return false;
  }
  [[nodiscard]] BitmapParse result() const { return {error_, at_}; }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  // What isspace() holds for in the C locale, whatever the locale is.
  void skip_space() {
    constexpr std::string_view space = " \t\n\r\v\f";
    while (at_ < text_.size() && space.find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool take(char wanted) {
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool digit(std::size_t at) const { return at < text_.size() && text_[at] >= '0' && text_[at] <= '9'; }

  bool number(Member& result) {
    skip_space();
    const std::size_t begin = at_;
    if (begin < text_.size() && text_[begin] == '-' && digit(begin + 1)) return fail(BitmapTextError::kNegative, begin);
    if (!digit(begin)) return fail(BitmapTextError::kSyntax, begin);
    std::uint64_t value = 0;
    for (; digit(at_); ++at_) {
      value = value * 10 + static_cast<unsigned>(text_[at_] - '0');
      if (value > kMaxMember) return fail(BitmapTextError::kOutOfRange, begin);
    }
    result = static_cast<Member>(value);
    return true;
  }
  bool item() {
    skip_space();
    const std::size_t begin = at_;
    Member first = 0;
    if (!number(first)) return false;
    Member last = first;
    skip_space();
    if (take('-') && !number(last)) return false;
    if (last < first) return fail(BitmapTextError::kEmptyRange, begin);
    builder_.insert_range(first, last);
    return true;
  }

  std::string_view text_;
  Builder& builder_;
  std::size_t at_ = 0;
  BitmapTextError error_ = BitmapTextError::kNone;
};

}  // namespace

std::int64_t bitmap_text_size(Bytes set) noexcept {
  std::int64_t result = 0;
  BitmapRuns runs(set);
  for (Run run; runs.next(run);) {
    result += digits(run.first) + 1;  // and what separates it from the next, or closes
    if (run.last != run.first) result += digits(run.last) + 1;
  }
  return result == 0 ? 2 : result + 1;
}

char* bitmap_write_text(Bytes set, char* out) noexcept {
  *out++ = '{';
  const char* const begin = out;
  BitmapRuns runs(set);
  for (Run run; runs.next(run);) {
    if (out != begin) *out++ = ',';
    out = put(out, run.first);
    if (run.last == run.first) continue;
    *out++ = run.last == run.first + 1 ? ',' : '-';
    out = put(out, run.last);
  }
  *out++ = '}';
  return out;
}

BitmapParse bitmap_parse(std::string_view text, Builder& builder) {
  Parser parser(text, builder);
  if (parser.at_brace() ? parser.set() : parser.bare()) (void)parser.at_end();
  return parser.result();
}

BitmapParse bitmap_parse_prefix(std::string_view text, Builder& builder) {
  Parser parser(text, builder);
  if (!parser.at_brace())
    (void)parser.fail(BitmapTextError::kSyntax, parser.at());
  else
    (void)parser.set();
  return parser.result();
}

}  // namespace chatopt::core
