// Random operations against a twin that keeps a full copy of its state for every
// savepoint; against a table whose last message is known; and with memory failing.
#include "core/counters/ledger.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../support/arena.hpp"
#include "../support/messages.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

// The naive twin: maps, sets and strings, everything copied when a depth begins.

struct TwinGreatest {
  std::int64_t number = 0;
  RowLocation row;
  std::string key;
  std::string time;
  bool time_null = true;
  void raise(const Message& message) {
    if (message.number >= number)
      *this = {message.number, message.row, text(message.key), text(message.time), message.time_null};
  }
};

// What a member did, event by event: joined, left, or the number it sent.
enum : std::int64_t { kJoins = 0, kLeaves = -1 };
using TwinMember = std::pair<std::string, std::vector<std::int64_t>>;

// What became of a number.
enum class Fate { kRemoved, kUncounted, kCounted };

struct TwinState {
  bool locked = false;
  bool filled = false;
  RowLocation row;
  std::int64_t last = 0;
  std::int64_t high = 0;
  std::map<std::int64_t, Ledger::Tag> free;  // and the statement that was given it
  bool any = false;
  bool unsure = false;
  std::int64_t messages = 0;
  std::int64_t members = 0;
  TwinGreatest came;
  TwinGreatest went;
  std::set<std::int64_t> removed;
  std::set<std::int64_t> removed_uncounted;
  // Of a tracked conversation.
  std::map<std::int64_t, Fate> fates;
  std::vector<TwinMember> did;
  int touched = 0;  // the depth that changed it last

  void clear_notes() {
    any = unsure = false;
    messages = members = 0;
    came = went = {};
    removed.clear();
    removed_uncounted.clear();
    fates.clear();
    did.clear();
  }
  void tell(const std::string& member, std::int64_t event) {
    auto known = std::find_if(did.begin(), did.end(), [&](const TwinMember& each) { return each.first == member; });
    if (known == did.end()) known = did.insert(did.end(), {member, {}});
    known->second.push_back(event);
  }
  void tell_sent(const Message& message) {
    if (message.counted && !message.sender_null) tell(text(message.sender), message.number);
  }
  void came_no_more(std::int64_t number) {
    if (came.number != number) return;
    came = {};
    unsure = true;
  }
  void blank() {
    const int kept = touched;
    *this = {};
    touched = kept;
  }
};

struct TwinRow {
  Ledger::Tag statement;
  std::optional<std::string> key;
  std::int64_t number;
  int depth;
  bool given;
};

struct TwinRenamed {
  std::string from;
  std::string to;
};

struct TwinAll {
  std::map<std::string, TwinState> states;
  std::vector<TwinRow> under_way;
  std::vector<TwinRenamed> renamed;
};

constexpr std::uint32_t kTarget = 9;
constexpr std::uint32_t kOther = 10;
// Some too long to be kept without allocation.
const std::vector<std::string> kKeys = {
    "a", "b", "c", "d-of-more-than-twenty-four-bytes", "e", "f-of-more-than-twenty-four-bytes", "g", "h"};

std::string some_member_key(std::size_t i) {
  return (i % 5 == 0 ? "of more than twenty-four bytes: " : "") + std::to_string(i);
}

class Twins {
 public:
  explicit Twins(unsigned seed, std::size_t fail_every = 0) : random_(seed), fail_every_(fail_every) { restart(); }

  void step() {
    const std::size_t failures = failures_;
    try {
      act();
    } catch (const std::bad_alloc&) {
      ++failures_;
      give_up();
    }
    compare(failures != failures_ || pick(4) == 0);
  }
  // The n-th allocation from here fails, once.
  void fail_at(std::size_t n) { arena_->fail_at(n); }
  [[nodiscard]] std::size_t failures() const { return failures_; }
  [[nodiscard]] std::size_t rolled_back() const { return rolled_back_; }
  [[nodiscard]] std::size_t written() const { return written_; }
  // How often there was a set of each fate, and more members than are looked through, to compare.
  [[nodiscard]] std::size_t compared(Fate fate) const { return fates_compared_[static_cast<std::size_t>(fate)]; }
  [[nodiscard]] std::size_t crowds() const { return crowds_; }

 private:
  struct Frame {
    Ledger::Tag statement;  // 0: a savepoint
  };

  std::size_t pick(std::size_t below) { return static_cast<std::size_t>(random_() % below); }
  bool maybe(unsigned percent) { return pick(100) < percent; }
  // One with free numbers, now and then: there are not many.
  const std::string& some_key_with_free() {
    const std::size_t from = pick(kKeys.size());
    for (std::size_t i = 0; i < kKeys.size(); ++i)
      if (const std::string& key = kKeys[(from + i) % kKeys.size()]; !now_.states[key].free.empty()) return key;
    return kKeys[from];
  }
  const std::string& some_key() { return kKeys[pick(kKeys.size())]; }
  int depth() const {
    return 1 +
           static_cast<int>(std::count_if(frames_.begin(), frames_.end(), [](Frame f) { return f.statement == 0; }));
  }
  Ledger::Tag statement() const { return frames_.empty() ? 0 : frames_.back().statement; }
  Counter& counter(const std::string& key) {
    ledger_->set_depth(depth());
    return ledger_->counter(kTarget, bytes(key));
  }
  // The twin's state, about to change: after the ledger's own change has not thrown.
  TwinState& touch(const std::string& key) {
    TwinState& state = now_.states[key];
    state.touched = std::max(state.touched, depth());
    return state;
  }
  TwinState& note(const std::string& key) {
    TwinState& state = touch(key);
    state.any = true;
    return state;
  }
  // What is done without regard to depth: the copies of depths that have not
  // changed the counter are the same state as the one at present.
  template <class Change>
  void in_all_depths_sharing(const std::string& key, Change change) {
    const int touched = now_.states[key].touched;
    change(now_.states[key]);
    for (std::size_t i = 0; i < begun_.size(); ++i)
      if (static_cast<int>(i) + 2 > touched) change(begun_[i].states[key]);
  }

  void restart() {
    ledger_.reset();
    arena_ = std::make_unique<Arena>();
    ledger_ = std::make_unique<Ledger>(*arena_);
    arena_->fail_every(fail_every_);
    now_ = {};
    begun_.clear();
    frames_.clear();
    noted_statements_.clear();
    epoch_ = 0;
    tracked_ = false;
    arena_->pause(true);
    if (maybe(70)) track();  // else later, or never
    arena_->pause(false);
  }

  // An error: the innermost savepoint is rolled back, or the transaction ends.
  void give_up() {
    if (depth() == 1) {
      if (maybe(50))  // the statements' ends may still be told
        while (!frames_.empty()) {
          ledger_->statement_ended(frames_.back().statement);
          frames_.pop_back();
        }
      (void)ledger_->noted_count();
      restart();
    } else {
      roll_back();
    }
  }

  void roll_back() {
    ++rolled_back_;
    const int aborted = depth();
    const bool ended_first = maybe(50);
    std::vector<Ledger::Tag> ended;
    for (; frames_.back().statement != 0; frames_.pop_back()) {
      if (ended_first) end_statement(frames_.back().statement);
      ended.push_back(frames_.back().statement);
    }
    frames_.pop_back();
    ledger_->abort_depth(aborted);
    now_ = std::move(begun_.back());
    begun_.pop_back();
    if (!ended_first)
      for (const Ledger::Tag tag : ended) end_statement(tag);
  }

  void begin() {
    frames_.push_back({0});
    begun_.push_back(now_);
    if (maybe(50)) ledger_->set_depth(depth());
  }

  void commit() {
    const int committed = depth();
    ledger_->commit_depth(committed);
    for (auto& [key, state] : now_.states)
      if (state.touched == committed) state.touched = committed - 1;
    for (TwinRow& row : now_.under_way)
      if (row.depth == committed) row.depth = committed - 1;
    begun_.pop_back();
    frames_.pop_back();
  }

  // The greatest number that is out, or may go out again.
  void settle(const std::string& key) {
    std::int64_t under_way = 0;
    for (const TwinRow& row : now_.under_way)
      if (row.key == key && !row.given) under_way = std::max(under_way, row.number);
    in_all_depths_sharing(key, [under_way](TwinState& state) {
      const std::int64_t free = state.free.empty() ? 0 : state.free.rbegin()->first;
      state.high = std::max({state.last, free, under_way});
    });
  }

  void rows_done(Ledger::Tag tag) {
    std::erase_if(now_.under_way, [tag](const TwinRow& row) { return row.statement == tag; });
    for (const std::string& key : kKeys) {
      in_all_depths_sharing(key, [tag](TwinState& state) {
        std::erase_if(state.free, [tag](const auto& each) { return each.second == tag; });
      });
      settle(key);
    }
  }

  void end_statement(Ledger::Tag tag) {
    ledger_->statement_ended(tag);
    rows_done(tag);
    noted_statements_.erase(tag);
  }

  void write_all() {
    const Ledger::Tag tag = statement();
    ledger_->rows_done(tag);
    rows_done(tag);
    std::vector<Counter*> noted(ledger_->noted_count());
    ledger_->noted(noted);
    for (Counter* each : noted) {
      const std::string key = text(each->key());
      if (!each->locked()) lock(key);
      if (each->locked() && each->filled() && maybe(95)) {
        ledger_->set_depth(depth());
        const RowLocation row = some_row();
        ledger_->written(*each, row);
        TwinState& state = touch(key);
        state.row = row;
        state.clear_notes();
      } else {
        ledger_->set_depth(depth());
        ledger_->drop_notes(*each);
        touch(key).clear_notes();
      }
      settle(key);
      ++written_;
    }
    shrink();
  }

  void shrink() {
    ledger_->set_depth(depth());
    const std::size_t limit = pick(20);
    const std::size_t size = ledger_->size();
    ledger_->shrink(limit);
    const bool busy =
        std::any_of(now_.states.begin(), now_.states.end(), [](const auto& each) { return each.second.any; });
    if (size <= limit || !now_.under_way.empty() || depth() > 1 || busy) {
      ASSERT_EQ(ledger_->size(), size);
      return;
    }
    ASSERT_EQ(ledger_->size(), 0U);
    ASSERT_GT(ledger_->epoch(), epoch_);
    epoch_ = ledger_->epoch();
    now_.states.clear();
  }

  RowLocation some_row() { return {pick(1000), 1 + static_cast<std::uint32_t>(pick(3))}; }

  // Its bytes are in texts_.
  Message some_message(std::int64_t number, int which = 0) {
    texts_[which] = std::string(pick(40), static_cast<char>('a' + pick(26)));
    times_[which] = std::string(pick(40), static_cast<char>('A' + pick(26)));
    Message result = message(number, maybe(70), texts_[which]);
    result.time_null = maybe(20);
    if (!result.time_null) result.time = bytes(times_[which]);
    if (maybe(40)) result.row = some_row();
    result.sender_null = maybe(20);
    senders_[which] = some_member();
    if (!result.sender_null) result.sender = bytes(senders_[which]);
    return result;
  }
  // Many at times.
  std::string some_member() { return some_member_key(pick(maybe(30) ? 60 : 8)); }

  void track() {
    ledger_->track(kTarget);
    tracked_ = true;
    ASSERT_FALSE(ledger_->counter(kOther, bytes("a")).tracked());
  }

  void lock(const std::string& key) {
    Counter& c = counter(key);
    const bool filled = maybe(97);
    const auto last = static_cast<std::int64_t>(pick(20));
    const RowLocation row = some_row();
    ledger_->row_locked(c, row, filled, last);
    TwinState& state = touch(key);
    state.row = row;
    state.filled = filled;
    state.last = !filled ? 0 : state.locked ? std::max(state.last, last) : last;
    state.high = std::max(state.locked ? state.high : 0, state.last);
    state.locked = true;
  }

  void hand_out(const std::string& key) {
    if (!now_.states[key].locked || maybe(10)) lock(key);
    if (!now_.states[key].filled) return pass();
    const std::int64_t number = ledger_->hand_out(counter(key), statement());
    TwinState& state = touch(key);
    if (state.free.empty()) {
      ASSERT_EQ(number, ++state.high);
    } else {
      ASSERT_EQ(number, state.free.begin()->first) << "the smallest number that did not land";
      state.free.erase(state.free.begin());
    }
    now_.under_way.push_back({statement(), key, number, depth(), false});
  }

  void hand_out_again(const std::string& key) {
    const auto& free = now_.states[key].free;
    if (!now_.states[key].locked) return;
    const auto number = free.empty() || maybe(30) ? static_cast<std::int64_t>(pick(30)) : free.rbegin()->first;
    const bool again = ledger_->hand_out_again(counter(key), statement(), number);
    ASSERT_EQ(again, free.contains(number));
    if (!again) return;
    touch(key).free.erase(number);
    now_.under_way.push_back({statement(), key, number, depth(), false});
  }

  void hand_out_given(const std::string& key) {
    // A row moved to another partition locks nothing.
    const bool moved = !now_.states[key].removed.empty() && maybe(60);
    if (!now_.states[key].locked && !moved) lock(key);
    const auto number = moved ? *now_.states[key].removed.begin() : 1 + static_cast<std::int64_t>(pick(40));
    ledger_->hand_out_given(counter(key), statement(), number);
    touch(key);
    now_.under_way.push_back({statement(), key, number, depth(), true});
  }

  void pass() {
    ledger_->set_depth(depth());
    ledger_->pass(statement());
    now_.under_way.push_back({statement(), std::nullopt, 0, depth(), false});
  }

  void reclaim() {
    ledger_->set_depth(depth());
    const std::int64_t number = ledger_->reclaim(statement());
    const auto row = std::find_if(now_.under_way.rbegin(), now_.under_way.rend(),
                                  [this](const TwinRow& each) { return each.statement == statement(); });
    if (row == now_.under_way.rend()) {
      ASSERT_EQ(number, 0);
      return;
    }
    ASSERT_EQ(number, row->number);
    if (row->key && !row->given) touch(*row->key).free[number] = statement();
    now_.under_way.erase(std::next(row).base());
  }

  void land(const TwinRow& row, const Message& message) {
    TwinState& state = note(*row.key);
    if (tracked_) track_landing(state, message);
    state.last = std::max(state.last, message.number);
    state.high = std::max(state.high, state.last);
    if (message.counted) {
      ++state.messages;
      state.came.raise(message);
    }
    if (state.removed.erase(message.number) != 0) {
      if (state.removed_uncounted.erase(message.number) != 0 && message.counted) state.unsure = true;
    } else if (row.given && message.counted) {
      state.unsure = true;
    }
  }

  static void track_landing(TwinState& state, const Message& message) {
    const bool in_order = state.locked && state.filled && message.number > state.last;
    if (in_order)
      for (std::int64_t hole = state.last + 1; hole < message.number; ++hole) state.fates[hole] = Fate::kRemoved;
    if (!message.counted)
      state.fates[message.number] = Fate::kUncounted;
    else if (!in_order || state.fates.contains(message.number))
      state.fates[message.number] = Fate::kCounted;
    state.tell_sent(message);
  }

  void landed() {
    ledger_->set_depth(depth());
    const auto row = std::find_if(now_.under_way.rbegin(), now_.under_way.rend(),
                                  [this](const TwinRow& each) { return each.statement == statement(); });
    const bool own = row != now_.under_way.rend();
    if (maybe(40) && (own || now_.under_way.size() != 1)) {
      const RowLocation place = some_row();
      const bool counted = maybe(70);
      const bool sole = ledger_->sole_landed(place, counted);
      ASSERT_EQ(sole, now_.under_way.size() == 1);
      if (!sole) return;
      if (row->key) land(*row, message_at(row->number, counted, place));
      now_.under_way.clear();
    } else if (own && row->key) {
      const Message message = some_message(row->number);
      ASSERT_TRUE(ledger_->landed(counter(*row->key), message));
      // Of two with one number, the one handed out last.
      const auto same_row = std::find_if(now_.under_way.rbegin(), now_.under_way.rend(), [&](const TwinRow& each) {
        return each.key == row->key && each.number == row->number;
      });
      land(*same_row, message);
      now_.under_way.erase(std::next(same_row).base());
    } else if (own) {
      ledger_->passed_landed();
      const auto passed =
          std::find_if(now_.under_way.rbegin(), now_.under_way.rend(), [](const TwinRow& each) { return !each.key; });
      now_.under_way.erase(std::next(passed).base());
    } else {
      const std::string& key = some_key();
      ASSERT_FALSE(ledger_->landed(counter(key), some_message(1000000)));
    }
  }

  void removed(const std::string& key) {
    const Message message = some_message(1 + static_cast<std::int64_t>(pick(40)));
    ledger_->removed(counter(key), message);
    TwinState& state = note(key);
    state.removed.insert(message.number);
    if (message.counted) {
      --state.messages;
      state.went.raise(message);
    } else {
      state.removed_uncounted.insert(message.number);
    }
    state.came_no_more(message.number);
    if (tracked_) state.fates[message.number] = Fate::kRemoved;
  }

  void changed(const std::string& key) {
    const Message before = some_message(1 + static_cast<std::int64_t>(pick(40)), 0);
    Message after = some_message(before.number, 1);
    if (maybe(50)) {
      after.sender_null = before.sender_null;
      after.sender = before.sender;
    }
    ledger_->changed(counter(key), before, after);
    TwinState& state = note(key);
    state.messages += (after.counted ? 1 : 0) - (before.counted ? 1 : 0);
    if (before.counted) state.went.raise(before);
    if (after.counted) {
      state.came.raise(after);
      if (!before.counted) state.unsure = true;
    } else {
      state.came_no_more(after.number);
    }
    if (!tracked_) return;
    if (before.counted != after.counted) state.fates[after.number] = after.counted ? Fate::kCounted : Fate::kUncounted;
    const bool same_sender = before.sender_null == after.sender_null && text(before.sender) == text(after.sender);
    if (!before.counted || !same_sender) state.tell_sent(after);
  }

  void member_did(const std::string& key) {
    const std::string member = some_member();
    const bool joins = maybe(60);
    Counter& c = counter(key);
    if (joins)
      ledger_->member_joined(c, bytes(member));
    else
      ledger_->member_left(c, bytes(member));
    if (tracked_) note(key).tell(member, joins ? kJoins : kLeaves);
  }

  // A few of them, or a crowd.
  void some_members_did() {
    const std::string& key = some_key();
    for (std::size_t members = maybe(10) ? 60 : 1 + pick(3); members > 0; --members) member_did(key);
  }

  void counted_by_hand(const std::string& key) {
    const auto by = static_cast<std::int64_t>(pick(7)) - 3;
    if (maybe(50)) {
      ledger_->members_changed(counter(key), by);
      note(key).members += by;
    } else {
      ledger_->messages_changed(counter(key), by);
      note(key).messages += by;
    }
  }

  bool is_under_way(const std::string& key) const {
    return std::any_of(now_.under_way.begin(), now_.under_way.end(),
                       [&](const TwinRow& row) { return row.key == key; });
  }

  void row_gone(const std::string& key) {
    if (is_under_way(key)) return;
    ledger_->row_gone(counter(key));
    touch(key).blank();
  }

  void rename(const std::string& from, const std::string& to) {
    if (from == to || is_under_way(to)) return;
    if (now_.states[to].locked || now_.states[to].any) row_gone(to);
    ledger_->set_depth(depth());
    ledger_->renamed(kTarget, bytes(from), bytes(to));
    TwinState& old_key = touch(from);
    TwinState& new_key = touch(to);
    new_key = old_key;
    old_key.blank();
    for (TwinRow& row : now_.under_way)
      if (row.key == from) row.key = to;
    now_.renamed.push_back({from, to});
  }

  void look_up_renamed(const std::string& key) {
    // Who had the key last went on from there, unless somebody took it since.
    std::string wanted = key;
    if (!now_.states[key].locked && !now_.states[key].any)
      for (auto entry = now_.renamed.rbegin(); entry != now_.renamed.rend(); ++entry) {
        if (entry->to == key) break;
        if (entry->from != key) continue;
        for (auto next = std::prev(entry.base()); next != now_.renamed.end(); ++next)
          if (next->from == wanted) wanted = next->to;
        break;
      }
    Counter& c = counter(key);
    ASSERT_EQ(text(ledger_->renamed_counter(c).key()), wanted);
  }

  void was_renamed() {
    const std::string& from = some_key();
    const std::string& to = some_key();
    const bool was = std::any_of(now_.renamed.begin(), now_.renamed.end(),
                                 [&](const TwinRenamed& each) { return each.from == from && each.to == to; });
    ASSERT_EQ(ledger_->was_renamed(kTarget, bytes(from), bytes(to)), was);
    ASSERT_FALSE(ledger_->was_renamed(kTarget + 1, bytes(from), bytes(to)));
  }

  void forget_rows() {
    ledger_->forget_rows();
    for (const std::string& key : kKeys) {
      for (TwinAll& begun : begun_) begun.states[key].row = {};
      const TwinState& state = now_.states[key];
      const bool forget = !state.any && !is_under_way(key);
      in_all_depths_sharing(key, [forget](TwinState& each) {
        each.row = {};
        if (forget) each.blank();
      });
    }
  }

  void first_note() {
    ledger_->set_depth(depth());
    const bool first = ledger_->first_note(statement());
    ASSERT_EQ(first, noted_statements_.insert(statement()).second);
  }

  void act() {
    const std::size_t what = pick(100);
    if (statement() == 0) {
      if (what < 12 && depth() > 1) return commit();
      if (what < 22 && depth() > 1) return roll_back();
      if (what < 35 && depth() < 6) return begin();
      if (what < 75) return frames_.push_back({next_statement_++});
      if (what < 80) return lock(some_key());
      if (what < 83) return forget_rows();
      if (what < 85) return look_up_renamed(some_key());
      if (what < 86) return was_renamed();
      if (what < 87) return track();
      if (what < 88 && depth() == 1 && frames_.empty()) return restart();
      return shrink();
    }
    if (what < 22) return hand_out(some_key());
    if (what < 25) return hand_out_again(some_key_with_free());
    if (what < 29) return hand_out_given(some_key());
    if (what < 31) return pass();
    if (what < 38) return reclaim();
    if (what < 57) return landed();
    if (what < 62) return removed(some_key());
    if (what < 66) return changed(some_key());
    if (what < 68) return counted_by_hand(some_key());
    if (what < 71) return some_members_did();
    if (what < 72) return row_gone(some_key());
    if (what < 74) return rename(some_key(), some_key());
    if (what < 76) return look_up_renamed(some_key());
    if (what < 78) return first_note();
    if (what < 79) return forget_rows();
    if (what < 83 && depth() < 6) return begin();
    if (what < 87 && frames_.size() < 8) return frames_.push_back({next_statement_++});
    if (what < 93) return write_all();
    const Ledger::Tag tag = statement();
    if (maybe(60)) write_all();
    end_statement(tag);
    frames_.pop_back();
  }

  static void compare(const Greatest& greatest, const TwinGreatest& twin) {
    ASSERT_EQ(greatest.number, twin.number);
    if (twin.number == 0) return;
    ASSERT_TRUE(same(greatest.row, twin.row));
    if (twin.row.known()) return;
    ASSERT_EQ(text(greatest.key.bytes()), twin.key);
    ASSERT_EQ(text(greatest.time.bytes()), twin.time);
    ASSERT_EQ(greatest.time.null(), twin.time_null);
  }

  static void compare(const MemberNotes::Entry& entry, const TwinMember& twin) {
    std::int64_t sent = 0;
    std::int64_t sent_since_join = 0;
    auto event = MemberNotes::Event::kNone;
    for (const std::int64_t each : twin.second)
      if (each == kJoins)
        event = MemberNotes::Event::kJoined;
      else if (each == kLeaves)
        event = MemberNotes::Event::kLeft;
      else if (event == MemberNotes::Event::kNone)
        sent = std::max(sent, each);
      else if (event == MemberNotes::Event::kJoined)
        sent_since_join = std::max(sent_since_join, each);
    ASSERT_EQ(text(entry.member), twin.first);
    ASSERT_EQ(entry.sent, sent);
    ASSERT_EQ(entry.sent_since_join, sent_since_join);
    ASSERT_EQ(entry.event, event);
  }

  void compare(const NumberSet& numbers, const std::map<std::int64_t, Fate>& twin, Fate fate) {
    std::set<std::int64_t> wanted;
    for (const auto& [number, each] : twin)
      if (each == fate) wanted.insert(number);
    std::set<std::int64_t> told;
    numbers.for_each([&](std::int64_t first, std::int64_t last) {
      for (std::int64_t number = first; number <= last; ++number) told.insert(number);
    });
    ASSERT_EQ(told, wanted);
    if (!wanted.empty()) ++fates_compared_[static_cast<std::size_t>(fate)];
  }

  void compare(const Counter& c, const TwinState& twin) {
    ASSERT_EQ(c.tracked(), tracked_);
    const TrackedNotes* notes = c.tracked_notes();
    ASSERT_EQ(notes != nullptr, !twin.fates.empty() || !twin.did.empty());
    if (notes == nullptr) return;
    compare(notes->skips.removed, twin.fates, Fate::kRemoved);
    compare(notes->skips.uncounted, twin.fates, Fate::kUncounted);
    compare(notes->skips.counted, twin.fates, Fate::kCounted);
    ASSERT_EQ(notes->members.size(), twin.did.size());
    for (std::size_t i = 0; i < twin.did.size(); ++i) compare(notes->members.entry(i), twin.did[i]);
    if (twin.did.size() > 20) ++crowds_;
  }

  void compare(bool thoroughly) {
    arena_->pause(true);
    std::set<std::string> noted_twin;
    for (const std::string& key : kKeys) {
      SCOPED_TRACE(key);
      const Counter& c = counter(key);
      const TwinState& twin = now_.states[key];
      ASSERT_EQ(c.locked(), twin.locked);
      ASSERT_EQ(c.filled(), twin.filled);
      ASSERT_TRUE(same(c.row(), twin.row));
      ASSERT_EQ(c.last(), twin.last);
      ASSERT_EQ(c.notes().any, twin.any);
      ASSERT_EQ(c.notes().unsure, twin.unsure);
      ASSERT_EQ(c.notes().messages, twin.messages);
      ASSERT_EQ(c.notes().members, twin.members);
      compare(c.notes().came, twin.came);
      compare(c.notes().went, twin.went);
      if (twin.any) noted_twin.insert(key);
      if (!thoroughly) continue;
      compare(c, twin);
      for (std::int64_t number = 0; number < 45; ++number) {
        ASSERT_EQ(Ledger::was_removed(c, number), twin.removed.contains(number)) << number;
        ASSERT_EQ(c.notes().removed_uncounted.contains(number), twin.removed_uncounted.contains(number)) << number;
      }
      for (std::int64_t number = 0; number < twin.high + 2; ++number)
        ASSERT_EQ(Ledger::is_free(c, number), twin.free.contains(number)) << number;
    }
    std::vector<Counter*> noted(ledger_->noted_count());
    ledger_->noted(noted);
    std::set<std::string> noted_ledger;
    for (Counter* each : noted) noted_ledger.insert(text(each->key()));
    ASSERT_EQ(noted.size(), noted_ledger.size()) << "each once";
    ASSERT_EQ(noted_ledger, noted_twin) << "what has notes is to be written";
    arena_->pause(false);
  }

  std::mt19937_64 random_;
  std::size_t fail_every_;
  std::unique_ptr<Arena> arena_;
  std::unique_ptr<Ledger> ledger_;
  TwinAll now_;
  std::vector<TwinAll> begun_;  // as it was when depth 2, 3, ... began
  std::vector<Frame> frames_;
  std::set<Ledger::Tag> noted_statements_;
  Ledger::Tag next_statement_ = 1000;
  std::uint64_t epoch_ = 0;
  std::string texts_[2];
  std::string times_[2];
  std::string senders_[2];
  bool tracked_ = false;
  std::size_t fates_compared_[3] = {0, 0, 0};
  std::size_t crowds_ = 0;
  std::size_t failures_ = 0;
  std::size_t rolled_back_ = 0;
  std::size_t written_ = 0;
};

class LedgerTwin : public testing::TestWithParam<unsigned> {};

TEST_P(LedgerTwin, AgreesWithTheLedgerOverRandomOperations) {
  Twins twins(GetParam());
  for (int step = 0; step < 8000; ++step) {
    twins.step();
    ASSERT_FALSE(HasFatalFailure()) << "step " << step;
  }
  EXPECT_GT(twins.rolled_back(), 50U);
  EXPECT_GT(twins.written(), 100U);
  EXPECT_EQ(twins.failures(), 0U);
  for (const Fate fate : {Fate::kRemoved, Fate::kUncounted, Fate::kCounted}) EXPECT_GT(twins.compared(fate), 50U);
  EXPECT_GT(twins.crowds(), 5U);
}

TEST_P(LedgerTwin, AgreesWithTheLedgerWhileMemoryFailsNowAndThen) {
  for (const std::size_t every : {2U, 3U, 7U, 23U}) {
    SCOPED_TRACE(every);
    Twins twins(GetParam() + 1000, every);
    for (int step = 0; step < 2000; ++step) {
      twins.step();
      ASSERT_FALSE(HasFatalFailure()) << "step " << step;
    }
    EXPECT_GT(twins.failures(), 10U);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LedgerTwin, testing::Values(1U, 2U, 3U, 4U));

TEST(LedgerMemory, EveryAllocationOfATransactionMayFail) {
  for (std::size_t n = 1; n <= 250; ++n) {
    SCOPED_TRACE(n);
    Twins twins(77);
    twins.fail_at(n);
    for (int step = 0; step < 400 && twins.failures() == 0; ++step) {
      twins.step();
      ASSERT_FALSE(HasFatalFailure()) << "step " << step;
    }
    if (twins.failures() == 0) break;  // all have been tried, or the transaction was begun anew
    for (int step = 0; step < 20; ++step) {
      twins.step();
      ASSERT_FALSE(HasFatalFailure()) << "step " << step << " after the failure";
    }
  }
}

// What the notes say about the last message, against a table that knows. The
// rule by which they are read is that of src/counters/last_message.cpp.

struct Stored {
  bool counted;
  std::string key;
  bool moved = false;  // changed since the counter row was written
};

class Conversation {
 public:
  explicit Conversation(unsigned seed) : random_(seed), counter_(ledger_.counter(1, bytes("a"))) {
    ledger_.row_locked(counter_, {1, 1}, true, 0);
  }

  void statement() {
    for (std::size_t changes = 1 + pick(5); changes > 0; --changes) change();
    write();
    ledger_.statement_ended(kTag);
  }
  [[nodiscard]] std::size_t looked() const { return looked_; }
  [[nodiscard]] std::size_t told() const { return told_; }

 private:
  static constexpr Ledger::Tag kTag = 5;

  std::size_t pick(std::size_t below) { return static_cast<std::size_t>(random_() % below); }
  std::string new_key() { return "key " + std::to_string(++keys_); }
  void land(std::int64_t number, const Stored& row) {
    ASSERT_TRUE(ledger_.landed(counter_, message(number, row.counted, row.key)));
    table_[number] = row;
  }
  void send() {
    const std::int64_t number = ledger_.hand_out(counter_, kTag);
    ASSERT_FALSE(table_.contains(number)) << "numbers are unique";
    if (pick(8) == 0) {  // ON CONFLICT DO NOTHING
      ASSERT_EQ(ledger_.reclaim(kTag), number);
      return;
    }
    land(number, {pick(3) != 0, new_key()});
  }
  void import() {
    const std::int64_t number = 1 + static_cast<std::int64_t>(pick(static_cast<std::size_t>(counter_.last()) + 5));
    if (table_.contains(number)) return;
    ledger_.hand_out_given(counter_, kTag, number);
    land(number, {pick(3) != 0, new_key(), true});
  }
  void change_row(std::map<std::int64_t, Stored>::iterator row) {
    const std::int64_t number = row->first;
    Stored& stored = row->second;
    const Stored before = stored;
    const std::size_t what = pick(4);
    if (what == 0) {
      ledger_.removed(counter_, message(number, before.counted, before.key));
      table_.erase(row);
    } else if (what == 1) {  // moved to another partition
      ledger_.removed(counter_, message(number, before.counted, before.key));
      table_.erase(row);
      ledger_.hand_out_given(counter_, kTag, number);
      land(number, {pick(4) != 0 ? before.counted : !before.counted, pick(2) != 0 ? before.key : new_key(), true});
    } else if (!stored.moved) {  // a row is updated once a statement
      stored.moved = true;
      if (what == 2) stored.counted = !stored.counted;
      if (what == 3 || pick(3) == 0) stored.key = new_key();
      if (stored.counted || before.counted)
        ledger_.changed(counter_, message(number, before.counted, before.key),
                        message(number, stored.counted, stored.key));
    }
  }
  void change() {
    const std::size_t what = pick(10);
    if (table_.empty() || what < 3) return send();
    if (what == 3) return import();
    auto row = table_.end();
    for (std::size_t back = 1 + pick(4); back > 0 && row != table_.begin(); --back) --row;  // near the end
    change_row(row);
  }
  void write() {
    ledger_.rows_done(kTag);
    const Notes& notes = counter_.notes();
    count_ += notes.messages;
    std::string truth;
    std::int64_t counted = 0;
    for (auto& [number, row] : table_) {
      row.moved = false;
      if (!row.counted) continue;
      truth = row.key;
      ++counted;
    }
    ASSERT_EQ(count_, counted) << "message_count";
    const std::int64_t stored_last = stored_last_;
    stored_last_ = counter_.last();
    if (notes.unsure && (notes.went.number > 0 || notes.came.number <= stored_last)) {
      look(truth);
    } else if (notes.came.number > stored_last) {
      tell(text(notes.came.key.bytes()));
    } else if (notes.went.number > 0 && text(notes.went.key.bytes()) == last_key_) {
      if (notes.came.number >= notes.went.number)
        tell(text(notes.came.key.bytes()));
      else
        look(truth);
    }
    ASSERT_EQ(last_key_, truth) << "the last message";
    ledger_.written(counter_, {1, 1});
  }
  void look(const std::string& truth) {
    ++looked_;
    last_key_ = truth;
  }
  void tell(const std::string& key) {
    ++told_;
    last_key_ = key;
  }

  std::mt19937_64 random_;
  Arena arena_;
  Ledger ledger_{arena_};
  Counter& counter_;
  std::map<std::int64_t, Stored> table_;
  std::int64_t count_ = 0;
  std::int64_t stored_last_ = 0;
  std::string last_key_;
  std::size_t looked_ = 0;
  std::size_t told_ = 0;
  int keys_ = 0;
};

class LedgerNotes : public testing::TestWithParam<unsigned> {};

TEST_P(LedgerNotes, TellTheLastMessageAndTheCountOfARandomTable) {
  Conversation conversation(GetParam());
  for (int step = 0; step < 5000; ++step) {
    conversation.statement();
    ASSERT_FALSE(HasFatalFailure()) << "statement " << step;
  }
  EXPECT_GT(conversation.told(), 500U);
  EXPECT_GT(conversation.looked(), 100U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LedgerNotes, testing::Values(21U, 22U, 23U, 24U));

}  // namespace
