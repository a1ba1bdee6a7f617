// Sets from and to plain bits: the same bytes as by any other way, and every member back.
#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "../support/bitmaps.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

using Words = std::vector<std::uint64_t>;

Words words_of(const Members& members, std::size_t count) {
  Words words(count);
  for (const Member member : members) words[member / 64] |= std::uint64_t{1} << member % 64;
  return words;
}

Encoded written(const Words& words) {
  Encoded out(bitmap_words_bound(words.size()));
  out.resize(bitmap_write_words(words, out.data()));
  return exact(out);
}

// Of a density that a set of any form comes out.
Members some_members(Random& random, std::size_t count) {
  const std::uint64_t universe = 64 * count;
  Members members;
  const std::uint64_t keep = 1 + below(random, 200);
  const bool runs = below(random, 3) == 0;
  for (std::uint64_t member = below(random, universe); member < universe; ++member) {
    if (below(random, 200) >= keep) continue;
    const std::uint64_t end = runs ? std::min(universe, member + below(random, 400)) : member + 1;
    for (; member < end; ++member) members.push_back(static_cast<Member>(member));
  }
  return members;
}

TEST(Words, AreWrittenAsTheCanonicalEncodingAndReadBack) {
  Random random(61);
  bool forms[6] = {};
  for (int round = 0; round < 1500; ++round) {
    const std::size_t count = round % 2 == 0 ? 64 : 1 + below(random, 1024);
    const Members members = some_members(random, count);
    const Words words = words_of(members, count);
    const Encoded set = written(words);
    ASSERT_EQ(set, Twin::encode(members));
    forms[std::to_integer<unsigned>(set[0]) & 0x0F] = true;
    Words back(count, ~std::uint64_t{0});
    ASSERT_TRUE(bitmap_read_words(set, back));
    ASSERT_EQ(back, words);
  }
  EXPECT_EQ(std::count(std::begin(forms), std::end(forms), true), 6);
}

TEST(Words, OfEverySizeMayBeEmptyOrFull) {
  for (const std::size_t count : {0U, 1U, 2U, 63U, 64U, 65U, 1024U}) {
    EXPECT_EQ(text_of(written(Words(count))), "{}");
    if (count == 0) continue;
    const Encoded full = written(Words(count, ~std::uint64_t{0}));
    EXPECT_EQ(text_of(full), "{0-" + std::to_string(64 * count - 1) + "}");
  }
}

TEST(Words, MembersBeyondAreLeftOutAndTold) {
  Words words(1);
  EXPECT_FALSE(bitmap_read_words(parsed("{1,60-70}"), words));
  EXPECT_EQ(words[0], std::uint64_t{0xF000000000000002U});
  EXPECT_FALSE(bitmap_read_words(parsed("{64}"), words));
  EXPECT_EQ(words[0], 0U);
  EXPECT_TRUE(bitmap_read_words(parsed("{63}"), words));
  EXPECT_FALSE(bitmap_read_words(parsed("{0}"), {}));
}

}  // namespace
