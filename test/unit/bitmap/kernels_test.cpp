// Every path gives what a loop over bits gives, and touches nothing beyond its bytes.
#include "core/bitmap/kernels.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "../support/bitmaps.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

bool bit(const Encoded& bytes, std::size_t at) {
  return (std::to_integer<unsigned>(bytes[at / 8]) >> (at % 8) & 1U) != 0;
}

Encoded random_bytes(Random& random, std::size_t size) {
  Encoded result(size);
  const std::uint64_t kind = below(random, 4);
  for (std::byte& byte : result) {
    byte = static_cast<std::byte>(random());
    if (kind == 0 && below(random, 9) != 0) byte = std::byte{0};
    if (kind == 1 && below(random, 9) != 0) byte = std::byte{0xFF};
  }
  return result;
}

class Kernels : public testing::TestWithParam<kernels::Path> {
 protected:
  void SetUp() override {
    before_ = kernels::table().path;
    if (!kernels::use(GetParam())) GTEST_SKIP() << "not on this processor";
  }
  void TearDown() override { kernels::use(before_); }

 private:
  kernels::Path before_ = kernels::Path::kPortable;
};
INSTANTIATE_TEST_SUITE_P(Paths, Kernels,
                         testing::Values(kernels::Path::kPortable, kernels::Path::kAvx2, kernels::Path::kAvx512));

TEST_P(Kernels, DoWhatALoopOverBitsDoes) {
  Random random(50);
  const kernels::Table& table = kernels::table();
  EXPECT_EQ(table.path, GetParam());
  for (std::size_t size = 0; size < 300; ++size) {
    const Encoded a = random_bytes(random, size);
    Encoded b = random_bytes(random, size);
    if (below(random, 3) == 0) b = a;
    if (below(random, 3) == 0 && size > 0) b[below(random, size)] ^= std::byte{16};
    std::uint64_t count = 0;
    std::uint64_t runs = 0;
    bool includes = true;
    bool overlaps = false;
    for (std::size_t i = 0; i < size * 8; ++i) {
      count += bit(a, i) ? 1 : 0;
      runs += bit(a, i) && (i == 0 || !bit(a, i - 1)) ? 1 : 0;
      includes = includes && (bit(a, i) || !bit(b, i));
      overlaps = overlaps || (bit(a, i) && bit(b, i));
    }
    ASSERT_EQ(table.count(a.data(), size), count);
    ASSERT_EQ(table.count_runs(a.data(), size, UINT64_MAX), runs);
    const std::uint64_t enough = below(random, runs + 2);
    ASSERT_EQ(table.count_runs(a.data(), size, enough) >= enough, runs >= enough);
    ASSERT_LE(table.count_runs(a.data(), size, enough), runs);
    ASSERT_EQ(table.includes(a.data(), b.data(), size), includes);
    ASSERT_EQ(table.overlaps(a.data(), b.data(), size), overlaps);
    Encoded out(size);
    const auto expect = [&](auto wanted) {
      for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(out[i], wanted(a[i], b[i])) << size << " " << i;
    };
    table.unite(out.data(), a.data(), b.data(), size);
    ASSERT_NO_FATAL_FAILURE(expect([](std::byte x, std::byte y) { return x | y; }));
    table.intersect(out.data(), a.data(), b.data(), size);
    ASSERT_NO_FATAL_FAILURE(expect([](std::byte x, std::byte y) { return x & y; }));
    table.subtract(out.data(), a.data(), b.data(), size);
    ASSERT_NO_FATAL_FAILURE(expect([](std::byte x, std::byte y) { return x & ~y; }));
    table.flip(out.data(), a.data(), b.data(), size);
    ASSERT_NO_FATAL_FAILURE(expect([](std::byte x, std::byte y) { return x ^ y; }));
    const auto expect_counts = [&](kernels::Counts counts) {
      ASSERT_EQ(counts.members, table.count(out.data(), size)) << size;
      ASSERT_EQ(counts.runs, table.count_runs(out.data(), size, UINT64_MAX)) << size;
    };
    out.assign(size, std::byte{0xA5});
    ASSERT_NO_FATAL_FAILURE(expect_counts(table.unite_runs(out.data(), a.data(), b.data(), size)));
    ASSERT_NO_FATAL_FAILURE(expect([](std::byte x, std::byte y) { return x | y; }));
    ASSERT_NO_FATAL_FAILURE(expect_counts(table.intersect_runs(out.data(), a.data(), b.data(), size)));
    ASSERT_NO_FATAL_FAILURE(expect([](std::byte x, std::byte y) { return x & y; }));
    ASSERT_NO_FATAL_FAILURE(expect_counts(table.subtract_runs(out.data(), a.data(), b.data(), size)));
    ASSERT_NO_FATAL_FAILURE(expect([](std::byte x, std::byte y) { return x & ~y; }));
    ASSERT_NO_FATAL_FAILURE(expect_counts(table.flip_runs(out.data(), a.data(), b.data(), size)));
    ASSERT_NO_FATAL_FAILURE(expect([](std::byte x, std::byte y) { return x ^ y; }));
    out = a;
    table.unite(out.data(), out.data(), b.data(), size);
    ASSERT_NO_FATAL_FAILURE(expect([](std::byte x, std::byte y) { return x | y; }));
  }
}

TEST_P(Kernels, CountLargeBlocks) {
  for (const std::size_t size : {8192U, 8191U, 8193U, 100000U}) {
    const Encoded full(size, std::byte{0xFF});
    EXPECT_EQ(kernels::table().count(full.data(), size), size * 8);
    EXPECT_EQ(kernels::table().count_runs(full.data(), size, UINT64_MAX), 1U);
  }
}

}  // namespace
