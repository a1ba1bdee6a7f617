// Bytes and text from outside: refused, or canonical.

#include <string_view>

#include "twin.hpp"

namespace {

using namespace chatopt::test;
using chatopt::core::BitmapTextError;
using chatopt::core::receipts_is_valid;
using chatopt::core::ReceiptsBuilder;
using chatopt::core::ReceiptsParse;
using chatopt::core::ReceiptsParseError;

Encoding bytes(std::initializer_list<unsigned> values) {
  Encoding result;
  for (const unsigned value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

// What is accepted reads back as the very same bytes.
void refused_or_canonical(const Encoding& encoding) {
  if (!receipts_is_valid(encoding)) return;
  const Receipts receipts = chatopt::core::receipts_view(encoding);
  ASSERT_TRUE(receipts_are_nested(receipts));
  ASSERT_EQ(build(receipts), encoding);
  if (recipient_count(receipts) < 100) {
    ASSERT_EQ(encode(decode_receipts(encoding)), encoding);
  }
}

constexpr unsigned kFormat = 0x10;
constexpr unsigned kRun = 0x11;

TEST(ReceiptsDoor, AcceptsWhatTheFormatSays) {
  EXPECT_TRUE(receipts_is_valid(bytes({kFormat, 0x10}))) << "nobody";
  EXPECT_TRUE(receipts_is_valid(bytes({kFormat, kRun, 0, 29}))) << "sent to 0-29";
  EXPECT_TRUE(receipts_is_valid(bytes({kFormat | 1, kRun, 0, 29}))) << "all have it";
  EXPECT_TRUE(receipts_is_valid(bytes({kFormat | 1 | 4, kRun, 0, 29}))) << "all have seen it";
  EXPECT_TRUE(receipts_is_valid(bytes({kFormat | 1 | 8, 3, kRun, 0, 29, kRun, 0, 3}))) << "0-3 have seen it";
  EXPECT_TRUE(receipts_is_valid(bytes({kFormat | 2, 3, kRun, 0, 29, kRun, 0, 12}))) << "0-12 have it";
  EXPECT_TRUE(receipts_is_valid(bytes({kFormat | 2 | 4, 3, kRun, 0, 29, kRun, 0, 12}))) << "and have seen it";
  EXPECT_TRUE(receipts_is_valid(bytes({kFormat | 2 | 8, 3, kRun, 0, 29, 3, kRun, 0, 12, kRun, 0, 3})));
}

TEST(ReceiptsDoor, RefusesWhatIsNotCanonical) {
  EXPECT_FALSE(receipts_is_valid({})) << "nothing";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat}))) << "no recipients";
  EXPECT_FALSE(receipts_is_valid(bytes({0x20, kRun, 0, 29}))) << "another generation";
  EXPECT_FALSE(receipts_is_valid(bytes({0x00, kRun, 0, 29})));
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat, kRun, 0, 29, 0}))) << "a byte too many";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 3, kRun, 0, 29}))) << "no such extent";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 1 | 12, kRun, 0, 29})));
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 4, kRun, 0, 29}))) << "all of nobody have seen it";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 1, 0x10}))) << "all of no recipients";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 1 | 4, 0x10})));
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 2, 3, kRun, 0, 29, kRun, 0, 29}))) << "all, spelled out";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 2, 3, kRun, 0, 29, 0x10}))) << "nobody, spelled out";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 2, 3, kRun, 0, 29, kRun, 0, 30}))) << "30 is no recipient";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 8, 3, kRun, 0, 29, kRun, 0, 3}))) << "seen, not delivered";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 2 | 8, 3, kRun, 0, 29, 3, kRun, 0, 3, kRun, 0, 12})));
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 2, 0x83, 0, kRun, 0, 29, kRun, 0, 12}))) << "a length too long";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 2, 0x83}))) << "a length cut off";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 2, 9, kRun, 0, 29, kRun, 0, 12}))) << "longer than the value";
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 2, 0, kRun, 0, 29})));
  EXPECT_FALSE(receipts_is_valid(bytes({kFormat | 2, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, kRun, 0, 29})));
}

TEST(ReceiptsDoor, MutatedBytesAreRefusedOrCanonical) {
  Random random(21);
  for (int round = 0; round < 30000; ++round) {
    Encoding encoding = encode(random_twin(random, std::array<Member, 4>{3, 30, 30, 200}[random() % 4]));
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      const std::size_t at = encoding.empty() ? 0 : random() % encoding.size();
      const auto byte = static_cast<std::byte>(random());
      switch (random() % 4) {
        case 0:
          if (!encoding.empty()) encoding[at] = byte;
          break;
        case 1:
          encoding.insert(encoding.begin() + static_cast<std::ptrdiff_t>(at), byte);
          break;
        case 2:
          if (!encoding.empty()) encoding.erase(encoding.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        default:
          encoding.resize(at);
      }
    }
    encoding.shrink_to_fit();
    refused_or_canonical(encoding);
    if (HasFatalFailure()) return;
  }
}

TEST(ReceiptsDoor, ManyShortStringsAreRefusedOrCanonical) {
  for (unsigned format = 0; format < 256; ++format)
    for (unsigned a = 0; a < 256; a += 1 + a / 24)
      for (unsigned b = 0; b < 256; b += 1 + b / 24) {
        refused_or_canonical(bytes({format, a, b}));
        refused_or_canonical(bytes({0x10 | (format & 15), 0x11, a, b}));
      }
}

struct Parsed {
  ReceiptsParse result;
  Encoding encoding;  // where there is no error and the sets are nested
};

Parsed parse(std::string_view text) {
  std::pmr::monotonic_buffer_resource memory;
  ReceiptsBuilder builder(memory);
  Parsed parsed{chatopt::core::receipts_parse(text, builder), {}};
  Encoding workspace(builder.bound());
  const Receipts receipts = builder.write(workspace.data());
  if (parsed.result.error == ReceiptsParseError::kNone && receipts_are_nested(receipts))
    parsed.encoding = build(receipts);
  return parsed;
}

// The text form of what was read, or what is wrong and where.
std::string read(std::string_view text) {
  const Parsed parsed = parse(text);
  if (parsed.result.error == ReceiptsParseError::kNone)
    return parsed.encoding.empty() ? "not nested" : text_of(parsed.encoding);
  return "error " + std::to_string(static_cast<int>(parsed.result.error)) + " at " +
         std::to_string(parsed.result.position);
}

std::string error_at(ReceiptsParseError error, std::size_t position) {
  return "error " + std::to_string(static_cast<int>(error)) + " at " + std::to_string(position);
}

TEST(ReceiptsText, RoundTrips) {
  Random random(22);
  for (int round = 0; round < 500; ++round) {
    const Twin twin = random_twin(random, std::array<Member, 4>{0, 3, 30, 400}[random() % 4]);
    const Encoding encoding = encode(twin);
    ASSERT_EQ(parse(text_of(encoding)).encoding, encoding);
  }
}

TEST(ReceiptsText, IsWrittenWithAllThreeSets) {
  EXPECT_EQ(text_of(encode(Twin{{}, {}, {}})), "{recipients={},delivered={},seen={}}");
  EXPECT_EQ(text_of(encode(Twin{{0, 1, 2, 3}, {0, 1}, {1}})), "{recipients={0-3},delivered={0,1},seen={1}}");
}

TEST(ReceiptsText, IsReadInAnyOrderWithSpacesAndSetsLeftOut) {
  const std::string all = "{recipients={0-29},delivered={0-12},seen={0-3}}";
  EXPECT_EQ(read(all), all);
  EXPECT_EQ(read(" { seen = { 0 - 3 } , delivered={0-12},\n\trecipients={ 0-29 } } "), all);
  EXPECT_EQ(read("{recipients={0-29}}"), "{recipients={0-29},delivered={},seen={}}");
  EXPECT_EQ(read("{delivered={},recipients={5}}"), "{recipients={5},delivered={},seen={}}");
  EXPECT_EQ(read("{0-29}"), "{recipients={0-29},delivered={},seen={}}");
  EXPECT_EQ(read(" { 3 , 1-2 } "), "{recipients={1-3},delivered={},seen={}}");
  EXPECT_EQ(read("{}"), "{recipients={},delivered={},seen={}}");
}

TEST(ReceiptsText, IsRefusedWithWhatIsWrongAndWhere) {
  EXPECT_EQ(read("17"), error_at(ReceiptsParseError::kBareNumber, 0));
  EXPECT_EQ(read("  -17"), error_at(ReceiptsParseError::kBareNumber, 2));
  EXPECT_EQ(read(""), error_at(ReceiptsParseError::kExpectedOpen, 0));
  EXPECT_EQ(read("recipients={0-29}"), error_at(ReceiptsParseError::kExpectedOpen, 0));
  EXPECT_EQ(read("{readers={0-29}}"), error_at(ReceiptsParseError::kExpectedKey, 1));
  EXPECT_EQ(read("{Recipients={0-29}}"), error_at(ReceiptsParseError::kExpectedKey, 1));
  EXPECT_EQ(read("{recipients={0-29},}"), error_at(ReceiptsParseError::kExpectedKey, 19));
  EXPECT_EQ(read("{=}"), error_at(ReceiptsParseError::kExpectedKey, 1));
  EXPECT_EQ(read("{recipients {0-29}}"), error_at(ReceiptsParseError::kExpectedEquals, 12));
  EXPECT_EQ(read("{recipients=17}"), error_at(ReceiptsParseError::kExpectedSet, 12));
  EXPECT_EQ(read("{recipients="), error_at(ReceiptsParseError::kExpectedSet, 12));
  EXPECT_EQ(read("{recipients={0-29}seen={}}"), error_at(ReceiptsParseError::kExpectedCommaOrClose, 18));
  EXPECT_EQ(read("{recipients={0-29}"), error_at(ReceiptsParseError::kExpectedCommaOrClose, 18));
  EXPECT_EQ(read("{seen={},seen={}}"), error_at(ReceiptsParseError::kRepeatedKey, 9));
  EXPECT_EQ(read("{recipients={0-29}} x"), error_at(ReceiptsParseError::kTrailing, 20));
  EXPECT_EQ(read("{recipients={5-2}}"), error_at(ReceiptsParseError::kBadSet, 13));
  EXPECT_EQ(read("{5-2}"), error_at(ReceiptsParseError::kBadSet, 1));
  EXPECT_EQ(read("{0-29} x"), error_at(ReceiptsParseError::kBadSet, 7));
  EXPECT_EQ(read("{0-29"), error_at(ReceiptsParseError::kBadSet, 5));
  EXPECT_EQ(read("{"), error_at(ReceiptsParseError::kBadSet, 1));
  EXPECT_EQ(read("{recipients={0-29"), error_at(ReceiptsParseError::kBadSet, 17));
  EXPECT_EQ(parse("{seen={2147483648}}").result.set, BitmapTextError::kOutOfRange);
  EXPECT_EQ(read("{recipients={0-3},delivered={4}}"), "not nested");
  EXPECT_EQ(read("{recipients={0-3},seen={3}}"), "not nested");
}

TEST(ReceiptsText, MutatedTextIsRefusedOrReadAsCanonical) {
  Random random(23);
  const std::string_view letters = "{}=,-0129 recipientsdeliveredseen\t\0x";
  for (int round = 0; round < 20000; ++round) {
    std::string text = text_of(encode(random_twin(random, 20)));
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      const std::size_t at = random() % (text.size() + 1);
      if (random() % 2 == 0)
        text.erase(at, 1 + random() % 3);
      else
        text.insert(at, 1, letters[random() % letters.size()]);
    }
    const Parsed parsed = parse(text);
    ASSERT_LE(parsed.result.position, text.size());
    if (!parsed.encoding.empty()) {
      ASSERT_TRUE(receipts_is_valid(parsed.encoding));
      ASSERT_EQ(parse(text_of(parsed.encoding)).encoding, parsed.encoding);
    }
  }
}

TEST(ReceiptsBuild, RowsAndStatesInAnyOrderGiveTheSame) {
  Random random(24);
  for (int round = 0; round < 200; ++round) {
    std::pmr::monotonic_buffer_resource memory;
    ReceiptsBuilder builder(memory);
    Twin twin;
    for (int step = 0; step < 40; ++step) {
      const Member slot = static_cast<Member>(random() % 30);
      const auto status =
          std::array{ReceiptStatus::kSent, ReceiptStatus::kDelivered, ReceiptStatus::kSeen}[random() % 3];
      if (random() % 8 == 0) {
        const Twin other = random_twin(random, 30);
        twin.merge(other);
        const Encoding encoding = encode(other);
        builder.merge(chatopt::core::receipts_view(encoding));
      } else {
        twin.recipients.insert(slot);
        if (status != ReceiptStatus::kSent) twin.mark(status, {slot});
        builder.insert(slot, status);
      }
      Encoding workspace(builder.bound());
      ASSERT_EQ(build(builder.write(workspace.data())), encode(twin)) << "after each step: writing leaves it as it was";
    }
  }
}

}  // namespace
