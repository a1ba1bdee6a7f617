#include "core/counters/ledger.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace chatopt::core {

void Greatest::raise(const Message& message) {
  if (message.number < number) return;
  if (!message.row.known()) {
    key.set(message.key);
    time.set(message.time, message.time_null);
  }
  row = message.row;
  number = message.number;
}

void Notes::clear() noexcept {
  any = false;
  unsure = false;
  messages = 0;
  members = 0;
  came.clear();
  went.clear();
  removed.clear();
  removed_uncounted.clear();
  tracked.reset();
}

Counter::State::State(const State& other, Memory& memory)
    : locked(other.locked),
      filled(other.filled),
      row(other.row),
      last(other.last),
      high(other.high),
      unlanded(other.unlanded, Numbers::allocator_type{Allocator<Free>{&memory}}),
      notes(other.notes, memory) {}

void Counter::State::blank() noexcept {
  locked = false;
  filled = false;
  row = {};
  last = 0;
  high = 0;
  unlanded.clear();
  notes.clear();
}

Counter::Counter(std::uint32_t target, Bytes key, Memory& memory) : target_(target), key_(memory), state_(Allocator<State>{&memory}.new_object<State>(memory)) {
  key_.set(key);
}

Ledger::Ledger(Memory& memory)
    : memory_(memory),
      counters_(Allocator<std::pair<const Key, Counter*>>{&memory}),
      listed_(Allocator<Counter*>{&memory}),
      handed_out_(Allocator<HandedOut>{&memory}),
      saved_(Allocator<Saved>{&memory}),
      statements_(Allocator<Tag>{&memory}),
      tracked_(Allocator<std::uint32_t>{&memory}),
      renamed_(Allocator<Renamed>{&memory}) {}

Ledger::Key Ledger::key_of(const Counter& counter) noexcept {
  const Bytes key = counter.key();
  return {counter.target(), {reinterpret_cast<const char*>(key.data()), key.size()}};
}

Counter& Ledger::counter(std::uint32_t target, Bytes key) {
  const Key wanted{target, {reinterpret_cast<const char*>(key.data()), key.size()}};
  if (auto found = counters_.find(wanted); found != counters_.end()) return *found->second;
  auto* made = Allocator<Counter>{&memory_}.new_object<Counter>(target, key, memory_);
  made->tracked_ = tracks(target);
  counters_.emplace(key_of(*made), made);
  return *made;
}

bool Ledger::tracks(std::uint32_t target) const noexcept {
  return std::find(tracked_.begin(), tracked_.end(), target) != tracked_.end();
}

void Ledger::track(std::uint32_t target) {
  if (tracks(target)) return;
  tracked_.push_back(target);
  for (auto& entry : counters_)
    if (entry.second->target() == target) entry.second->tracked_ = true;
}

void Ledger::touch(Counter& counter) {
  if (!counter.listed_) {
    listed_.push_back(&counter);
    counter.listed_ = true;
  }
  if (counter.depth_ >= depth_) return;
  // The outermost depth is never restored: its memory goes with the transaction.
  if (depth_ > 1) {
    if (saved_.size() == saved_.capacity()) saved_.reserve(2 * saved_.size() + 8);
    auto* copy = Allocator<Counter::State>{&memory_}.new_object<Counter::State>(*counter.state_, memory_);
    saved_.push_back({&counter, depth_, counter.depth_, counter.state_});
    counter.state_ = copy;
  }
  counter.depth_ = depth_;
}

void Ledger::row_locked(Counter& counter, RowLocation row, bool filled, std::int64_t last) {
  touch(counter);
  auto& state = *counter.state_;
  state.row = row;
  state.filled = filled;
  state.last = filled ? (state.locked ? std::max(state.last, last) : last) : 0;
  state.high = std::max(state.locked ? state.high : 0, state.last);
  state.locked = true;
}

void Ledger::row_gone(Counter& counter) {
  touch(counter);
  counter.state_->blank();
}

void Ledger::forget_rows() noexcept {
  for (auto& entry : counters_) {
    Counter* const counter = entry.second;
    auto& state = *counter->state_;
    state.row = {};
    const bool under_way = std::any_of(handed_out_.begin(), handed_out_.end(),
                                       [counter](const HandedOut& row) { return row.counter == counter; });
    if (!state.notes.any && !under_way) state.blank();
  }
  for (auto& saved : saved_) saved.state->row = {};
}

std::int64_t Ledger::reclaim(Tag statement) {
  for (auto entry = handed_out_.end(); entry != handed_out_.begin();) {
    --entry;
    if (entry->statement != statement) continue;
    const HandedOut lost = *entry;
    if (lost.counter != nullptr && !lost.given) {
      touch(*lost.counter);
      auto& free = lost.counter->state_->unlanded;
      const auto place = std::find_if(free.begin(), free.end(),
                                      [&](const auto& other) { return other.number > lost.number; });
      free.insert(place, {lost.number, statement});
    }
    handed_out_.erase(entry);
    return lost.number;
  }
  return 0;
}

void Ledger::push(Counter* counter, Tag statement, std::int64_t number, bool given) {
  handed_out_.push_back({statement, counter, number, depth_, given});
}

void Ledger::pass(Tag statement) { push(nullptr, statement, 0, false); }

std::int64_t Ledger::hand_out(Counter& counter, Tag statement) {
  touch(counter);
  auto& state = *counter.state_;
  std::int64_t number;
  if (state.unlanded.empty()) {
    number = state.high + 1;
    push(&counter, statement, number, false);
    state.high = number;
  } else {
    number = state.unlanded.front().number;
    push(&counter, statement, number, false);
    state.unlanded.erase(state.unlanded.begin());
  }
  return number;
}

bool Ledger::hand_out_again(Counter& counter, Tag statement, std::int64_t number) {
  if (!is_free(counter, number)) return false;
  touch(counter);
  push(&counter, statement, number, false);
  auto& free = counter.state_->unlanded;
  free.erase(std::find_if(free.begin(), free.end(), [=](const auto& entry) { return entry.number == number; }));
  return true;
}

bool Ledger::is_free(const Counter& counter, std::int64_t number) noexcept {
  const auto& free = counter.state_->unlanded;
  return std::any_of(free.begin(), free.end(), [=](const auto& entry) { return entry.number == number; });
}

void Ledger::hand_out_given(Counter& counter, Tag statement, std::int64_t number) {
  touch(counter);
  push(&counter, statement, number, true);
}

bool Ledger::sole_landed(RowLocation row, bool counted) {
  if (handed_out_.size() != 1) return false;
  const HandedOut entry = handed_out_.front();
  if (entry.counter != nullptr) {
    Message message;
    message.number = entry.number;
    message.counted = counted;
    message.row = row;
    land(entry, message);
  }
  handed_out_.clear();
  return true;
}

bool Ledger::landed(Counter& counter, const Message& message) {
  const auto entry = std::find_if(handed_out_.rbegin(), handed_out_.rend(), [&](const HandedOut& candidate) {
    return candidate.counter == &counter && candidate.number == message.number;
  });
  if (entry == handed_out_.rend()) return false;
  land(*entry, message);
  handed_out_.erase(std::next(entry).base());
  return true;
}

void Ledger::passed_landed() noexcept {
  const auto entry = std::find_if(handed_out_.rbegin(), handed_out_.rend(),
                                  [](const HandedOut& candidate) { return candidate.counter == nullptr; });
  if (entry != handed_out_.rend()) handed_out_.erase(std::next(entry).base());
}

void Ledger::land(const HandedOut& entry, const Message& message) {
  Counter& counter = *entry.counter;
  note(counter);
  auto& state = *counter.state_;
  auto& notes = state.notes;
  if (counter.tracked_) track_landing(counter, message);
  state.last = std::max(state.last, message.number);
  state.high = std::max(state.high, state.last);
  if (message.counted) {
    notes.messages += 1;
    notes.came.raise(message);
  }
  if (!notes.removed.empty() && notes.removed.contains(message.number)) {
    if (message.counted && notes.removed_uncounted.contains(message.number)) notes.unsure = true;
    notes.removed.erase(message.number);
    notes.removed_uncounted.erase(message.number);
  } else if (entry.given && message.counted) {
    notes.unsure = true;  // an imported number may lie anywhere
  }
}

// What came first may go again before anything was written.
void Ledger::came_no_more(Notes& notes, std::int64_t number) noexcept {
  if (notes.came.number != number) return;
  notes.came.clear();
  notes.unsure = true;
}

void Ledger::removed(Counter& counter, const Message& message) {
  note(counter);
  auto& notes = counter.state_->notes;
  notes.removed.insert(message.number);
  if (message.counted) {
    notes.messages -= 1;
    notes.went.raise(message);
  } else {
    notes.removed_uncounted.insert(message.number);
  }
  came_no_more(notes, message.number);
  if (counter.tracked_) noted_more(counter).skips.move_to(&Skips::removed, message.number);
}

void Ledger::restored(Counter& counter, const Message& message) {
  note(counter);
  auto& state = *counter.state_;
  auto& notes = state.notes;
  if (counter.tracked_) track_landing(counter, message);
  state.last = std::max(state.last, message.number);
  state.high = std::max(state.high, state.last);
  notes.removed.erase(message.number);
  notes.removed_uncounted.erase(message.number);
  if (!message.counted) return;
  notes.messages += 1;
  notes.came.raise(message);
  notes.unsure = true;  // its number may lie anywhere
}

void Ledger::changed(Counter& counter, const Message& before, const Message& after) {
  note(counter);
  auto& notes = counter.state_->notes;
  notes.messages += static_cast<int>(after.counted) - static_cast<int>(before.counted);
  if (before.counted) notes.went.raise(before);
  if (after.counted) {
    notes.came.raise(after);
    if (!before.counted) notes.unsure = true;
  } else {
    came_no_more(notes, after.number);
  }
  if (counter.tracked_) track_change(counter, before, after);
}

void Ledger::members_changed(Counter& counter, std::int64_t by) {
  note(counter);
  counter.state_->notes.members += by;
}

void Ledger::messages_changed(Counter& counter, std::int64_t by) {
  note(counter);
  counter.state_->notes.messages += by;
}

void Ledger::mentions_changed(Counter& counter, std::int64_t number) {
  if (!counter.tracked_) return;
  note(counter);
  noted_more(counter).mentioned.insert(number);
}

void Ledger::member_joined(Counter& counter, Bytes member) {
  if (!counter.tracked_) return;
  note(counter);
  noted_more(counter).members.joined(member);
}

void Ledger::member_left(Counter& counter, Bytes member) {
  if (!counter.tracked_) return;
  note(counter);
  noted_more(counter).members.left(member);
}

TrackedNotes& Ledger::noted_more(Counter& counter) {
  auto& notes = counter.state_->notes.tracked;
  if (notes == nullptr) notes.reset(Allocator<TrackedNotes>{&memory_}.new_object<TrackedNotes>(memory_));
  return *notes;
}

// Before last takes account of it. Only a last that was read from the row tells
// what lies between: a row moved to another partition lands in a counter that
// nobody has locked.
void Ledger::track_landing(Counter& counter, const Message& message) {
  const auto& state = *counter.state_;
  const std::int64_t number = message.number;
  const bool fresh = state.locked && state.filled && number > state.last;
  if (fresh && number - 1 > state.last) noted_more(counter).skips.remove_range(state.last + 1, number - 1);
  const TrackedNotes* const noted = counter.tracked_notes();
  if (!message.counted)
    noted_more(counter).skips.move_to(&Skips::uncounted, number);
  else if (!fresh || (noted != nullptr && noted->skips.contains(number)))
    noted_more(counter).skips.move_to(&Skips::counted, number);
  if (message.counted && !message.sender_null) noted_more(counter).members.sent(message.sender, number);
  // A number that was there before may be stored with those that its message mentioned then.
  if (message.mentions_kept && (!fresh || !message.mentions.empty())) noted_more(counter).mentioned.insert(number);
}

void Ledger::track_change(Counter& counter, const Message& before, const Message& after) {
  if (after.mentions_kept && mentions_others(before, after)) noted_more(counter).mentioned.insert(after.number);
  if (before.counted != after.counted)
    noted_more(counter).skips.move_to(after.counted ? &Skips::counted : &Skips::uncounted, after.number);
  if (!after.counted || after.sender_null) return;
  if (!before.counted || before.sender_null || !std::ranges::equal(before.sender, after.sender))
    noted_more(counter).members.sent(after.sender, after.number);
}

// Nobody is mentioned by themselves: who the sender is tells who is mentioned, too.
bool Ledger::mentions_others(const Message& before, const Message& after) noexcept {
  if (!std::ranges::equal(before.mentions, after.mentions)) return true;
  return !after.mentions.empty() &&
         (before.sender_null != after.sender_null || !std::ranges::equal(before.sender, after.sender));
}

bool Ledger::first_note(Tag statement) {
  if (std::find(statements_.rbegin(), statements_.rend(), statement) != statements_.rend()) return false;
  statements_.push_back(statement);
  return true;
}

void Ledger::rows_done(Tag statement) noexcept {
  handed_out_.erase(std::remove_if(handed_out_.begin(), handed_out_.end(),
                                   [statement](const HandedOut& entry) { return entry.statement == statement; }),
                    handed_out_.end());
  for (Counter* counter : listed_) {
    auto& free = counter->state_->unlanded;
    free.erase(std::remove_if(free.begin(), free.end(),
                              [statement](const auto& entry) { return entry.statement == statement; }),
               free.end());
    settle(*counter);
  }
}

void Ledger::settle(Counter& counter) noexcept {
  auto& state = *counter.state_;
  state.high = state.last;
  if (!state.unlanded.empty()) state.high = std::max(state.high, state.unlanded.back().number);
  for (const HandedOut& entry : handed_out_)
    if (entry.counter == &counter && !entry.given) state.high = std::max(state.high, entry.number);
}

void Ledger::statement_ended(Tag statement) noexcept {
  rows_done(statement);
  statements_.erase(std::remove(statements_.begin(), statements_.end(), statement), statements_.end());
  // A roll back may bring notes back, and a row under way may not land: both
  // must find their counters on the list.
  if (!saved_.empty() || !handed_out_.empty()) return;
  auto kept = listed_.begin();
  for (Counter* counter : listed_) {
    counter->listed_ = counter->state_->notes.any || !counter->state_->unlanded.empty();
    if (counter->listed_) *kept++ = counter;
  }
  listed_.erase(kept, listed_.end());
}

std::size_t Ledger::noted_count() const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(listed_, [](const Counter* counter) { return counter->state_->notes.any; }));
}

void Ledger::noted(std::span<Counter*> out) const noexcept {
  std::ranges::copy_if(listed_, out.begin(), [](const Counter* counter) { return counter->state_->notes.any; });
}

void Ledger::written(Counter& counter, RowLocation row) {
  touch(counter);
  auto& state = *counter.state_;
  state.row = row;
  state.notes.clear();
  settle(counter);
}

void Ledger::drop_notes(Counter& counter) {
  touch(counter);
  counter.state_->notes.clear();
  settle(counter);
}

void Ledger::shrink(std::size_t limit) {
  if (counters_.size() <= limit || !handed_out_.empty() || !saved_.empty() || depth_ > 1) return;
  for (Counter* counter : listed_)
    if (counter->state_->notes.any) return;
  listed_.clear();
  for (auto& [key, counter] : counters_) {
    Allocator<Counter::State>{&memory_}.delete_object(counter->state_);
    Allocator<Counter>{&memory_}.delete_object(counter);
  }
  counters_.clear();
  ++epoch_;
}

void Ledger::renamed(std::uint32_t target, Bytes from, Bytes to) {
  renamed_.emplace_back(target, from, to, depth_, memory_);
  Counter& old_key = counter(target, from);
  Counter& new_key = counter(target, to);
  touch(old_key);
  touch(new_key);
  std::swap(old_key.state_, new_key.state_);
  old_key.state_->blank();
  for (HandedOut& entry : handed_out_)
    if (entry.counter == &old_key) entry.counter = &new_key;
}

Counter& Ledger::renamed_counter(Counter& counter) {
  if (renamed_.empty() || counter.state_->locked || counter.state_->notes.any) return counter;
  // Who had the key last, and which keys they have had since.
  const auto concerns = [&](const Renamed& entry) {
    return entry.target == counter.target() &&
           (std::ranges::equal(entry.to.bytes(), counter.key()) || std::ranges::equal(entry.from.bytes(), counter.key()));
  };
  auto entry = std::find_if(renamed_.rbegin(), renamed_.rend(), concerns);
  if (entry == renamed_.rend() || std::ranges::equal(entry->to.bytes(), counter.key())) return counter;
  Bytes key = counter.key();
  for (auto next = std::prev(entry.base()); next != renamed_.end(); ++next)
    if (next->target == counter.target() && std::ranges::equal(next->from.bytes(), key)) key = next->to.bytes();
  return this->counter(counter.target(), key);
}

Counter* Ledger::find(std::uint32_t target, Bytes key) const noexcept {
  const auto found = counters_.find(Key{target, {reinterpret_cast<const char*>(key.data()), key.size()}});
  return found == counters_.end() ? nullptr : found->second;
}

bool Ledger::was_renamed(std::uint32_t target, Bytes from, Bytes to) const noexcept {
  const auto same = [](Bytes a, Bytes b) { return std::ranges::equal(a, b); };
  return std::any_of(renamed_.begin(), renamed_.end(), [&](const Renamed& entry) {
    return entry.target == target && same(entry.from.bytes(), from) && same(entry.to.bytes(), to);
  });
}

void Ledger::commit_depth(int depth) noexcept {
  const int parent = depth - 1;
  for (HandedOut& entry : handed_out_)
    if (entry.depth == depth) entry.depth = parent;
  for (Renamed& entry : renamed_)
    if (entry.depth == depth) entry.depth = parent;
  // What this depth would have restored, its parent now must, unless the parent
  // saved an older state of its own or is the outermost, which is never restored.
  auto kept = saved_.begin();
  for (Saved& saved : saved_) {
    if (saved.depth == depth) {
      saved.counter->depth_ = parent;
      saved.depth = parent;
      if (parent == 1 || saved.before_depth >= parent) {
        Allocator<Counter::State>{&memory_}.delete_object(saved.state);
        continue;
      }
    }
    *kept++ = saved;
  }
  saved_.erase(kept, saved_.end());
  if (depth_ == depth) depth_ = parent;
}

void Ledger::abort_depth(int depth) noexcept {
  while (!saved_.empty() && saved_.back().depth >= depth) {
    const Saved saved = saved_.back();
    saved_.pop_back();
    Allocator<Counter::State>{&memory_}.delete_object(saved.counter->state_);
    saved.counter->state_ = saved.state;
    saved.counter->depth_ = saved.before_depth;
  }
  handed_out_.erase(std::remove_if(handed_out_.begin(), handed_out_.end(),
                                   [depth](const HandedOut& entry) { return entry.depth >= depth; }),
                    handed_out_.end());
  while (!renamed_.empty() && renamed_.back().depth >= depth) {
    const Renamed& back = renamed_.back();
    Counter* const new_key = find(back.target, back.to.bytes());
    Counter* const old_key = find(back.target, back.from.bytes());
    for (HandedOut& entry : handed_out_)
      if (entry.counter == new_key) entry.counter = old_key;
    renamed_.pop_back();
  }
  if (depth_ >= depth) depth_ = depth - 1;
}

}  // namespace chatopt::core
