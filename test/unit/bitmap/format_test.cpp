// What is stored: sizes, forms, borders, and what the door refuses.
#include "core/bitmap/format.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>

#include <gtest/gtest.h>

#include "../support/bitmaps.hpp"
#include "core/bitmap/bytes.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

Encoded raw(std::initializer_list<unsigned> values) {
  Encoded result;
  for (const unsigned value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

// With a varlena's header: 1 byte up to 126 bytes in all, else 4.
std::size_t datum(const Encoded& set) { return set.size() + (set.size() < 127 ? 1 : 4); }

Members random_half(Random& random, Member universe) {
  Members result;
  for (Member member = 0; member < universe; ++member)
    if (below(random, 2) == 0) result.push_back(member);
  return result;
}

TEST(BitmapFormat, TakesFewBytes) {
  Random random(70);
  EXPECT_LE(datum(parsed("{0-29}")), 4U);
  EXPECT_LE(datum(parsed("{0,2,4,6,8,10,12,14,16,18,20,22,24,26,28}")), 8U);
  EXPECT_LE(datum(parsed("{1,3,5,7,9,11,13,15,17,19,21,23,25,27,29}")), 8U);
  EXPECT_LE(datum(built(random_half(random, 1000))), 132U);
  EXPECT_LE(datum(built(random_half(random, 100000))), 12600U);
  EXPECT_LE(datum(parsed("{}")), 2U);
  EXPECT_LE(datum(parsed("{0-2147483647}")), 8U);
}

TEST(BitmapFormat, IsWhatIsDocumented) {
  EXPECT_EQ(parsed("{}"), raw({0x10}));
  EXPECT_EQ(parsed("{0-29}"), raw({0x11, 0, 29}));
  EXPECT_EQ(parsed("{3}"), raw({0x13, 3}));
  EXPECT_EQ(parsed("{3,4}"), raw({0x11, 3, 1}));
  EXPECT_EQ(parsed("{0-2147483647}"), raw({0x11, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x07}));
  EXPECT_EQ(parsed("{20000}"), raw({0x12, 0xC4, 0x13, 0x01}));
  EXPECT_EQ(parsed("{8,10,12,14,23}"), raw({0x12, 1, 0x55, 0x80}));
  EXPECT_EQ(parsed("{1,100,200}"), raw({0x13, 1, 98, 99}));
  EXPECT_EQ(parsed("{0-99,200-299}"), raw({0x14, 0, 99, 99, 99}));
  EXPECT_EQ(parsed("{2147483647}"), raw({0x12, 0xFF, 0xFF, 0xFF, 0x7F, 0x80}));
}

TEST(BitmapFormat, ChunksAreWhatIsDocumented) {
  Members members;
  for (Member member = 0; member < 5000; ++member) members.push_back(member * 2);
  members.push_back(0x50003);
  const Encoded set = built(members);
  // One chunk of 1,250 bytes behind base 0, one of a single member.
  ASSERT_EQ(set.size(), 8U + 16 + 1251 + 1);
  EXPECT_EQ(Encoded(set.begin(), set.begin() + 27),
            raw({0x15, 0,    1, 0, 0x88, 0x13, 0,    0,    0, 0,    0x87, 0x13, 0xE3, 0x04,
                 0,    0x40, 5, 0, 0,    0,    0xE4, 0x04, 0, 0x80, 0,    0x55, 0x55}));
  EXPECT_EQ(set.back(), std::byte{3});
}

// The block of a flat set of this many bytes: a sparse and a dense one of each size about the limit.
TEST(BitmapFormat, ABlockOf512BytesIsFlatAndNoLonger) {
  for (Member size = 505; size < 520; ++size) {
    Members sparse;
    for (Member i = 0; i < size; ++i) sparse.push_back(i * 100);
    EXPECT_EQ(bitmap_is_chunked(built(sparse)), size > 512) << size;
    EXPECT_EQ(built(sparse), Twin::encode(sparse));
    Members dense;
    for (Member i = 0; i < size * 8; i += 2) dense.push_back(i);
    EXPECT_EQ(bitmap_is_chunked(built(dense)), size + 1 > 512) << size;
    EXPECT_EQ(built(dense), Twin::encode(dense));
    // And there and back.
    const Encoded set = built(sparse);
    EXPECT_EQ(without(with(set, 7), 7), set);
    EXPECT_EQ(with(without(set, sparse[400]), sparse[400]), set);
  }
}

// Dense sets about the limit, whose base takes one byte or four, and which lie in one chunk or two.
TEST(BitmapFormat, TwoDenseSetsAboutTheLimitCombine) {
  for (const Member start : {0U, 1600U, 65536U * 9 - 2048, 2147418112U - 2000, 2147418112U}) {
    for (Member size = 490; size < 530; ++size) {
      Members even;
      Members third;
      for (Member i = 0; i < size * 8; ++i) {
        if (i % 2 == 0 && i < size * 5) even.push_back(start + i);
        if (i % 3 == 0 && i > size * 4) third.push_back(start + i);
      }
      for (const SetOperation operation : kOperations) {
        ASSERT_EQ(apply(operation, built(even), built(third)), Twin::encode(combined(operation, even, third))) << size;
        ASSERT_EQ(apply(operation, built(third), built(even)), Twin::encode(combined(operation, third, even))) << size;
      }
    }
  }
}

TEST(BitmapFormat, HoldsAtEveryBorder) {
  const Members borders{0,     1,      7,      8,          63,         64,         65534,      65535,      65536,
                        65537, 131071, 131072, 2147418111, 2147418112, 2147483639, 2147483640, 2147483646, 2147483647};
  Random random(71);
  for (int round = 0; round < 400; ++round) {
    Members members = round % 2 == 0 ? Members{} : random_members(random, random_size(random));
    Members added;
    for (const Member border : borders)
      if (below(random, 3) == 0) added.push_back(border);
    members = combined(SetOperation::kUnion, members, added);
    const Encoded set = built(members);
    ASSERT_EQ(set, Twin::encode(members));
    for (const Member border : borders) {
      const bool there = std::binary_search(members.begin(), members.end(), border);
      ASSERT_EQ(bitmap_contains(set, border), there);
      ASSERT_EQ(bitmap_contains(with(set, border), border), true);
      ASSERT_EQ(with(without(set, border), border), with(set, border));
    }
  }
}

TEST(BitmapFormat, TheFullUniverseOfRandomBitsFits) {
  // Every other member: the longest value there is.
  Members alternating;
  for (Member member = 0; member < 65536; member += 2) alternating.push_back(member);
  const Encoded one = built(alternating);
  Encoded all(8 + 32768ULL * (8 + 8193));
  all[0] = std::byte{0x15};
  bytes::store(&all[2], std::uint16_t{32767});
  bytes::store(&all[4], std::uint32_t{(1U << 30) - 1});
  for (std::uint32_t i = 0; i < 32768; ++i) {
    bytes::store(&all[8 + i * 8], static_cast<std::uint16_t>(i));
    bytes::store(&all[8 + i * 8 + 2], std::uint16_t{32767});
    bytes::store(&all[8 + i * 8 + 4], std::uint32_t{1} << 30 | (i + 1) * 8193);
    std::copy(one.begin() + 16, one.end(), all.begin() + 8 + 32768 * 8 + i * 8193L);
  }
  ASSERT_TRUE(bitmap_is_valid(all));
  EXPECT_EQ(bitmap_cardinality(all), Count{1} << 30);
  EXPECT_EQ(bitmap_rank(all, 2147483646), Count{1} << 30);
  Encoded odd(bitmap_bound(SetOperation::kSymmetricDifference, all, parsed("{0-2147483647}")));
  odd.resize(bitmap_apply(SetOperation::kSymmetricDifference, all, parsed("{0-2147483647}"), odd.data()));
  EXPECT_EQ(odd.size(), all.size());
  EXPECT_TRUE(bitmap_contains(odd, 2147483647));
  EXPECT_FALSE(bitmap_overlaps(odd, all));
  Encoded both(bitmap_bound(SetOperation::kUnion, all, odd));
  both.resize(bitmap_apply(SetOperation::kUnion, all, odd, both.data()));
  EXPECT_EQ(text_of(both), "{0-2147483647}");
}

// The door

TEST(BitmapDoor, RefusesWhatIsNotCanonical) {
  EXPECT_FALSE(bitmap_is_valid({}));
  const Encoded refused[] = {
      raw({0x00}),                                   // no generation
      raw({0x20}),                                   // a later one
      raw({0x16}),                                   // no form
      raw({0x10, 0}),                                // empty and more
      raw({0x11}),                                   // nothing behind
      raw({0x11, 3}),                                // half a run
      raw({0x11, 3, 0, 0}),                          // a run and more
      raw({0x11, 0x83, 0x00, 0}),                    // a number longer than need be
      raw({0x11, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 1}),  // beyond the last member
      raw({0x11, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 0}),  // beyond 32 bits
      raw({0x11, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0}),
      raw({0x11, 0xA0, 0x9C, 0x01, 0}),                 // {20000}: dense is shorter
      raw({0x12, 0}),                                   // no bits
      raw({0x12, 0, 0}),                                // zero bits
      raw({0x12, 0, 0x55, 0}),                          // zero at the end
      raw({0x12, 0, 0, 0x55}),                          // zero at the beginning
      raw({0x12, 0, 0xFF}),                             // a run takes no more
      raw({0x12, 0x80, 0x80, 0x80, 0x80, 0x01, 0x55}),  // beyond the last member
      raw({0x11, 5, 0}),                                // one member is shorter as such
      raw({0x13, 0, 1, 1}),                             // dense is shorter
      raw({0x13, 5, 0xFF, 0xFF, 0xFF, 0xFF, 0x07}),
      raw({0x13, 5, 0xFF}),
      raw({0x14, 0, 99}),        // one run is a run
      raw({0x14, 0, 99, 99}),    // half a run
      raw({0x14, 0, 0, 99, 0}),  // members are shorter
      raw({0x15}),
      raw({0x15, 0, 0, 0, 0, 0, 0, 0}),
      raw({0x15, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0}),
  };
  for (const Encoded& bytes : refused) EXPECT_FALSE(bitmap_is_valid(bytes)) << testing::PrintToString(bytes);
}

// A small set as chunks, with everything else right.
TEST(BitmapDoor, RefusesChunksThatShouldBeFlat) {
  const Encoded bytes = raw({0x15, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 3, 0, 3, 0});
  EXPECT_FALSE(bitmap_is_valid(bytes));
}

TEST(BitmapDoor, ReadsOnlyCanonicalValuesFromMutations) {
  Random random(72);
  int read = 0;
  for (int round = 0; round < 8000; ++round) {
    Encoded bytes = Twin::encode(random_members(random, below(random, round % 10 == 0 ? 3000 : 30)));
    for (std::uint64_t changes = 1 + below(random, 3); changes > 0; --changes) {
      const auto at =
          bytes.empty() ? 0 : static_cast<std::ptrdiff_t>(below(random, std::min<std::size_t>(bytes.size(), 64)));
      switch (below(random, 4)) {
        case 0:
          bytes.insert(bytes.begin() + at, static_cast<std::byte>(random()));
          break;
        case 1:
          if (!bytes.empty()) bytes.erase(bytes.begin() + at);
          break;
        case 2:
          bytes.resize(below(random, bytes.size() + 1));
          break;
        default:
          if (!bytes.empty()) bytes[static_cast<std::size_t>(at)] ^= static_cast<std::byte>(1U << below(random, 8));
      }
    }
    bytes = exact(bytes);
    if (!bitmap_is_valid(bytes)) continue;
    ++read;
    if (bitmap_cardinality(bytes) > 100000) continue;  // a run of many: too long to list
    ASSERT_EQ(Twin::encode(members_of(bytes)), bytes);
  }
  EXPECT_GT(read, 400);
}

}  // namespace
