// The text form.
#include "core/bitmap/bitmap.hpp"

#include <string>

#include <gtest/gtest.h>

#include "../support/arena.hpp"
#include "../support/bitmaps.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

void expect_refused(std::string_view text, BitmapTextError error, std::size_t position) {
  Arena arena;
  Builder builder(arena);
  const BitmapParse result = bitmap_parse(text, builder);
  EXPECT_FALSE(result) << text;
  EXPECT_EQ(result.error, error) << text;
  EXPECT_EQ(result.position, position) << text;
}

TEST(BitmapText, IsCanonical) {
  EXPECT_EQ(text_of(parsed("{}")), "{}");
  EXPECT_EQ(text_of(parsed("{3}")), "{3}");
  EXPECT_EQ(text_of(parsed("{0-29,31,40-41}")), "{0-29,31,40,41}");
  EXPECT_EQ(text_of(parsed("{7,6,5,1}")), "{1,5-7}");
  EXPECT_EQ(text_of(parsed("{5-9,1-6,3}")), "{1-9}");
  EXPECT_EQ(text_of(parsed("{0,2147483647}")), "{0,2147483647}");
  EXPECT_EQ(text_of(parsed("{0-2147483647}")), "{0-2147483647}");
  EXPECT_EQ(text_of(parsed("{2-2}")), "{2}");
  EXPECT_EQ(text_of(parsed("{2-3}")), "{2,3}");
}

TEST(BitmapText, ReadsSpaceBetweenTokensBareNumbersAndLeadingZeros) {
  EXPECT_EQ(text_of(parsed(" \t\n\r\v\f{ 1 , 2 - 4\n, 007 } ")), "{1-4,7}");
  EXPECT_EQ(text_of(parsed("{ }")), "{}");
  EXPECT_EQ(text_of(parsed("17")), "{17}");
  EXPECT_EQ(text_of(parsed(" 2147483647\n")), "{2147483647}");
}

TEST(BitmapText, SaysWhatIsWrongAndWhere) {
  using enum BitmapTextError;
  expect_refused("", kSyntax, 0);
  expect_refused("  ", kSyntax, 2);
  expect_refused("{", kSyntax, 1);
  expect_refused("{1", kSyntax, 2);
  expect_refused("{1,", kSyntax, 3);
  expect_refused("{1,}", kSyntax, 3);
  expect_refused("{,1}", kSyntax, 1);
  expect_refused("{1 2}", kSyntax, 3);
  expect_refused("{1}}", kSyntax, 3);
  expect_refused("{1} x", kSyntax, 4);
  expect_refused("{1-}", kSyntax, 3);
  expect_refused("{-}", kSyntax, 1);
  expect_refused("{a}", kSyntax, 1);
  expect_refused("{1.5}", kSyntax, 2);
  expect_refused("{+1}", kSyntax, 1);
  expect_refused("{0x1}", kSyntax, 2);
  expect_refused("1,2", kSyntax, 1);
  expect_refused("1-2", kSyntax, 1);
  expect_refused("{{1}}", kSyntax, 1);
  expect_refused("{1-2-3}", kSyntax, 4);
  expect_refused(std::string_view("{1\0}", 4), kSyntax, 2);
  expect_refused(
      "{\xC2\xA0"
      "1}",
      kSyntax, 1);
  expect_refused("-1", kNegative, 0);
  expect_refused("{3,-1}", kNegative, 3);
  expect_refused("{3--1}", kNegative, 3);
  expect_refused("{2147483648}", kOutOfRange, 1);
  expect_refused("{1, 99999999999999999999999999}", kOutOfRange, 4);
  expect_refused("{0-2147483648}", kOutOfRange, 3);
  expect_refused("{1, 5-2}", kEmptyRange, 4);
}

TEST(BitmapText, PrefixStopsBehindTheSet) {
  Arena arena;
  Builder builder(arena);
  const BitmapParse result = bitmap_parse_prefix(" {1,2},delivered={}", builder);
  EXPECT_TRUE(result);
  EXPECT_EQ(result.position, 6U);
  EXPECT_EQ(builder.cardinality(), 2);
  EXPECT_EQ(bitmap_parse_prefix("17", builder).error, BitmapTextError::kSyntax);
  EXPECT_EQ(bitmap_parse_prefix("{1,", builder).position, 3U);
}

TEST(BitmapText, RoundTripsAnySet) {
  Random random(40);
  for (int round = 0; round < 300; ++round) {
    const Members members = random_members(random, random_size(random));
    const Encoded set = Twin::encode(members);
    const std::string text = text_of(set);
    ASSERT_EQ(parsed(text), set);
    // Any order, any overlap.
    std::vector<Member> shuffled = members;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    std::string other = "{";
    for (const Member member : shuffled) other += std::to_string(member) + "," + std::to_string(member) + ",";
    other.back() = '}';
    if (members.empty()) continue;
    ASSERT_EQ(parsed(other), set);
  }
}

// What was typed bounds what is allocated.
TEST(BitmapText, AllocatesNoMoreThanTheTextJustifies) {
  const auto memory_for = [](const std::string& text) {
    Arena arena;
    Builder builder(arena);
    EXPECT_TRUE(bitmap_parse(text, builder));
    return builder.memory_used();
  };
  EXPECT_LE(memory_for("{}"), 0U);
  EXPECT_LE(memory_for("{0-2147483647}"), 100U);
  EXPECT_LE(memory_for("{1-2147483646}"), 300U);
  EXPECT_LE(memory_for("{0,2,4,6,8,63}"), 200U);
  std::string scattered = "{";
  std::string holes = "{";
  for (std::uint64_t i = 0; i < 30000; ++i) {
    scattered += std::to_string(i * 71581 % 2147483647) + ",";
    holes += std::to_string(i * 70000) + "-" + std::to_string(i * 70000 + 69990) + ",";
  }
  scattered.back() = holes.back() = '}';
  EXPECT_LE(memory_for(scattered), scattered.size() * 16);
  EXPECT_LE(memory_for(holes), holes.size() * 16);
}

}  // namespace
