// What the bitmap core takes, without a server: ns a call (make bench-core; needs libbenchmark-dev).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory_resource>
#include <random>
#include <vector>

#include "core/bitmap/bitmap.hpp"

namespace {

using namespace chatopt::core;
using Encoded = std::vector<std::byte>;

Encoded written(const Builder& builder) {
  Encoded out(builder.bound());
  out.resize(builder.write(out.data()));
  return out;
}

// A random half of 0 … 2 * members - 1.
Encoded random_half(std::int64_t members, unsigned seed) {
  std::mt19937_64 random(seed);
  Builder builder(*std::pmr::new_delete_resource());
  for (Member member = 0; member < 2 * members; ++member)
    if (random() % 2 == 0) builder.insert(member);
  return written(builder);
}

// So many members anywhere in 2^31.
Encoded scattered(std::int64_t members, unsigned seed) {
  std::mt19937_64 random(seed);
  Builder builder(*std::pmr::new_delete_resource());
  for (std::int64_t i = 0; i < members; ++i) builder.insert(static_cast<Member>(random() % (std::uint64_t{1} << 31)));
  return written(builder);
}

// So many members anywhere in 32 times as many.
Encoded spread(std::int64_t members, unsigned seed) {
  std::mt19937_64 random(seed);
  Builder builder(*std::pmr::new_delete_resource());
  for (std::int64_t i = 0; i < members; ++i)
    builder.insert(static_cast<Member>(random() % (32 * static_cast<std::uint64_t>(members))));
  return written(builder);
}

template <SetOperation operation, auto make>
void apply(benchmark::State& state) {
  const Encoded a = make(state.range(0), 1);
  const Encoded b = make(state.range(0), 2);
  Encoded out(bitmap_bound(operation, a, b));
  for (auto _ : state) {
    benchmark::DoNotOptimize(bitmap_bound(operation, a, b));
    benchmark::DoNotOptimize(bitmap_apply(operation, a, b, out.data()));
    benchmark::ClobberMemory();
  }
  state.counters["bytes"] = static_cast<double>(a.size());
}
#define SIZES Arg(30)->Arg(1000)->Arg(100000)->Arg(1000000)
BENCHMARK(apply<SetOperation::kUnion, random_half>)->SIZES;
BENCHMARK(apply<SetOperation::kIntersection, random_half>)->SIZES;
BENCHMARK(apply<SetOperation::kDifference, random_half>)->SIZES;
BENCHMARK(apply<SetOperation::kUnion, spread>)->SIZES;
BENCHMARK(apply<SetOperation::kIntersection, spread>)->SIZES;
BENCHMARK(apply<SetOperation::kUnion, scattered>)->SIZES;
BENCHMARK(apply<SetOperation::kIntersection, scattered>)->SIZES;

template <auto make>
void contains(benchmark::State& state) {
  const Encoded a = make(state.range(0), 1);
  Encoded b = make(state.range(0), 2);
  Encoded out(bitmap_bound(SetOperation::kIntersection, a, b));
  out.resize(bitmap_apply(SetOperation::kIntersection, a, b, out.data()));
  for (auto _ : state) benchmark::DoNotOptimize(bitmap_contains(a, out));
}
BENCHMARK(contains<random_half>)->SIZES;
BENCHMARK(contains<scattered>)->SIZES;

void cardinality(benchmark::State& state) {
  const Encoded a = random_half(state.range(0), 1);
  for (auto _ : state) benchmark::DoNotOptimize(bitmap_cardinality(a));
}
BENCHMARK(cardinality)->SIZES;

void contains_member(benchmark::State& state) {
  const Encoded a = random_half(state.range(0), 1);
  Member member = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(bitmap_contains(a, member = (member + 7919) % (2 * Member(state.range(0)))));
}
BENCHMARK(contains_member)->SIZES;

void insert(benchmark::State& state) {
  const Encoded a = random_half(state.range(0), 1);
  const auto member = static_cast<Member>(state.range(0));
  Encoded out(bitmap_insert_bound(a, member));
  for (auto _ : state) {
    benchmark::DoNotOptimize(bitmap_insert_bound(a, member));
    benchmark::DoNotOptimize(bitmap_insert(a, member, out.data()));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(insert)->SIZES;

void hash(benchmark::State& state) {
  const Encoded a = random_half(state.range(0), 1);
  for (auto _ : state) benchmark::DoNotOptimize(bitmap_hash(a, 0));
}
BENCHMARK(hash)->SIZES;

void validate(benchmark::State& state) {
  const Encoded a = random_half(state.range(0), 1);
  for (auto _ : state) benchmark::DoNotOptimize(bitmap_is_valid(a));
}
BENCHMARK(validate)->SIZES;

void text(benchmark::State& state) {
  const Encoded a = random_half(state.range(0), 1);
  std::vector<char> out(static_cast<std::size_t>(bitmap_text_size(a)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(bitmap_text_size(a));
    benchmark::DoNotOptimize(bitmap_write_text(a, out.data()));
  }
}
BENCHMARK(text)->SIZES;

// One aggregate over so many sets of 30 slots.
void or_aggregate(benchmark::State& state) {
  std::vector<Encoded> sets;
  for (unsigned i = 0; i < 1000; ++i) sets.push_back(random_half(30, i));
  for (auto _ : state) {
    Builder builder(*std::pmr::new_delete_resource());
    for (std::int64_t i = 0; i < state.range(0); ++i) builder.merge(sets[static_cast<std::size_t>(i) % 1000]);
    benchmark::DoNotOptimize(builder.cardinality());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(or_aggregate)->Arg(1000000);

void insert_each(benchmark::State& state, std::uint64_t universe, bool ascending) {
  std::mt19937_64 random(1);
  std::vector<Member> members;
  for (std::int64_t i = 0; i < state.range(0); ++i) members.push_back(static_cast<Member>(random() % universe));
  if (ascending) std::sort(members.begin(), members.end());
  for (auto _ : state) {
    Builder builder(*std::pmr::new_delete_resource());
    for (const Member member : members) builder.insert(member);
    benchmark::DoNotOptimize(builder.empty());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(insert_each, ascending_dense, 2000000, true)->Arg(1000000);
BENCHMARK_CAPTURE(insert_each, random_dense, 2000000, false)->Arg(1000000);
BENCHMARK_CAPTURE(insert_each, random_anywhere, std::uint64_t{1} << 31, false)->Arg(1000000);

}  // namespace

BENCHMARK_MAIN();
