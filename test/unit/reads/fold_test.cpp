// A batch folded, in any order and in parts, against marks made one by one.
#include "core/reads/fold.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "skip_model.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

using Batch = std::vector<MarkEntry>;
using Folded = std::vector<FoldedMark>;

Folded folded(const Batch& batch, std::size_t ids, std::size_t* busy = nullptr) {
  Folded result(ids, FoldedMark{9, 9});
  const std::size_t count = fold(batch, result);
  if (busy != nullptr) *busy = count;
  return result;
}

TEST(Fold, EveryPermutationGivesTheSame) {
  Batch batch{{0, Mark::kRead, 5},      {0, Mark::kRead, 3},      {1, Mark::kDelivered, 4},
              {0, Mark::kDelivered, 9}, {1, Mark::kDelivered, 7}, {2, Mark::kRead, 0}};
  const Folded wanted{{9, 5}, {7, 0}, {0, 0}};
  std::array<int, 6> order{0, 1, 2, 3, 4, 5};
  do {
    Batch permuted;
    for (const int at : order) permuted.push_back(batch[static_cast<std::size_t>(at)]);
    std::size_t busy = 0;
    ASSERT_EQ(folded(permuted, 3, &busy), wanted);
    ASSERT_EQ(busy, 2U);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Fold, IsAllItsMarksOneByOne) {
  Random random(111);
  for (int round = 0; round < 500; ++round) {
    const std::int64_t last = 1 + pick(random, 50);
    const auto ids = static_cast<std::size_t>(1 + pick(random, 6));
    struct State {
      Positions positions;
      std::int64_t mark = kNoUnreadMark;
    };
    std::vector<State> one_by_one(ids);
    for (State& state : one_by_one) {
      state.positions = joined_at(pick(random, last));
      mark_upto(state.positions, Mark::kRead, pick(random, last), last);
      mark_unread(state.positions, state.mark, pick(random, last));
    }
    std::vector<State> at_once = one_by_one;
    Batch batch;
    for (std::int64_t i = pick(random, 40); i > 0; --i)
      batch.push_back({static_cast<std::uint32_t>(pick(random, static_cast<std::int64_t>(ids))),
                       pick(random, 2) == 0 ? Mark::kRead : Mark::kDelivered, pick(random, last + 10) - 3});
    std::vector<unsigned> changed(ids);
    for (const MarkEntry& entry : batch) {
      State& state = one_by_one[entry.id];
      changed[entry.id] |= mark_upto(state.positions, state.mark, entry.mark, entry.upto, last);
    }
    const Folded operations = folded(batch, ids);
    for (std::size_t id = 0; id < ids; ++id) {
      State& state = at_once[id];
      ASSERT_EQ(mark_folded(state.positions, state.mark, operations[id], last), changed[id]);
      ASSERT_EQ(state.positions, one_by_one[id].positions);
      ASSERT_EQ(state.mark, one_by_one[id].mark);
    }
  }
}

TEST(Fold, NothingIsNothing) {
  std::size_t busy = 7;
  EXPECT_EQ(folded({}, 2, &busy), (Folded{{}, {}}));
  EXPECT_EQ(busy, 0U);
  EXPECT_EQ(folded({{0, Mark::kRead, -4}}, 1, &busy), (Folded{{}}));
  EXPECT_EQ(busy, 0U);
}

}  // namespace
