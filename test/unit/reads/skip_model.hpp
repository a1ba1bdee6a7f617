// Twins of the skipped numbers: which kind every number is, as segments; the rows that say so, made from scratch; and a
// store that checks what skip_apply promises of its calls.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <random>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "core/reads/skip_tree.hpp"

namespace chatopt::test {

using core::SkipChange;
using core::SkipKind;
using core::SkipLeaf;
using core::SkipNode;

using RowKey = std::pair<int, std::int64_t>;  // level, chunk
using Row = std::variant<SkipLeaf, SkipNode>;
using Rows = std::map<RowKey, Row>;

template <class T>
bool same_bytes(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}
inline bool same(const Row& a, const Row& b) {
  if (a.index() != b.index()) return false;
  return a.index() == 0 ? same_bytes(std::get<0>(a), std::get<0>(b)) : same_bytes(std::get<1>(a), std::get<1>(b));
}
inline bool same(const Rows& a, const Rows& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& left, const auto& right) {
           return left.first == right.first && same(left.second, right.second);
         });
}

// Every number's kind, as the numbers from which another one holds.
class Kinds {
 public:
  void assign(std::int64_t first, std::int64_t last, SkipKind kind) {
    const SkipKind after = last < kGreatest ? at(last + 1) : SkipKind::kCounted;
    from_.erase(from_.lower_bound(first), last < kGreatest ? from_.upper_bound(last) : from_.end());
    from_[first] = kind;
    if (last < kGreatest) from_[last + 1] = after;
  }
  [[nodiscard]] SkipKind at(std::int64_t number) const { return std::prev(from_.upper_bound(number))->second; }

  // Calls visit(first, last, kind) for what is skipped in first … last, ascending.
  template <class Visit>
  void skipped(std::int64_t first, std::int64_t last, Visit visit) const {
    for (auto segment = std::prev(from_.upper_bound(first)); segment != from_.end() && segment->first <= last;
         ++segment) {
      const std::int64_t end = std::next(segment) == from_.end() ? kGreatest : std::next(segment)->first - 1;
      if (segment->second != SkipKind::kCounted)
        visit(std::max(segment->first, first), std::min(end, last), segment->second);
    }
  }
  [[nodiscard]] std::int64_t count(std::int64_t first, std::int64_t last) const {
    std::int64_t result = 0;
    if (first <= last) skipped(first, last, [&](std::int64_t a, std::int64_t b, SkipKind) { result += b - a + 1; });
    return result;
  }
  [[nodiscard]] std::int64_t next_live(std::int64_t number, std::int64_t last) const {
    skipped(number, last, [&](std::int64_t a, std::int64_t b, SkipKind kind) {
      if (a == number && kind == SkipKind::kRemoved) number = b < kGreatest ? b + 1 : 0;
    });
    return number <= last ? number : 0;
  }
  [[nodiscard]] std::size_t segments() const { return from_.size(); }

  // The rows of a conversation that has grown to last, with every level built.
  [[nodiscard]] Rows rows(std::int64_t last) const {
    Rows result;
    const int top = core::skip_levels(last);
    row(result, top, 0, top);
    return result;
  }

 private:
  static constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

  std::int64_t row(Rows& rows, int level, std::int64_t chunk, int top) const {
    const std::int64_t first = core::skip_first(level, chunk);
    const std::int64_t last = core::skip_last(level, chunk);
    const std::int64_t skipped_here = count(first, last);
    if (skipped_here == 0) return 0;
    if (level < top && is_removed(first, last) && last - first + 1 == core::skip_capacity(level)) return skipped_here;
    if (level == 0) {
      rows[{0, chunk}] = leaf(chunk);
      return skipped_here;
    }
    SkipNode node{};
    for (int child = 0; child < 64; ++child) {
      if (level == 9 && child > 7) break;
      node.counts[child] = row(rows, level - 1, chunk * 64 + child, top);
    }
    rows[{level, chunk}] = node;
    return skipped_here;
  }
  [[nodiscard]] bool is_removed(std::int64_t first, std::int64_t last) const {
    const auto after = from_.upper_bound(first);
    return std::prev(after)->second == SkipKind::kRemoved && next_live(first, last) == 0;
  }
  [[nodiscard]] SkipLeaf leaf(std::int64_t chunk) const {
    SkipLeaf result{};
    const std::int64_t base = core::skip_first(0, chunk);
    skipped(base, core::skip_last(0, chunk), [&](std::int64_t a, std::int64_t b, SkipKind kind) {
      auto& set = kind == SkipKind::kRemoved ? result.removed : result.uncounted;
      const std::int64_t end = b - base;
      for (std::int64_t i = a - base; i <= end; ++i) set[i / 64] |= std::uint64_t{1} << i % 64;
    });
    return result;
  }

  std::map<std::int64_t, SkipKind> from_{{0, SkipKind::kCounted}};
};

// Holds rows; fails the test where a call breaks a promise.
class RowStore {
 public:
  bool load(int level, std::int64_t chunk, SkipLeaf& leaf) noexcept { return loaded<SkipLeaf>(level, chunk, leaf); }
  bool load(int level, std::int64_t chunk, SkipNode& node) noexcept { return loaded<SkipNode>(level, chunk, node); }
  void save(int level, std::int64_t chunk, const SkipLeaf& leaf) noexcept { saved(level, chunk, leaf); }
  void save(int level, std::int64_t chunk, const SkipNode& node) noexcept { saved(level, chunk, node); }
  void erase(int level, std::int64_t chunk) noexcept {
    note_write({level, chunk});
    EXPECT_TRUE(last_loaded_[level] == chunk) << level << ' ' << chunk << " erased without being loaded";
    EXPECT_EQ(rows_.erase(RowKey(level, chunk)), 1U);
  }

  void begin() {
    loads_.clear();
    writes_.clear();
    std::fill(std::begin(last_loaded_), std::end(last_loaded_), -1);
    std::fill(std::begin(last_written_), std::end(last_written_), -1);
  }
  [[nodiscard]] const Rows& rows() const { return rows_; }
  [[nodiscard]] std::size_t loads() const { return loads_.size(); }
  [[nodiscard]] std::size_t loads(int level) const {
    return static_cast<std::size_t>(
        std::count_if(loads_.begin(), loads_.end(), [&](const auto& load) { return load.first.first == level; }));
  }
  [[nodiscard]] std::size_t writes() const { return writes_.size(); }

 private:
  template <class T>
  bool loaded(int level, std::int64_t chunk, T& row) {
    EXPECT_EQ(++loads_[RowKey(level, chunk)], 1) << level << ' ' << chunk << " loaded once more";
    EXPECT_EQ(writes_.count(RowKey(level, chunk)), 0U) << level << ' ' << chunk << " loaded after it was written";
    last_loaded_[level] = chunk;
    const auto found = rows_.find({level, chunk});
    if (found == rows_.end()) return false;
    row = std::get<T>(found->second);
    return true;
  }
  template <class T>
  void saved(int level, std::int64_t chunk, const T& row) {
    note_write({level, chunk});
    const auto found = rows_.find({level, chunk});
    if (found != rows_.end()) {
      EXPECT_TRUE(last_loaded_[level] == chunk) << level << ' ' << chunk << " saved without being loaded";
      EXPECT_FALSE(same_bytes(std::get<T>(found->second), row)) << level << ' ' << chunk << " saved unchanged";
    }
    rows_[{level, chunk}] = row;
  }
  void note_write(RowKey key) {
    // Each row before the one above it, and behind those to its left.
    EXPECT_EQ(++writes_[key], 1) << key.first << ' ' << key.second << " written once more";
    EXPECT_LE(last_written_[key.first], key.second);
    last_written_[key.first] = key.second;
    for (int level = key.first + 1; level <= core::kSkipLevels; ++level)
      EXPECT_EQ(writes_.count(RowKey(level, key.second >> (6 * (level - key.first)))), 0U)
          << "written after its parent";
  }

  Rows rows_;
  std::map<RowKey, int> loads_;
  std::map<RowKey, int> writes_;
  std::int64_t last_loaded_[10] = {};
  std::int64_t last_written_[10] = {};
};

// Rows for questions, which may load what they like.
class RowLookup {
 public:
  explicit RowLookup(const Rows& rows) : rows_(&rows) {}
  bool load(int level, std::int64_t chunk, SkipLeaf& leaf) noexcept { return loaded<SkipLeaf>(level, chunk, leaf); }
  bool load(int level, std::int64_t chunk, SkipNode& node) noexcept { return loaded<SkipNode>(level, chunk, node); }

  int leaves = 0;  // loaded so far
  int nodes = 0;

 protected:
  template <class T>
  bool loaded(int level, std::int64_t chunk, T& row) {
    ++(level == 0 ? leaves : nodes);
    const auto found = rows_->find({level, chunk});
    if (found == rows_->end()) return false;
    row = std::get<T>(found->second);
    return true;
  }

 private:
  const Rows* rows_;
};

// The same, counting in leaves by itself.
class CountingLookup : public RowLookup {
 public:
  using RowLookup::RowLookup;
  bool leaf_count(std::int64_t chunk, int from, int to, std::int64_t& skipped) noexcept {
    SkipLeaf leaf;
    if (!load(0, chunk, leaf)) return false;
    skipped = 0;
    for (int bit = from; bit <= to; ++bit) skipped += core::skip_leaf_kind(leaf, bit) != SkipKind::kCounted ? 1 : 0;
    return true;
  }
};

using Random = std::mt19937_64;
inline std::int64_t pick(Random& random, std::int64_t bound) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
}

}  // namespace chatopt::test
