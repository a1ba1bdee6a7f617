// What one transaction knows about the conversations it has sent to, and has
// not written yet: numbers handed out, rows that landed, changes to counters.
//
// Pure: no PostgreSQL, no clock, no I/O. The glue in src/counters locks and
// writes counter rows; this decides which number comes next, what a statement
// changed, and what a rolled back savepoint takes back.
//
// Words used here:
//   statement  one run of the executor, named by a tag its caller chooses
//   handed out a number was given to a row that has not landed yet
//   landed     the row is stored; a row may be dropped between the two
//              (ON CONFLICT DO NOTHING, a later trigger)
//   counted    the row satisfies the chat's message_counted condition
//   depth      the nesting level of the (sub)transaction, 1 outermost
//   tracked    of a target whose reads are kept: more is noted (tracked_notes.hpp)
//
// Invariants:
//   - last is the greatest number that landed, or that the row held when read;
//     high >= last is the greatest number handed out.
//   - a number that was handed out and did not land is handed out again by the
//     same statement, smallest first, and forgotten when the statement ends.
//   - rolling back depth d restores every counter as it was when d began.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string_view>

#include <boost/container/deque.hpp>
#include <boost/container/small_vector.hpp>
#include <boost/unordered_map.hpp>

#include "core/counters/memory.hpp"
#include "core/counters/number_set.hpp"
#include "core/counters/tracked_notes.hpp"

namespace chatopt::core {

// A value of the database, copied: keys of 24 bytes and less without allocation.
class Image {
 public:
  explicit Image(Memory& memory) : bytes_(Storage::allocator_type{Allocator<std::byte>{&memory}}) {}
  Image(const Image& other, Memory& memory) : Image(memory) { *this = other; }
  Image(const Image&) = delete;
  Image(Image&&) = delete;
  Image& operator=(Image&&) = delete;
  ~Image() = default;
  Image& operator=(const Image& other) {
    if (this != &other) set(other.bytes(), other.null_);
    return *this;
  }

  void set(Bytes bytes, bool null = false) {
    bytes_.assign(bytes.begin(), bytes.end());
    null_ = null;
  }
  [[nodiscard]] Bytes bytes() const noexcept { return {bytes_.data(), bytes_.size()}; }
  [[nodiscard]] bool null() const noexcept { return null_; }

 private:
  using Storage = boost::container::small_vector<std::byte, 24, Allocator<std::byte>>;
  Storage bytes_;
  bool null_ = true;
};

// Where a row is stored: opaque to the core. Not known where relation is 0.
struct RowLocation {
  std::uint64_t place = 0;
  std::uint32_t relation = 0;
  [[nodiscard]] bool known() const noexcept { return relation != 0; }
};

// A message row as the counters see it. Key and time are given, or can be read
// from where the row is. Empty bytes with time_null set is SQL NULL.
struct Message {
  std::int64_t number = 0;
  bool counted = false;
  RowLocation row;
  Bytes key;
  Bytes time;
  bool time_null = true;
  bool sender_null = true;
  Bytes sender;
  // Whom it mentions, in any form that is another when others are mentioned; empty: nobody. Not looked at where
  // nobody keeps mentions.
  bool mentions_kept = false;
  Bytes mentions;
};

// The message with the greatest number of its kind; number 0 means none.
struct Greatest {
  explicit Greatest(Memory& memory) : key(memory), time(memory) {}
  Greatest(const Greatest& other, Memory& memory)
      : number(other.number), row(other.row), key(other.key, memory), time(other.time, memory) {}
  void raise(const Message& message);
  void clear() noexcept { number = 0; }

  std::int64_t number = 0;
  RowLocation row;  // where key and time are to be read; else they are here
  Image key;
  Image time;
};

// What has changed for one conversation since its counter row was last written.
struct Notes {
  explicit Notes(Memory& memory)
      : came(memory), went(memory), removed(memory), removed_uncounted(memory) {}
  Notes(const Notes& other, Memory& memory)
      : any(other.any),
        unsure(other.unsure),
        messages(other.messages),
        members(other.members),
        came(other.came, memory),
        went(other.went, memory),
        removed(other.removed, memory),
        removed_uncounted(other.removed_uncounted, memory),
        tracked(copied(other.tracked, memory)) {}
  void clear() noexcept;

  bool any = false;
  bool unsure = false;        // which message is the last takes a look at the table
  std::int64_t messages = 0;  // change of message_count
  std::int64_t members = 0;   // change of member_count
  Greatest came;              // greatest number that became counted, or changed its key or time
  Greatest went;              // greatest number that stopped being counted, or had another key or time
  NumberSet removed;
  NumberSet removed_uncounted;
  TrackedNotesPointer tracked;  // of a tracked counter; null: nothing more to note
};

class Counter {
 public:
  Counter(std::uint32_t target, Bytes key, Memory& memory);
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  [[nodiscard]] std::uint32_t target() const noexcept { return target_; }
  [[nodiscard]] Bytes key() const noexcept { return key_.bytes(); }
  [[nodiscard]] bool locked() const noexcept { return state_->locked; }
  [[nodiscard]] bool filled() const noexcept { return state_->filled; }
  [[nodiscard]] RowLocation row() const noexcept { return state_->row; }
  [[nodiscard]] std::int64_t last() const noexcept { return state_->last; }
  // No greater number can be handed out.
  [[nodiscard]] bool exhausted() const noexcept {
    return state_->high == std::numeric_limits<std::int64_t>::max() && state_->unlanded.empty();
  }
  [[nodiscard]] const Notes& notes() const noexcept { return state_->notes; }
  [[nodiscard]] bool tracked() const noexcept { return tracked_; }
  // Null: nothing noted. Always null where not tracked.
  [[nodiscard]] const TrackedNotes* tracked_notes() const noexcept { return state_->notes.tracked.get(); }

 private:
  friend class Ledger;
  struct Free {
    std::int64_t number;
    std::uint64_t statement;  // that was given it
  };
  using Numbers = boost::container::small_vector<Free, 1, Allocator<Free>>;
  // Up to 512 bytes; palloc would make 1024 of any more.
  struct State {
    explicit State(Memory& memory)
        : unlanded(Numbers::allocator_type{Allocator<Free>{&memory}}), notes(memory) {}
    State(const State& other, Memory& memory);
    void blank() noexcept;

    bool locked = false;
    bool filled = false;
    RowLocation row;
    std::int64_t last = 0;
    std::int64_t high = 0;
    Numbers unlanded;  // handed out, not landed, free for the next row; ascending
    Notes notes;
  };

  std::uint32_t target_;
  Image key_;
  int depth_ = 0;        // the depth that changed it last; 0: none yet
  bool listed_ = false;  // in the ledger's list of counters to look at when a statement ends
  bool tracked_ = false;
  State* state_;         // exchanged for a copy at a deeper depth, and back by its roll back
};

class Ledger {
 public:
  using Tag = std::uint64_t;

  explicit Ledger(Memory& memory);
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // Every change below is made at this depth. O(1).
  void set_depth(int depth) noexcept { depth_ = depth; }

  // The counter of a conversation, made when it is not there. Stable address. O(1).
  Counter& counter(std::uint32_t target, Bytes key);
  [[nodiscard]] std::size_t size() const noexcept { return counters_.size(); }
  // Grows whenever counters are forgotten, so that kept addresses can be checked.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

  // More is noted from now on of the counters of this target, which stays so: a
  // roll back does not take it back.
  void track(std::uint32_t target);

  // The counter row was locked and read. last is ignored when it is not filled.
  void row_locked(Counter& counter, RowLocation row, bool filled, std::int64_t last);
  void row_gone(Counter& counter);
  // Counter tables may have been rewritten: rows are to be found again by their
  // keys, and what is not waiting to be written is to be read again.
  void forget_rows() noexcept;

  // Numbers. The counter must be locked and filled.
  // The previous row of this statement did not land: takes its number back, and
  // returns it (0: there was none, or it landed).
  std::int64_t reclaim(Tag statement);
  std::int64_t hand_out(Counter& counter, Tag statement);
  // True, and handed out again, when this number is one the statement gave before.
  bool hand_out_again(Counter& counter, Tag statement, std::int64_t number);
  // Was it handed out by a statement under way, and did its row not land?
  [[nodiscard]] static bool is_free(const Counter& counter, std::int64_t number) noexcept;
  // A number that the row brings with it: moved within the conversation, or imported.
  void hand_out_given(Counter& counter, Tag statement, std::int64_t number);
  // Was a row with this number removed since the counter row was last written?
  [[nodiscard]] static bool was_removed(const Counter& counter, std::int64_t number) noexcept {
    return counter.state_->notes.removed.contains(number);
  }

  // Does a message mention others after a change than before?
  [[nodiscard]] static bool mentions_others(const Message& before, const Message& after) noexcept;

  // A row that gets no number: it has no conversation, or one that is not filled.
  void pass(Tag statement);

  // Rows.
  // The row handed out last landed, when it is the only one under way, so that
  // it can be no other. False: there are more, and landed() has to be told which.
  // Who sent it is not noted.
  bool sole_landed(RowLocation row, bool counted);
  // False when the number was not handed out by hand_out*.
  bool landed(Counter& counter, const Message& message);
  void passed_landed() noexcept;
  void removed(Counter& counter, const Message& message);
  // A message that was removed before the counter row was last written is there
  // again, with its number.
  void restored(Counter& counter, const Message& message);
  void changed(Counter& counter, const Message& before, const Message& after);
  void members_changed(Counter& counter, std::int64_t by);
  void messages_changed(Counter& counter, std::int64_t by);
  // The message with this number mentions others than before, as somebody else says; of a tracked conversation.
  void mentions_changed(Counter& counter, std::int64_t number);
  // A member of a tracked conversation; of others nothing is noted. member_count
  // is members_changed()'s.
  void member_joined(Counter& counter, Bytes member);
  void member_left(Counter& counter, Bytes member);

  // Statements.
  // True the first time it is asked for a statement: the caller then arranges
  // for the counters to be written when the statement ends.
  bool first_note(Tag statement);
  // The statement's rows are all through.
  void rows_done(Tag statement) noexcept;
  void statement_ended(Tag statement) noexcept;
  // The counters with notes, which are to be written: how many, and a copy into room for as many.
  [[nodiscard]] std::size_t noted_count() const noexcept;
  void noted(std::span<Counter*> out) const noexcept;
  // The counter row was written: its notes are done with.
  void written(Counter& counter, RowLocation row);
  void drop_notes(Counter& counter);
  // After a write: forgets the counters kept only to find their rows again, when
  // there are more than this many and nothing is under way.
  void shrink(std::size_t limit);

  // A conversation's key changed: what is known and noted under the old one goes
  // on under the new one.
  void renamed(std::uint32_t target, Bytes from, Bytes to);
  // The counter of the conversation that had this key, if it has another now and
  // nobody has taken the old one since.
  Counter& renamed_counter(Counter& counter);
  [[nodiscard]] bool was_renamed(std::uint32_t target, Bytes from, Bytes to) const noexcept;

  void commit_depth(int depth) noexcept;
  void abort_depth(int depth) noexcept;

 private:
  struct Key {
    std::uint32_t target;
    std::string_view bytes;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<std::string_view>{}(key.bytes) ^ (key.target * 0x9e3779b97f4a7c15ULL);
    }
  };
  struct HandedOut {
    Tag statement;
    Counter* counter;  // NULL: a row without a number
    std::int64_t number;
    int depth;
    bool given;  // the row brought it: it goes back to nobody
  };
  struct Saved {
    Counter* counter;
    int depth;         // rolled back with this depth
    int before_depth;  // the counter's own depth before
    Counter::State* state;
  };
  struct Renamed {
    std::uint32_t target;
    Image from;
    Image to;
    int depth;
    Renamed(std::uint32_t t, Bytes f, Bytes o, int d, Memory& memory)
        : target(t), from(memory), to(memory), depth(d) {
      from.set(f);
      to.set(o);
    }
  };

  [[nodiscard]] bool tracks(std::uint32_t target) const noexcept;
  TrackedNotes& noted_more(Counter& counter);
  void track_landing(Counter& counter, const Message& message);
  void track_change(Counter& counter, const Message& before, const Message& after);
  static void came_no_more(Notes& notes, std::int64_t number) noexcept;
  static Key key_of(const Counter& counter) noexcept;
  void touch(Counter& counter);  // before every change: saves the state for a roll back, lists it
  void note(Counter& counter) { touch(counter); counter.state_->notes.any = true; }
  void push(Counter* counter, Tag statement, std::int64_t number, bool given);
  void land(const HandedOut& entry, const Message& message);
  void settle(Counter& counter) noexcept;  // high is what is out, or may go out again
  Counter* find(std::uint32_t target, Bytes key) const noexcept;

  Memory& memory_;
  int depth_ = 1;
  std::uint64_t epoch_ = 0;
  boost::unordered_map<Key, Counter*, KeyHash, std::equal_to<>, Allocator<std::pair<const Key, Counter*>>> counters_;
  Vector<Counter*> listed_;
  Vector<HandedOut> handed_out_;
  Vector<Saved> saved_;
  Vector<Tag> statements_;
  Vector<std::uint32_t> tracked_;  // targets
  boost::container::deque<Renamed, Allocator<Renamed>> renamed_;
};

}  // namespace chatopt::core
