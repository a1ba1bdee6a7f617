// The input as a script of what happens in one conversation: numbers are removed, put back and left uncounted, it
// grows, and one member marks and acknowledges. Twins that keep kinds as segments and acknowledgements as sets say what
// must come out. Rows make their way through their stored form.
#include "common.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <variant>

#include "core/reads/acks.hpp"
#include "core/reads/unread.hpp"

using namespace chatopt::core;
using namespace chatopt::fuzz;

namespace {

using Key = std::pair<int, std::int64_t>;

Encoded stored(const std::uint64_t (&words)[kSkipWords]) {
  Encoded out(kSkipBitmapBound);
  out.resize(skip_write_bitmap(words, out.data()));
  out.shrink_to_fit();
  expect(bitmap_is_valid(out));
  return out;
}

// Rows as a table keeps them.
struct Table {
  std::map<std::int64_t, std::pair<Encoded, Encoded>> leaves;
  std::map<Key, std::vector<std::int32_t>> nodes;

  bool load(int, std::int64_t chunk, SkipLeaf& leaf) noexcept {
    const auto found = leaves.find(chunk);
    if (found == leaves.end()) return false;
    expect(skip_leaf_from_bitmaps(found->second.first, found->second.second, leaf));
    return true;
  }
  bool load(int level, std::int64_t chunk, SkipNode& node) noexcept {
    const auto found = nodes.find({level, chunk});
    if (found == nodes.end()) return false;
    expect(skip_node_from_ints(level, found->second, node));
    return true;
  }
  void save(int, std::int64_t chunk, const SkipLeaf& leaf) noexcept {
    expect(skip_leaf_count(leaf, 0, 4095) > 0);
    leaves[chunk] = {stored(leaf.removed), stored(leaf.uncounted)};
  }
  void save(int level, std::int64_t chunk, const SkipNode& node) noexcept {
    expect(skip_sum(node, kSkipFanOut) > 0);
    std::vector<std::int32_t> ints(skip_node_ints(level));
    skip_node_to_ints(level, node, ints.data());
    nodes[{level, chunk}] = ints;
  }
  void erase(int level, std::int64_t chunk) noexcept {
    expect((level == 0 ? leaves.erase(chunk) : nodes.erase({level, chunk})) == 1);
  }
};

// From which number on which kind holds.
using Segments = std::map<std::int64_t, SkipKind>;

void assign(Segments& segments, const SkipChange& change) {
  const SkipKind after = std::prev(segments.upper_bound(change.last + 1))->second;
  segments.erase(segments.lower_bound(change.first), segments.upper_bound(change.last + 1));
  segments[change.first] = change.kind;
  segments[change.last + 1] = after;
}
SkipKind kind_at(const Segments& segments, std::int64_t number) {
  return std::prev(segments.upper_bound(number))->second;
}
std::int64_t skipped(const Segments& segments, std::int64_t upto) {
  std::int64_t result = 0;
  for (auto at = segments.begin(); at != segments.end() && at->first <= upto; ++at) {
    const auto next = std::next(at);
    const std::int64_t end = next == segments.end() ? upto : std::min(upto, next->first - 1);
    if (at->second != SkipKind::kCounted) result += end - at->first + 1;
  }
  return result;
}

class Script {
 public:
  Script(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  [[nodiscard]] bool done() const { return at_ == end_; }
  std::int64_t byte() { return done() ? 0 : *at_++; }
  // Mostly near the beginning or near where the chunks of some level meet.
  std::int64_t number(std::int64_t last) {
    const std::int64_t how = byte();
    const std::int64_t near = byte() - 128;
    const int level = static_cast<int>(how % 8);
    const std::int64_t base = how < 64 ? 128 + 256 * (how % 16) : skip_capacity(std::min(level, 6)) * (1 + how / 64);
    return std::clamp<std::int64_t>(base + near, 1, last);
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

struct Acks {
  std::map<std::int64_t, AckChunk> chunks;
  bool load(std::int64_t index, AckChunk& chunk) noexcept {
    const auto found = chunks.find(index);
    if (found == chunks.end()) return false;
    expect(ack_from_bitmaps(stored(found->second.delivered), stored(found->second.read), chunk));
    return true;
  }
};

class Conversation {
 public:
  void take(Script& script) {
    const std::int64_t what = script.byte();
    if (what < 16) {
      last_ = std::max(last_, script.number(std::int64_t{1} << 50));
    } else if (what < 160) {
      change(script, static_cast<SkipKind>(what % 3));
    } else {
      acknowledge(what % 2 == 0 ? Mark::kRead : Mark::kDelivered, script.number(last_ + 1), what < 180);
    }
    ask(script.number(last_));
  }

 private:
  void change(Script& script, SkipKind kind) {
    const std::int64_t a = script.number(last_);
    std::int64_t b = script.byte() < 128 ? a : script.number(last_);
    if (kind == SkipKind::kUncounted) b = std::clamp(b, a - 5000, a + 5000);
    const SkipChange change{std::min(a, b), std::max(a, b), kind};
    skip_apply(table_, last_, {&change, 1});
    assign(segments_, change);
  }

  void acknowledge(Mark mark, std::int64_t number, bool upto) {
    const Positions before = positions_;
    if (upto) {
      mark_upto(positions_, mark, number, last_);
    } else if (ack_is_news(positions_, mark, number, last_)) {
      ack(acks_.chunks[skip_chunk(0, number)], mark, number);
      told_[static_cast<int>(mark)].insert(number);
      if (mark == Mark::kRead) told_[0].insert(number);
    }
    absorb(positions_, acks_, table_, last_);
    for (auto& [index, chunk] : acks_.chunks) ack_drop(chunk, index, positions_);
    std::erase_if(acks_.chunks, [](const auto& chunk) { return ack_is_empty(chunk.second); });
    expect(before.read <= positions_.read && before.delivered <= positions_.delivered);
    expect(positions_.read <= positions_.delivered && positions_.delivered <= last_);
  }
  [[nodiscard]] bool acked(Mark mark, std::int64_t number) {
    if (number <= position(positions_, mark)) return true;
    AckChunk chunk;
    return acks_.load(skip_chunk(0, number), chunk) && ack_holds(chunk, mark, number);
  }

  void ask(std::int64_t number) {
    const std::int64_t rank = skipped(segments_, number);
    const std::int64_t counted = last_ - skipped(segments_, last_);
    expect(skipped_upto(table_, last_, number) == rank);
    expect(skip_kind_of(table_, last_, number) == kind_at(segments_, number));
    expect(live_after(table_, {last_, counted}, number) == counted - (number - rank));
    for (const Mark mark : {Mark::kDelivered, Mark::kRead})
      if (told_[static_cast<int>(mark)].contains(number)) expect(acked(mark, number));
    const std::int64_t next = position(positions_, Mark::kRead) + 1;
    if (next <= last_) expect(!acked(Mark::kRead, next));
  }

  Table table_;
  Segments segments_{{1, SkipKind::kCounted}};
  std::int64_t last_ = 300;
  Positions positions_;
  Acks acks_;
  std::set<std::int64_t> told_[2];
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Conversation conversation;
  for (Script script(data, size); !script.done();) conversation.take(script);
  return 0;
}
