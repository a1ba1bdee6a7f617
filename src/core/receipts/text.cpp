#include "core/receipts/text.hpp"

#include <array>
#include <cstring>

namespace chatopt::core {
namespace {

constexpr std::array<std::string_view, 3> kKeys = {"recipients", "delivered", "seen"};
// The three keys, an = each, two commas and the outer braces.
constexpr std::int64_t kFrameSize = 10 + 9 + 4 + 3 + 2 + 2;

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_number_start(char c) noexcept { return (c >= '0' && c <= '9') || c == '-' || c == '+'; }

char* append(std::string_view text, char* out) noexcept {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

class Parser {
 public:
  Parser(std::string_view text, ReceiptsBuilder& builder) noexcept : text_(text), builder_(builder) {}

  ReceiptsParse parse() {
    skip_space();
    const std::size_t start = at_;
    if (at_ < text_.size() && is_number_start(text_[at_])) return error(ReceiptsParseError::kBareNumber);
    if (!take('{')) return error(ReceiptsParseError::kExpectedOpen);
    skip_space();
    const bool plain_set = at_ >= text_.size() || (!is_letter(text_[at_]) && text_[at_] != '=');
    if (!plain_set) return parse_keys();
    return set_result(start, bitmap_parse(text_.substr(start), builder_.recipients()));
  }

 private:
  ReceiptsParse parse_keys() {
    do {
      skip_space();
      ReceiptsParse result = parse_entry();
      if (result.error != ReceiptsParseError::kNone) return result;
      skip_space();
    } while (take(','));
    if (!take('}')) return error(ReceiptsParseError::kExpectedCommaOrClose);
    skip_space();
    return at_ == text_.size() ? ReceiptsParse{} : error(ReceiptsParseError::kTrailing);
  }

  // key = {set}
  ReceiptsParse parse_entry() {
    const std::size_t start = at_;
    const std::size_t key = parse_key();
    if (key == kKeys.size()) return {ReceiptsParseError::kExpectedKey, start, BitmapTextError::kNone};
    if (had_[key]) return {ReceiptsParseError::kRepeatedKey, start, BitmapTextError::kNone};
    had_[key] = true;
    skip_space();
    if (!take('=')) return error(ReceiptsParseError::kExpectedEquals);
    skip_space();
    if (at_ >= text_.size() || text_[at_] != '{') return error(ReceiptsParseError::kExpectedSet);
    const std::size_t set = at_;
    const BitmapParse parsed = bitmap_parse_prefix(text_.substr(set), set_of(key));
    at_ += parsed.position;
    return set_result(set, parsed);
  }

  // The index of the key here, or how many there are.
  std::size_t parse_key() noexcept {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    std::size_t key = 0;
    while (key < kKeys.size() && kKeys[key] != word) ++key;
    return key;
  }

  // What the parser of a set that begins at start said, in terms of the whole text.
  static ReceiptsParse set_result(std::size_t start, const BitmapParse& parsed) noexcept {
    if (parsed) return {};
    return {ReceiptsParseError::kBadSet, start + parsed.position, parsed.error};
  }

  Builder& set_of(std::size_t key) noexcept {
    return key == 0 ? builder_.recipients() : key == 1 ? builder_.delivered() : builder_.seen();
  }
  [[nodiscard]] ReceiptsParse error(ReceiptsParseError what) const noexcept {
    return {what, at_, BitmapTextError::kNone};
  }
  void skip_space() noexcept {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(char c) noexcept {
    const bool there = at_ < text_.size() && text_[at_] == c;
    if (there) ++at_;
    return there;
  }

  std::string_view text_;
  ReceiptsBuilder& builder_;
  std::size_t at_ = 0;
  std::array<bool, kKeys.size()> had_ = {};
};

}  // namespace

std::int64_t receipts_text_size(const Receipts& receipts) noexcept {
  return kFrameSize + bitmap_text_size(receipts.recipients) + bitmap_text_size(receipts.delivered) +
         bitmap_text_size(receipts.seen);
}

char* receipts_write_text(const Receipts& receipts, char* out) noexcept {
  const std::array<Bytes, 3> sets = {receipts.recipients, receipts.delivered, receipts.seen};
  for (std::size_t i = 0; i < sets.size(); ++i) {
    *out++ = i == 0 ? '{' : ',';
    out = append(kKeys[i], out);
    *out++ = '=';
    out = bitmap_write_text(sets[i], out);
  }
  *out++ = '}';
  return out;
}

ReceiptsParse receipts_parse(std::string_view text, ReceiptsBuilder& builder) { return Parser(text, builder).parse(); }

}  // namespace chatopt::core
