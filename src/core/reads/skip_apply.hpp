// Changing the skipped numbers of a conversation. skip_tree.hpp is the header for users.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/reads/skip_rows.hpp"

namespace chatopt::core {

// The numbers first … last become of this kind, whatever they were.
struct SkipChange {
  std::int64_t first;
  std::int64_t last;
  SkipKind kind;
};

template <class Store>
class SkipWriter {
 public:
  SkipWriter(Store& store, std::int64_t last, std::span<const SkipChange> changes) noexcept
      : store_(store), changes_(changes), top_(skip_levels(last)) {}

  void run() noexcept {
    if (changes_.empty()) return;
    open(0);
    find_built();
    change(top_, 0, 0);
  }

 private:
  // What a row says after the change.
  struct Outcome {
    std::int64_t count;
    bool removed;  // as a whole
  };

  // The highest row 0 there is; those above it, up to top_, are to be built.
  void find_built() noexcept {
    for (built_ = top_; built_ > 0; --built_) {
      if (!store_.load(built_, 0, node_)) continue;
      built_count_ = skip_sum(node_, kSkipFanOut);
      return;
    }
    if (store_.load(0, 0, leaf_))
      built_count_ = skip_leaf_count(leaf_, 0, kSkipLeafNumbers - 1);
    else
      built_ = -1;
  }
  [[nodiscard]] bool is_unbuilt(int level, std::int64_t chunk) const noexcept { return chunk == 0 && level > built_; }

  // Gets the row, of which its parent says that it skips so many; false when it is not stored, and is what it stands
  // for.
  bool fetch(int level, std::int64_t chunk, std::int64_t count, SkipLeaf& leaf) noexcept {
    if (chunk == 0 && level == built_) {
      leaf = leaf_;
      return true;
    }
    return fetch_below(level, chunk, count, leaf);
  }
  bool fetch(int level, std::int64_t chunk, std::int64_t count, SkipNode& node) noexcept {
    if (chunk == 0 && level == built_) {
      node = node_;
      return true;
    }
    const bool stored = fetch_below(level, chunk, count, node);
    if (is_unbuilt(level, chunk)) node.counts[0] = built_count_;
    return stored;
  }
  template <class Row>
  bool fetch_below(int level, std::int64_t chunk, std::int64_t count, Row& row) noexcept {
    const bool unbuilt = is_unbuilt(level, chunk);
    if (!unbuilt && count != 0 && store_.load(level, chunk, row)) return true;
    skip_fill(level, row, !unbuilt && count == skip_capacity(level));
    return false;
  }

  // Stores the row as it is now, if it has to be there.
  template <class Row>
  void settle(int level, std::int64_t chunk, bool stored, bool changed, Outcome outcome, const Row& row) noexcept {
    const bool wanted = outcome.count != 0 && (!outcome.removed || level == top_);
    if (wanted && (changed || !stored)) store_.save(level, chunk, row);
    if (!wanted && stored) store_.erase(level, chunk);
  }

  Outcome change(int level, std::int64_t chunk, std::int64_t count) noexcept {
    return level == 0 ? change_leaf(chunk, count) : change_node(level, chunk, count);
  }

  Outcome change_leaf(std::int64_t chunk, std::int64_t count) noexcept {
    SkipLeaf leaf;
    const bool stored = fetch(0, chunk, count, leaf);
    const std::int64_t end = skip_last(0, chunk);
    bool changed = false;
    while (reaches(end)) {
      const std::int64_t last = std::min(changes_[at_].last, end);
      if (skip_leaf_set(leaf, skip_bit(first_), skip_bit(last), changes_[at_].kind)) changed = true;
      pass(last);
    }
    const Outcome outcome{skip_leaf_count(leaf, 0, kSkipLeafNumbers - 1), skip_leaf_is_removed(leaf)};
    settle(0, chunk, stored, changed, outcome, leaf);
    return outcome;
  }

  Outcome change_node(int level, std::int64_t chunk, std::int64_t count) noexcept {
    SkipNode node;
    const bool stored = fetch(level, chunk, count, node);
    // Children of which it is known whether they are removed as a whole: all, where nothing is stored.
    std::uint64_t known = stored ? 0 : ~std::uint64_t{0};
    std::uint64_t removed = 0;
    if (!stored && node.counts[kSkipFanOut - 1] != 0) removed = known;
    bool changed = false;
    const auto visit = [&](int child) noexcept {
      const Outcome outcome = change_child(level - 1, chunk * kSkipFanOut + child, node.counts[child]);
      const std::uint64_t bit = std::uint64_t{1} << child;
      known |= bit;
      removed = (removed & ~bit) | (outcome.removed ? bit : 0);
      if (outcome.count != node.counts[child]) changed = true;
      node.counts[child] = outcome.count;
    };
    // What is built beneath gets a parent now.
    if (is_unbuilt(level, chunk)) visit(0);
    const std::int64_t end = skip_last(level, chunk);
    while (reaches(end)) visit(skip_child(level, first_));
    const bool all = level != top_ && all_removed(level, chunk, node, known, removed);
    const Outcome outcome{skip_sum(node, kSkipFanOut), all};
    settle(level, chunk, stored, changed, outcome, node);
    return outcome;
  }

  Outcome change_child(int level, std::int64_t chunk, std::int64_t count) noexcept {
    const std::int64_t end = skip_last(level, chunk);
    const bool covered = reaches(end) && first_ <= skip_first(level, chunk) && changes_[at_].last >= end &&
                         end - skip_first(level, chunk) + 1 == skip_capacity(level);
    if (!covered || changes_[at_].kind == SkipKind::kUncounted) return change(level, chunk, count);
    const bool removed = changes_[at_].kind == SkipKind::kRemoved;
    erase(level, chunk, count);
    pass(end);
    return {removed ? skip_capacity(level) : 0, removed};
  }

  // Erases the row and all beneath it.
  void erase(int level, std::int64_t chunk, std::int64_t count) noexcept {
    if (count == 0) return;
    if (level == 0) {
      SkipLeaf leaf;
      if (fetch(0, chunk, count, leaf)) store_.erase(0, chunk);
      return;
    }
    SkipNode node;
    const bool stored = fetch(level, chunk, count, node);
    if (!stored && !is_unbuilt(level, chunk)) return;
    for (int child = 0; child < kSkipFanOut; ++child) erase(level - 1, chunk * kSkipFanOut + child, node.counts[child]);
    if (stored) store_.erase(level, chunk);
  }

  // A child that skips all its numbers may have uncounted ones among them: then it has a row.
  [[nodiscard]] bool all_removed(int level, std::int64_t chunk, const SkipNode& node, std::uint64_t known,
                                 std::uint64_t removed) noexcept {
    if (removed != known) return false;
    for (const std::int64_t count : node.counts)
      if (count != skip_capacity(level - 1)) return false;
    for (int child = 0; child < kSkipFanOut; ++child) {
      if ((known >> child & 1) == 0 && is_stored(level - 1, chunk * kSkipFanOut + child)) return false;
    }
    return true;
  }
  [[nodiscard]] bool is_stored(int level, std::int64_t chunk) noexcept {
    if (level == 0) {
      SkipLeaf leaf;
      return store_.load(0, chunk, leaf);
    }
    SkipNode node;
    return store_.load(level, chunk, node);
  }

  // The changes, passed in ascending order. first_ is the first number of what is left of the one that is next.
  [[nodiscard]] bool reaches(std::int64_t number) const noexcept { return at_ < changes_.size() && first_ <= number; }
  void open(std::size_t at) noexcept {
    at_ = at;
    if (at < changes_.size()) first_ = std::max<std::int64_t>(changes_[at].first, 1);
  }
  void pass(std::int64_t number) noexcept {
    if (number >= changes_[at_].last)
      open(at_ + 1);
    else
      first_ = number + 1;
  }

  Store& store_;
  std::span<const SkipChange> changes_;
  std::size_t at_ = 0;
  std::int64_t first_ = 0;
  const int top_;  // level of the one row above all
  int built_ = -1;
  std::int64_t built_count_ = 0;
  SkipLeaf leaf_;  // the row 0 of level built_, as it is stored
  SkipNode node_;
};

// Makes changes: ascending, disjoint ranges of numbers 1 … last, where last is the greatest number after them. As many
// as there are, at least one of them, bring the rows up to last.
//
// Each row is loaded at most once, and saved or erased at most once, after it was loaded; saved without being loaded
// where its parent says that it is not there. A row is handled before its parent, leaves and the nodes of a level in
// ascending order; between a row's load and its save or erase no other of its level is loaded, but for the row 0 that
// is the highest stored, which is loaded first. Rows that stay as they are are not saved. Where all numbers of a node
// come to be skipped, its other children are looked at, to see whether they are there.
//
// Cost: one path of rows a cluster of changes; a removed or counted range, however long, O(64) entries a level, plus
// the rows it takes away. An uncounted range takes its leaves. Stack: < 30 kB.
template <class Store>
void skip_apply(Store& store, std::int64_t last, std::span<const SkipChange> changes) noexcept {
  static_assert(std::is_trivially_destructible_v<SkipWriter<Store>>);  // the store may leave by longjmp
  SkipWriter<Store> writer(store, last, changes);
  writer.run();
}

}  // namespace chatopt::core
