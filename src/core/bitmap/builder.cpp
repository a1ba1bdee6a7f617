#include "core/bitmap/builder.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

#include "core/bitmap/bitmap.hpp"
#include "core/bitmap/block.hpp"
#include "core/bitmap/chunks.hpp"
#include "core/bitmap/kernels.hpp"
#include "core/bitmap/sweep.hpp"

namespace chatopt::core {

namespace {

using bytes::Change;
using bytes::change_bits;

constexpr std::uint32_t kLastOfChunk = kChunkMembers - 1;
constexpr std::uint32_t kLeastRuns = 4;
constexpr std::uint32_t kLeastWindow = 16;
constexpr std::uint32_t kSmallWindow = 64;
// Bits are worth it from so many bytes a run on. A run came as a byte at least: that is how far memory can exceed
// what was put in.
constexpr std::size_t kBytesARun = 32;

struct Window {
  std::uint32_t base;
  std::uint32_t size;
};
Window window(std::uint32_t from, std::uint32_t to) noexcept {
  std::uint32_t size = kLeastWindow;
  while (from / size != to / size) size *= 2;
  return {from / size * size, size};
}

}  // namespace

// The runs of a chunk that keeps them as such.
class Builder::ListedBounds {
 public:
  explicit ListedBounds(const Chunk& chunk) noexcept : at_(chunk.runs()), end_(at_ + chunk.size) {}
  bool next(Run& run) noexcept {
    if (at_ == end_) return false;
    run = {at_->first, at_->last};
    ++at_;
    return true;
  }

 private:
  const Bounds* at_;
  const Bounds* end_;
};

// The maximal runs of a builder, ascending.
class BuilderRuns {
 public:
  explicit BuilderRuns(const Builder& builder) noexcept : builder_(&builder) {}
  bool next(Run& run) noexcept {
    if (has_pending_) {
      run = pending_;
      has_pending_ = false;
    } else if (!piece(run)) {
      return false;
    }
    while (run.last % kChunkMembers == kLastOfChunk && piece(pending_)) {
      if (pending_.first != run.last + 1) {
        has_pending_ = true;
        break;
      }
      run.last = pending_.last;
    }
    return true;
  }

 private:
  bool piece(Run& run) noexcept {
    while (true) {
      if (in_chunk(run)) {
        run.first += offset_;
        run.last += offset_;
        return true;
      }
      const bool more_keys = key_ < builder_->keys_.size();
      const bool more_full = full_ < builder_->full_.size();
      if (!more_keys && !more_full) return false;
      if (more_full && (!more_keys || builder_->full_[full_].first <= builder_->keys_[key_] >> 16)) {
        const Run chunks = builder_->full_[full_++];
        run = {chunks.first * kChunkMembers, chunks.last * kChunkMembers + kLastOfChunk};
        return true;
      }
      open();
    }
  }
  void open() noexcept {
    const std::uint32_t key = builder_->keys_[key_++];
    const Builder::Chunk& chunk = builder_->slots_[key & 0xFFFF];
    offset_ = (key >> 16) * kChunkMembers;
    if (chunk.kind == Builder::Chunk::Kind::kBits) bits_ = BlockRuns(chunk.base, {chunk.bits(), chunk.size});
    if (chunk.kind == Builder::Chunk::Kind::kRuns) {
      listed_ = chunk.runs();
      listed_end_ = listed_ + chunk.size;
    }
  }
  bool in_chunk(Run& run) noexcept {
    if (listed_ != listed_end_) {
      run = {listed_->first, listed_->last};
      ++listed_;
      return true;
    }
    return bits_.next(run);
  }

  const Builder* builder_;
  std::size_t key_ = 0;
  std::size_t full_ = 0;
  std::uint32_t offset_ = 0;
  BlockRuns bits_;
  const Builder::Bounds* listed_ = nullptr;
  const Builder::Bounds* listed_end_ = nullptr;
  Run pending_{0, 0};
  bool has_pending_ = false;
};

// Chunks

std::size_t Builder::lower_key(std::uint32_t number) const noexcept {
  const auto at = std::lower_bound(keys_.begin(), keys_.end(), number << 16);
  return static_cast<std::size_t>(at - keys_.begin());
}

bool Builder::is_full(std::uint32_t number) const noexcept {
  if (full_.empty()) return false;
  const auto after = std::upper_bound(full_.begin(), full_.end(), number,
                                      [](std::uint32_t wanted, const Run& run) { return wanted < run.first; });
  return after != full_.begin() && number <= std::prev(after)->last;
}

Builder::Chunk& Builder::chunk(std::uint32_t number) {
  if (recent_ >> 16 == number) return slots_[recent_ & 0xFFFF];
  const std::size_t at = lower_key(number);
  if (at == keys_.size() || keys_[at] >> 16 != number) {
    slots_.emplace_back();
    const auto key = number << 16 | static_cast<std::uint32_t>(slots_.size() - 1);
    keys_.insert(keys_.begin() + static_cast<std::ptrdiff_t>(at), key);
  }
  recent_ = keys_[at];
  return slots_[recent_ & 0xFFFF];
}

void Builder::discard(Chunk& chunk) noexcept {
  if (chunk.kind != Chunk::Kind::kNone) {
    const std::size_t size = chunk.capacity * (chunk.kind == Chunk::Kind::kRuns ? sizeof(Bounds) : 1);
    memory().deallocate(chunk.data, size, alignof(std::uint64_t));
    allocated_ -= size;
  }
  chunk = {};
}

void Builder::grow_runs(Chunk& chunk, std::uint32_t capacity) {
  Chunk larger = chunk;
  larger.data = memory().allocate(capacity * sizeof(Bounds), alignof(std::uint64_t));
  larger.capacity = capacity;
  larger.kind = Chunk::Kind::kRuns;
  allocated_ += capacity * sizeof(Bounds);
  if (chunk.size > 0) std::memcpy(larger.data, chunk.data, chunk.size * sizeof(Bounds));
  discard(chunk);
  chunk = larger;
}

void Builder::to_runs(Chunk& chunk) {
  const std::uint64_t count = kernels::table().count_runs(chunk.bits(), chunk.size, UINT64_MAX);
  Chunk listed;
  grow_runs(listed, std::max(kLeastRuns, static_cast<std::uint32_t>(count) + 1));
  BlockRuns runs(chunk.base, {chunk.bits(), chunk.size});
  for (Run run; runs.next(run);)
    listed.runs()[listed.size++] = {static_cast<std::uint16_t>(run.first), static_cast<std::uint16_t>(run.last)};
  discard(chunk);
  chunk = listed;
}

// Makes the chunk bits that reach from byte from to byte to at least, if that is worth it.
bool Builder::to_bits(Chunk& chunk, std::uint32_t from, std::uint32_t to, std::size_t more_runs) {
  std::size_t runs = more_runs;
  if (chunk.kind == Chunk::Kind::kBits) {
    if (from >= chunk.base && to < chunk.base + chunk.size) return true;
    from = std::min<std::uint32_t>(from, chunk.base);
    to = std::max(to, chunk.base + chunk.size - 1);
    runs += kernels::table().count_runs(chunk.bits(), chunk.size, kChunkMembers);
  } else if (chunk.size > 0) {
    from = std::min<std::uint32_t>(from, chunk.runs()[0].first / 8);
    to = std::max<std::uint32_t>(to, chunk.runs()[chunk.size - 1].last / 8);
    runs += chunk.size;
  }
  const Window wanted = window(from, to);
  if (wanted.size > kSmallWindow && wanted.size > kBytesARun * runs) return false;
  Chunk larger;
  larger.data = memory().allocate(wanted.size, alignof(std::uint64_t));
  allocated_ += wanted.size;
  larger.size = larger.capacity = wanted.size;
  larger.base = static_cast<std::uint16_t>(wanted.base);
  larger.kind = Chunk::Kind::kBits;
  std::memset(larger.data, 0, wanted.size);
  if (chunk.kind == Chunk::Kind::kBits) std::memcpy(larger.bits() + (chunk.base - wanted.base), chunk.data, chunk.size);
  if (chunk.kind == Chunk::Kind::kRuns) {
    for (const Bounds& run : std::span(chunk.runs(), chunk.size))
      change_bits<Change::kSet>(larger.bits(), run.first - wanted.base * 8, run.last - wanted.base * 8);
  }
  discard(chunk);
  chunk = larger;
  return true;
}

void Builder::add_run(Chunk& chunk, std::uint32_t first, std::uint32_t last) {
  Bounds* const begin = chunk.runs();
  Bounds* const end = begin + chunk.size;
  // Those that touch the new one: from … to.
  Bounds* from = end;
  if (chunk.size > 0 && end[-1].last + 1U >= first)
    from = std::lower_bound(begin, end, first, [](const Bounds& run, std::uint32_t at) { return run.last + 1U < at; });
  Bounds* to = from;
  while (to != end && to->first <= last + 1) ++to;
  if (from == to) {
    if (chunk.size == chunk.capacity) {
      const auto at = static_cast<std::size_t>(from - begin);
      if (to_bits(chunk, first / 8, last / 8, 1)) return add_to(chunk, first, last);
      grow_runs(chunk, std::max(kLeastRuns, chunk.capacity * 2));
      from = chunk.runs() + at;
    }
    std::memmove(from + 1, from, static_cast<std::size_t>(chunk.runs() + chunk.size - from) * sizeof(Bounds));
    *from = {static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)};
    ++chunk.size;
    return;
  }
  from->last = static_cast<std::uint16_t>(std::max<std::uint32_t>(last, to[-1].last));
  from->first = static_cast<std::uint16_t>(std::min<std::uint32_t>(first, from->first));
  std::memmove(from + 1, to, static_cast<std::size_t>(end - to) * sizeof(Bounds));
  chunk.size -= static_cast<std::uint32_t>(to - from) - 1;
}

void Builder::add_to(Chunk& chunk, std::uint32_t first, std::uint32_t last) {
  if (chunk.kind != Chunk::Kind::kRuns) {
    if (to_bits(chunk, first / 8, last / 8, 1)) {
      change_bits<Change::kSet>(chunk.bits(), first - chunk.base * 8U, last - chunk.base * 8U);
      return;
    }
    if (chunk.kind == Chunk::Kind::kBits)
      to_runs(chunk);
    else
      grow_runs(chunk, kLeastRuns);
  }
  add_run(chunk, first, last);
}

void Builder::add(std::uint32_t number, std::uint32_t first, std::uint32_t last) {
  if (is_full(number)) return;
  if (first == 0 && last == kLastOfChunk) return add_full(number, number);
  add_to(chunk(number), first, last);
}

void Builder::add_full(std::uint32_t first, std::uint32_t last) {
  auto from = std::lower_bound(full_.begin(), full_.end(), first,
                               [](const Run& run, std::uint32_t at) { return run.last + 1 < at; });
  auto to = from;
  while (to != full_.end() && to->first <= last + 1) ++to;
  if (from == to) {
    full_.insert(from, {first, last});
  } else {
    if (from->first <= first && last <= from->last) return;
    *from = {std::min(first, from->first), std::max(last, std::prev(to)->last)};
    full_.erase(std::next(from), to);
  }
  for (std::size_t at = lower_key(first); at < keys_.size() && keys_[at] >> 16 <= last; ++at)
    discard(slots_[keys_[at] & 0xFFFF]);
}

// Sets

void Builder::insert(Member member) {
  const std::uint32_t number = member / kChunkMembers;
  const std::uint32_t within = member % kChunkMembers;
  if (recent_ >> 16 == number) {
    const Chunk& chunk = slots_[recent_ & 0xFFFF];
    if (chunk.kind == Chunk::Kind::kBits && within / 8 - chunk.base < chunk.size) {
      chunk.bits()[within / 8 - chunk.base] |= static_cast<std::byte>(1U << (within % 8));
      return;
    }
  }
  add(number, within, within);
}

void Builder::insert_range(Member first, Member last) {
  std::uint32_t from = first / kChunkMembers;
  std::uint32_t to = last / kChunkMembers;
  const std::uint32_t begin = first % kChunkMembers;
  const std::uint32_t end = last % kChunkMembers;
  if (from == to) return add(from, begin, end);
  if (begin != 0) add(from++, begin, kLastOfChunk);
  if (end != kLastOfChunk) {
    add(to, 0, end);
    if (to == from) return;
    --to;
  }
  if (from <= to) add_full(from, to);
}

void Builder::merge_bits(std::uint32_t number, std::uint32_t base, Bytes bits) {
  if (is_full(number)) return;
  Chunk& target = chunk(number);
  const auto last = base + static_cast<std::uint32_t>(bits.size()) - 1;
  if (to_bits(target, base, last, 1 + bits.size() / 4)) {
    std::byte* const to = target.bits() + (base - target.base);
    if (bits.size() < 8)
      bytes::store_some(to, bytes::load_some(to, bits.size()) | bytes::load_some(bits.data(), bits.size()),
                        bits.size());
    else
      kernels::table().unite(to, to, bits.data(), bits.size());
    return;
  }
  BlockRuns runs(base, bits);
  for (Run run; runs.next(run);) add_to(target, run.first, run.last);
}

void Builder::merge_block(std::uint32_t number, Form form, Bytes payload) {
  if (form == Form::kBits) {
    const Bits bits = bits_of(payload);
    return merge_bits(number, bits.base, {bits.data, bits.size});
  }
  BlockRuns runs(form, payload);
  for (Run run; runs.next(run);) add(number, run.first, run.last);
}

void Builder::merge(Bytes set) {
  const Form form = form_of(set);
  if (form == Form::kChunks) {
    const ChunkedView view(set);
    for (std::uint32_t i = 0; i < view.count(); ++i) merge_block(view.number(i), view.form(i), view.payload(i));
    return;
  }
  if (form == Form::kBits) {
    const Bits bits = bits_of(set.subspan(1));
    const auto number = static_cast<std::uint32_t>(bits.base / kChunkBytes);
    if (number == (bits.end() - 1) / kChunkBytes)
      return merge_bits(number, bits.base % kChunkBytes, {bits.data, bits.size});
  }
  BlockRuns runs(form, set.subspan(1));
  for (Run run; runs.next(run);) insert_range(run.first, run.last);
}

void Builder::intersect_chunk(Chunk& chunk, Form form, Bytes payload) {
  if (chunk.kind == Chunk::Kind::kRuns) {
    std::uint32_t runs = 0;
    sweep<SetOperation::kIntersection>(ListedBounds(chunk), BlockRuns(form, payload), [&runs](Run) {
      ++runs;
      return true;
    });
    Chunk kept;
    grow_runs(kept, std::max(kLeastRuns, runs));
    sweep<SetOperation::kIntersection>(ListedBounds(chunk), BlockRuns(form, payload), [&kept](Run run) {
      kept.runs()[kept.size++] = {static_cast<std::uint16_t>(run.first), static_cast<std::uint16_t>(run.last)};
      return true;
    });
    discard(chunk);
    chunk = kept;
  } else if (chunk.kind == Chunk::Kind::kBits) {
    std::uint32_t at = chunk.base * 8U;
    const std::uint32_t end = at + chunk.size * 8;
    const std::uint32_t start = at;
    BlockRuns runs(form, payload);
    for (Run run; at < end && runs.next(run);) {
      if (run.first > at) change_bits<Change::kClear>(chunk.bits(), at - start, std::min(run.first, end) - 1 - start);
      at = std::max(at, run.last + 1);
    }
    if (at < end) change_bits<Change::kClear>(chunk.bits(), at - start, end - 1 - start);
  }
}

void Builder::intersect(Bytes set) {
  if (bitmap_is_empty(set)) return clear();
  ChunkCursor cursor(set);
  for (const std::uint32_t key : keys_) {
    Chunk& chunk = slots_[key & 0xFFFF];
    if (chunk.kind == Chunk::Kind::kNone) continue;
    cursor.seek(key >> 16);
    if (cursor.done() || cursor.number() != key >> 16) {
      discard(chunk);
      continue;
    }
    const ChunkCursor::Block block = cursor.block();
    intersect_chunk(chunk, block.form, block.payload);
  }
  if (full_.empty()) return;
  const std::pmr::vector<Run> full = std::move(full_);
  full_.clear();
  ChunkCursor rest(set);
  for (const Run& chunks : full) {
    for (rest.seek(chunks.first); !rest.done() && rest.number() <= chunks.last; rest.next()) {
      const ChunkCursor::Block block = rest.block();
      merge_block(rest.number(), block.form, block.payload);
    }
  }
}

void Builder::clear() noexcept {
  for (Chunk& chunk : slots_) discard(chunk);
  slots_.clear();
  keys_.clear();
  full_.clear();
  recent_ = UINT32_MAX;
}

// What it holds

bool Builder::empty() const noexcept {
  Run run;
  return !BuilderRuns(*this).next(run);
}

std::uint64_t Builder::chunk_cardinality(const Chunk& chunk) noexcept {
  if (chunk.kind == Chunk::Kind::kBits) return kernels::table().count(chunk.bits(), chunk.size);
  std::uint64_t result = 0;
  for (std::uint32_t i = 0; i < chunk.size; ++i)
    result += chunk.runs()[i].last - chunk.runs()[i].first + std::uint64_t{1};
  return result;
}

Count Builder::cardinality() const noexcept {
  std::uint64_t result = 0;
  for (const Chunk& chunk : slots_) result += chunk_cardinality(chunk);
  for (const Run& chunks : full_) result += (chunks.last - chunks.first + std::uint64_t{1}) * kChunkMembers;
  return static_cast<Count>(result);
}

std::size_t Builder::bound() const noexcept {
  Choice choice;
  if (core::is_flat(BuilderRuns(*this), choice)) return 1 + choice.size;
  std::size_t result = kPrefixSize;
  for (const Chunk& chunk : slots_) {
    if (chunk.kind == Chunk::Kind::kNone) continue;
    // A run within a chunk takes two numbers of 3 bytes at most.
    const std::size_t size =
        chunk.kind == Chunk::Kind::kBits ? 2 + std::size_t{chunk.size} : 6 * std::size_t{chunk.size};
    result += kDirectoryEntrySize + std::min(kMaxBlockSize, size);
  }
  for (const Run& chunks : full_) result += (chunks.last - chunks.first + std::size_t{1}) * (kDirectoryEntrySize + 6);
  return result;
}

std::size_t Builder::write(std::byte* out) const noexcept {
  Choice flat;
  if (core::is_flat(BuilderRuns(*this), flat)) {
    *out = format_byte(flat.form);
    return static_cast<std::size_t>(write_block(flat, BuilderRuns(*this), out + 1) - out);
  }
  std::size_t chunks = 0;
  for (const Chunk& chunk : slots_) chunks += chunk_cardinality(chunk) > 0 ? 1 : 0;
  for (const Run& run : full_) chunks += run.last - run.first + std::size_t{1};
  ChunkWriter writer(out, chunks);
  const auto write_full = [&writer](const Run& run) {
    const Run whole{0, kLastOfChunk};
    const Choice choice = choice_of(ListedRuns(&whole, &whole + 1));
    for (std::uint32_t number = run.first; number <= run.last; ++number) {
      write_block(choice, ListedRuns(&whole, &whole + 1), writer.next());
      writer.add(number, choice);
    }
  };
  auto full = full_.begin();
  for (const std::uint32_t key : keys_) {
    const Chunk& chunk = slots_[key & 0xFFFF];
    for (; full != full_.end() && full->first <= key >> 16; ++full) write_full(*full);
    if (chunk.kind == Chunk::Kind::kBits) {
      const Bits bits = trimmed({chunk.base, chunk.bits(), chunk.size});
      if (bits.size == 0) continue;
      const Choice choice = choose_bits(bits);
      write_bits(choice, bits, writer.next());
      writer.add(key >> 16, choice);
    } else if (chunk.kind == Chunk::Kind::kRuns && chunk.size > 0) {
      const Choice choice = choice_of(ListedBounds(chunk));
      write_block(choice, ListedBounds(chunk), writer.next());
      writer.add(key >> 16, choice);
    }
  }
  for (; full != full_.end(); ++full) write_full(*full);
  return writer.finish();
}

std::size_t Builder::memory_used() const noexcept {
  return allocated_ + keys_.capacity() * sizeof(keys_[0]) + slots_.capacity() * sizeof(Chunk) +
         full_.capacity() * sizeof(Run);
}

}  // namespace chatopt::core
