// What members of one conversation did since its counter row was last written:
// who joined and who left, and the greatest number each of them sent.
//
// One entry a member, in the order in which they first appeared. All of them are
// applied at the end of a statement, where every join and leave happens at the
// same last number. So of a member's events no more matters than this:
//   - up to its first join or leave, the membership that is stored tells whether
//     what it sent counts for it: sent is the greatest number of that time;
//   - after a join it is a member, whatever is stored: sent_since_join is the
//     greatest number of that time;
//   - after a leave it is not: what it sent then is not kept;
//   - of joins and leaves only the last one stands. Leaving and joining again at
//     the same last number changes nothing, so it need not be told.
// To apply an entry in this order comes to the same as to apply the events one by
// one ("raise": the own messages up to that number are read):
//   1. member now?        raise to sent
//   2. event is kJoined:  join, or join again where it left at this last number;
//                         raise to sent_since_join
//      event is kLeft:    member, or has it left at this last number? raise to
//                         sent_since_join; leave
// There is one difference, and nobody can see it: who was no member, joined and
// left has not been one, while event by event it would get a membership from last
// to last, which holds no number.
//
// Not thread-safe, no I/O.
#pragma once

#include <cstddef>
#include <cstdint>

#include <boost/container/small_vector.hpp>

#include "core/counters/memory.hpp"

namespace chatopt::core {

class MemberNotes {
 public:
  enum class Event : std::uint8_t { kNone, kJoined, kLeft };
  struct Entry {
    Bytes member;                  // valid until the next change
    std::int64_t sent;             // 0: none
    std::int64_t sent_since_join;  // 0: none
    Event event;                   // the last one
  };

  explicit MemberNotes(Memory& memory);
  MemberNotes(const MemberNotes& other, Memory& memory);
  MemberNotes(const MemberNotes&) = delete;
  MemberNotes& operator=(const MemberNotes&) = delete;
  ~MemberNotes() = default;

  // O(1), expected; the member noted last takes no look-up. May throw
  // std::bad_alloc, and then have changed nothing.
  void sent(Bytes member, std::int64_t number);
  void joined(Bytes member);
  void left(Bytes member);

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] Entry entry(std::size_t place) const noexcept;
  void clear() noexcept;

 private:
  struct Stored {
    std::int64_t sent;
    std::int64_t sent_since_join;
    std::size_t key;  // where in keys_ it begins
    std::uint32_t key_size;
    Event event;
  };
  // One sender with a key of the usual size is the ordinary case.
  using Entries = boost::container::small_vector<Stored, 1, Allocator<Stored>>;
  using Keys = boost::container::small_vector<std::byte, 24, Allocator<std::byte>>;

  [[nodiscard]] Bytes key_of(const Stored& entry) const noexcept { return {keys_.data() + entry.key, entry.key_size}; }
  [[nodiscard]] std::size_t find(Bytes member) const noexcept;  // size(): not there
  Stored& note(Bytes member);
  void add(Bytes member);
  void widen_index();
  void link(Vector<std::uint32_t>& index, std::size_t place) const noexcept;

  Entries entries_;
  Keys keys_;
  // Open addressing, place + 1 or 0, at most half full; empty while there are few entries.
  Vector<std::uint32_t> index_;
  std::size_t latest_ = 0;  // the entry noted last
};

}  // namespace chatopt::core
