// Questions: what sorted vectors answer.
#include "core/bitmap/bitmap.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "../support/bitmaps.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();

// What set-returning functions keep over calls, and errors jump over.
static_assert(std::is_trivially_destructible_v<BitmapRuns>);
static_assert(std::is_trivially_copyable_v<BitmapRuns>);

Count rank_in(const Members& members, std::int64_t upto) {
  return std::upper_bound(members.begin(), members.end(), upto) - members.begin();
}

// Members, their neighbours, borders of chunks, and anything.
std::vector<std::int64_t> places(Random& random, const Members& members) {
  std::vector<std::int64_t> result{-kFar, -1, 0, 1, 65535, 65536, 2147483647, 2147483648, kFar};
  for (int i = 0; i < 20; ++i) {
    result.push_back(static_cast<std::int64_t>(below(random, std::uint64_t{1} << (1 + below(random, 32)))));
    if (members.empty()) continue;
    const Member member = members[below(random, members.size())];
    result.insert(result.end(), {member - std::int64_t{1}, member, member + std::int64_t{1}});
    result.push_back(member / 65536 * std::int64_t{65536});
  }
  return result;
}

// As the glue does with a large value: the beginning, the directory, one chunk; each in memory of its own.
Encoded slice(const Encoded& set, std::size_t offset, std::size_t length) {
  const auto begin = set.begin() + static_cast<std::ptrdiff_t>(std::min(offset, set.size()));
  return Encoded(begin, begin + static_cast<std::ptrdiff_t>(std::min(length, set.size() - offset)));
}

void expect_sliced(const Encoded& set, const Members& members, Member place) {
  const Encoded head = slice(set, 0, kPrefixSize);
  if (!bitmap_is_chunked(head)) {
    ASSERT_LE(set.size(), kMaxFlatSize);
    return;
  }
  ASSERT_EQ(bitmap_cardinality(head), static_cast<Count>(members.size()));
  const Encoded directory = slice(set, 0, bitmap_directory_end(head));
  const ChunkLocation location = bitmap_chunk_location(directory, place);
  const bool contained = std::binary_search(members.begin(), members.end(), place);
  ASSERT_TRUE(location.found || !contained);
  ASSERT_EQ(location.before, rank_in(members, place / 65536 * std::int64_t{65536} - 1));
  if (!location.found) return;
  const Encoded chunk = slice(set, location.offset, location.length);
  ASSERT_EQ(chunk.size(), location.length);
  ASSERT_EQ(bitmap_chunk_contains(location, chunk, place), contained);
  ASSERT_EQ(bitmap_chunk_rank(location, chunk, place), rank_in(members, place));
}

void expect_answers(Random& random, const Members& members) {
  const Encoded set = Twin::encode(members);
  ASSERT_TRUE(bitmap_is_valid(set));
  ASSERT_EQ(bitmap_cardinality(set), static_cast<Count>(members.size()));
  ASSERT_EQ(bitmap_is_empty(set), members.empty());
  Member least = 12345;
  Member greatest = 12345;
  ASSERT_EQ(bitmap_min(set, least), !members.empty());
  ASSERT_EQ(bitmap_max(set, greatest), !members.empty());
  ASSERT_EQ(least, members.empty() ? 12345 : members.front());
  ASSERT_EQ(greatest, members.empty() ? 12345 : members.back());
  ASSERT_EQ(members_of(set), members);
  const std::vector<std::int64_t> at = places(random, members);
  for (std::size_t i = 0; i < at.size(); ++i) {
    const std::int64_t place = at[i];
    ASSERT_EQ(bitmap_rank(set, place), rank_in(members, place)) << place;
    const std::int64_t other = at[below(random, at.size())];
    const Count between = place >= other ? 0 : rank_in(members, other - 1) - rank_in(members, place - 1);
    ASSERT_EQ(bitmap_range_cardinality(set, place, other), between) << place << " " << other;
    BitmapRuns from(set, place);
    Run run;
    const auto next = std::lower_bound(members.begin(), members.end(), place);
    ASSERT_EQ(from.next(run), next != members.end());
    if (next != members.end()) {
      ASSERT_EQ(run.first, *next);
      Members rest(next, members.end());
      Members walked;
      do {
        for (std::uint64_t member = run.first; member <= run.last; ++member)
          walked.push_back(static_cast<Member>(member));
      } while (i < 12 && from.next(run));
      if (i < 12) {
        ASSERT_EQ(walked, rest);
      }
    }
    if (place < 0 || place > kMaxMember) continue;
    const auto member = static_cast<Member>(place);
    ASSERT_EQ(bitmap_contains(set, member), std::binary_search(members.begin(), members.end(), member));
    ASSERT_NO_FATAL_FAILURE(expect_sliced(set, members, member));
  }
}

TEST(Queries, AnswerWhatSortedVectorsDo) {
  Random random(30);
  for (int round = 0; round < 250; ++round)
    ASSERT_NO_FATAL_FAILURE(expect_answers(random, random_members(random, random_size(random)))) << round;
}

TEST(Queries, RunsAreMaximalAndAscend) {
  Random random(31);
  for (int round = 0; round < 200; ++round) {
    const Encoded set = Twin::encode(random_members(random, random_size(random)));
    BitmapRuns runs(set);
    std::int64_t last = -2;
    for (chatopt::core::Run run; runs.next(run); last = run.last) {
      ASSERT_GT(std::int64_t{run.first}, last + 1);
      ASSERT_LE(run.first, run.last);
    }
  }
}

TEST(Queries, RunsGoOnAcrossChunks) {
  const Encoded holes = parsed("{0-70000,70002-300000,300002-2147483647}");
  const Encoded scattered = apply(SetOperation::kDifference, holes, parsed("{1000000-1200000}"));
  EXPECT_EQ(text_of(scattered), "{0-70000,70002-300000,300002-999999,1200001-2147483647}");
  Members every_third;
  for (Member member = 0; member < 300000; member += 3) every_third.push_back(member);
  const Encoded chunked = apply(SetOperation::kUnion, built(every_third), parsed("{60000-139999}"));
  ASSERT_TRUE(bitmap_is_chunked(chunked));
  BitmapRuns runs(chunked, 59999);
  chatopt::core::Run run;
  ASSERT_TRUE(runs.next(run));
  EXPECT_EQ(run, (chatopt::core::Run{60000, 139999}));
  BitmapRuns within(chunked, 100000);
  ASSERT_TRUE(within.next(run));
  EXPECT_EQ(run, (chatopt::core::Run{100000, 139999}));
  BitmapRuns copied = within;
  ASSERT_TRUE(copied.next(run));
  EXPECT_EQ(run, (chatopt::core::Run{140001, 140001}));
}

TEST(Queries, TheOrderIsThatOfArraysAndTotal) {
  Random random(32);
  for (int round = 0; round < 600; ++round) {
    const Members a = random_members(random, random_size(random) / 4);
    Members b = relative_of(random, a);
    if (below(random, 4) == 0)
      b = Members(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(below(random, a.size() + 1)));
    const Encoded left = Twin::encode(a);
    const Encoded right = Twin::encode(b);
    const int wanted = a < b ? -1 : a == b ? 0 : 1;
    const int order = bitmap_compare(left, right);
    ASSERT_EQ(order < 0 ? -1 : order > 0 ? 1 : 0, wanted);
    ASSERT_EQ(bitmap_compare(right, left), -order);
    ASSERT_EQ(bitmap_equals(left, right), a == b);
    ASSERT_EQ(bitmap_hash(left, 7) == bitmap_hash(right, 7), a == b);
  }
}

// The values are in indexes and partitions: they may never change.
TEST(Queries, HashesAreTheSameInEveryVersion) {
  std::map<std::string, std::uint64_t> hashes;
  for (const char* text :
       {"{}", "{0}", "{0-29}", "{2147483647}", "{0,2,4}", "{0-2147483647}", "{1-70000,70002,80000-200000}"})
    hashes[text] = bitmap_hash(parsed(text), 0);
  const std::map<std::string, std::uint64_t> wanted{{"{}", 0x8632F0229A99A2D8U},
                                                    {"{0}", 0xB906F7E27E78136FU},
                                                    {"{0-29}", 0xBDB60E225AF9D464U},
                                                    {"{2147483647}", 0x5C0F607345D44E89U},
                                                    {"{0,2,4}", 0xEC923A00EC87D02AU},
                                                    {"{0-2147483647}", 0x8C984AA4D23154D9U},
                                                    {"{1-70000,70002,80000-200000}", 0x58EE66D64E66FBD0U}};
  EXPECT_EQ(hashes, wanted);
  EXPECT_NE(bitmap_hash(parsed("{1}"), 0), bitmap_hash(parsed("{1}"), 1));
}

}  // namespace
