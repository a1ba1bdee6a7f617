#include "core/counters/member_notes.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <new>
#include <string_view>

namespace chatopt::core {
namespace {

constexpr std::size_t kScanned = 16;  // up to so many entries are looked through

std::size_t hash_of(Bytes key) noexcept {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(key.data()), key.size()});
}

bool same(Bytes a, Bytes b) noexcept {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace

MemberNotes::MemberNotes(Memory& memory)
    : entries_(Entries::allocator_type{Allocator<Stored>{&memory}}),
      keys_(Keys::allocator_type{Allocator<std::byte>{&memory}}),
      index_(Allocator<std::uint32_t>{&memory}) {}

MemberNotes::MemberNotes(const MemberNotes& other, Memory& memory)
    : entries_(other.entries_, Entries::allocator_type{Allocator<Stored>{&memory}}),
      keys_(other.keys_, Keys::allocator_type{Allocator<std::byte>{&memory}}),
      index_(other.index_, Allocator<std::uint32_t>{&memory}),
      latest_(other.latest_) {}

void MemberNotes::sent(Bytes member, std::int64_t number) {
  Stored& entry = note(member);
  if (entry.event == Event::kNone)
    entry.sent = std::max(entry.sent, number);
  else if (entry.event == Event::kJoined)
    entry.sent_since_join = std::max(entry.sent_since_join, number);
}

void MemberNotes::joined(Bytes member) { note(member).event = Event::kJoined; }

void MemberNotes::left(Bytes member) { note(member).event = Event::kLeft; }

MemberNotes::Entry MemberNotes::entry(std::size_t place) const noexcept {
  const Stored& entry = entries_[place];
  return {key_of(entry), entry.sent, entry.sent_since_join, entry.event};
}

void MemberNotes::clear() noexcept {
  entries_.clear();
  keys_.clear();
  index_.clear();
  latest_ = 0;
}

std::size_t MemberNotes::find(Bytes member) const noexcept {
  if (index_.empty())
    return static_cast<std::size_t>(std::find_if(entries_.begin(), entries_.end(),
                                                 [&](const Stored& entry) { return same(key_of(entry), member); }) -
                                    entries_.begin());
  const std::size_t mask = index_.size() - 1;
  for (std::size_t slot = hash_of(member) & mask; index_[slot] != 0; slot = (slot + 1) & mask)
    if (same(key_of(entries_[index_[slot] - 1]), member)) return index_[slot] - 1;
  return entries_.size();
}

MemberNotes::Stored& MemberNotes::note(Bytes member) {
  if (latest_ < entries_.size() && same(key_of(entries_[latest_]), member)) return entries_[latest_];
  const std::size_t place = find(member);
  if (place == entries_.size()) add(member);
  latest_ = place;
  return entries_[place];
}

// Whatever may fail comes before what could be half done.
void MemberNotes::add(Bytes member) {
  const std::size_t place = entries_.size();
  if (place >= std::numeric_limits<std::uint32_t>::max() || member.size() > std::numeric_limits<std::uint32_t>::max())
    throw std::bad_alloc();
  if (place >= kScanned && 2 * (place + 1) > index_.size()) widen_index();
  if (place == entries_.capacity()) entries_.reserve(2 * place + 8);
  const std::size_t key = keys_.size();
  keys_.insert(keys_.end(), member.begin(), member.end());
  entries_.push_back({0, 0, key, static_cast<std::uint32_t>(member.size()), Event::kNone});
  if (!index_.empty()) link(index_, place);
}

void MemberNotes::widen_index() {
  Vector<std::uint32_t> wider(std::max(2 * index_.size(), 4 * kScanned), 0, index_.get_allocator());
  for (std::size_t place = 0; place < entries_.size(); ++place) link(wider, place);
  index_.swap(wider);
}

void MemberNotes::link(Vector<std::uint32_t>& index, std::size_t place) const noexcept {
  const std::size_t mask = index.size() - 1;
  std::size_t slot = hash_of(key_of(entries_[place])) & mask;
  while (index[slot] != 0) slot = (slot + 1) & mask;
  index[slot] = static_cast<std::uint32_t>(place + 1);
}

}  // namespace chatopt::core
