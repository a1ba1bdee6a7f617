// What the ledger notes more of a tracked conversation: what became of numbers
// that may be skipped, and what members did.
#include "core/counters/tracked_notes.hpp"

#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <new>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/counters/ledger.hpp"

#include "../support/arena.hpp"
#include "../support/messages.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;
using Event = MemberNotes::Event;
using Ranges = std::vector<NumberRange>;

constexpr std::uint32_t kTracked = 1;
constexpr std::uint32_t kUntracked = 2;
constexpr Ledger::Tag kStatement = 101;
constexpr Ledger::Tag kNested = 102;
constexpr RowLocation kRow{7, 1};

static_assert(std::is_nothrow_destructible_v<TrackedNotes>);
static_assert(sizeof(TrackedNotesPointer) == sizeof(void*), "all that an untracked conversation pays");

Message from(std::int64_t number, bool counted, std::string_view sender) {
  Message result = message(number, counted, "k");
  result.sender = bytes(sender);
  result.sender_null = false;
  return result;
}

Ranges ranges(const NumberSet& numbers) {
  Ranges result;
  numbers.for_each([&](std::int64_t first, std::int64_t last) { result.push_back({first, last}); });
  return result;
}

class TrackedTest : public testing::Test {
 protected:
  TrackedTest() { ledger.track(kTracked); }

  Counter& chat(std::string_view key, std::int64_t last = 0, std::uint32_t target = kTracked) {
    Counter& counter = ledger.counter(target, bytes(key));
    ledger.row_locked(counter, kRow, true, last);
    return counter;
  }
  std::int64_t land_next(Counter& counter, bool counted = true, Ledger::Tag statement = kStatement) {
    const std::int64_t number = ledger.hand_out(counter, statement);
    EXPECT_TRUE(ledger.landed(counter, message(number, counted)));
    return number;
  }
  void import(Counter& counter, std::int64_t number, bool counted = true) {
    ledger.hand_out_given(counter, kStatement, number);
    EXPECT_TRUE(ledger.landed(counter, message(number, counted)));
  }
  // What became of numbers: removed, uncounted, counted.
  static void expect(const Counter& counter, const Ranges& removed, const Ranges& uncounted, const Ranges& counted) {
    if (removed.empty() && uncounted.empty() && counted.empty()) {
      EXPECT_TRUE(counter.tracked_notes() == nullptr || counter.tracked_notes()->skips.empty());
      return;
    }
    ASSERT_NE(counter.tracked_notes(), nullptr);
    EXPECT_EQ(ranges(counter.tracked_notes()->skips.removed), removed);
    EXPECT_EQ(ranges(counter.tracked_notes()->skips.uncounted), uncounted);
    EXPECT_EQ(ranges(counter.tracked_notes()->skips.counted), counted);
  }
  static void expect_member(const Counter& counter, std::size_t place, const std::string& member, std::int64_t sent,
                            std::int64_t sent_since_join, Event event) {
    ASSERT_NE(counter.tracked_notes(), nullptr);
    ASSERT_GT(counter.tracked_notes()->members.size(), place);
    const MemberNotes::Entry entry = counter.tracked_notes()->members.entry(place);
    EXPECT_EQ(text(entry.member), member);
    EXPECT_EQ(entry.sent, sent);
    EXPECT_EQ(entry.sent_since_join, sent_since_join);
    EXPECT_EQ(entry.event, event);
  }
  static std::size_t members(const Counter& counter) {
    return counter.tracked_notes() == nullptr ? 0 : counter.tracked_notes()->members.size();
  }

  Arena arena;
  Ledger ledger{arena};
};

// Which counters

TEST_F(TrackedTest, CountersOfATrackedTargetAreTrackedWhetherTheyAreThereOrMadeLater) {
  Counter& before = ledger.counter(kUntracked, bytes("before"));
  EXPECT_FALSE(before.tracked());
  EXPECT_TRUE(ledger.counter(kTracked, bytes("a")).tracked());
  ledger.track(kUntracked);
  ledger.track(kUntracked);
  EXPECT_TRUE(before.tracked());
  EXPECT_TRUE(ledger.counter(kUntracked, bytes("later")).tracked());
  EXPECT_FALSE(ledger.counter(3, bytes("a")).tracked());
}

TEST_F(TrackedTest, CountersForgottenAndMadeAgainAreTracked) {
  (void)ledger.counter(kTracked, bytes("a"));
  ledger.shrink(0);
  EXPECT_EQ(ledger.size(), 0U);
  EXPECT_TRUE(ledger.counter(kTracked, bytes("a")).tracked());
}

TEST_F(TrackedTest, OfUntrackedConversationsNothingMoreIsNoted) {
  Counter& counter = chat("a", 5, kUntracked);
  import(counter, 9);
  land_next(counter, false);
  ledger.removed(counter, message(2, true));
  ledger.changed(counter, from(3, false, "x"), from(3, true, "y"));
  EXPECT_EQ(counter.tracked_notes(), nullptr);
  EXPECT_TRUE(counter.notes().any);
}

TEST_F(TrackedTest, MembersOfUntrackedConversationsAreNotNotedAtAll) {
  Counter& counter = chat("a", 5, kUntracked);
  const std::size_t before = arena.allocations();
  ledger.member_joined(counter, bytes("x"));
  ledger.member_left(counter, bytes("y"));
  EXPECT_EQ(counter.tracked_notes(), nullptr);
  EXPECT_FALSE(counter.notes().any);
  EXPECT_EQ(ledger.noted_count(), 0U);
  EXPECT_EQ(arena.allocations(), before);
}

// Numbers

TEST_F(TrackedTest, MessagesCountedAndInOrderAreInNoSet) {
  Counter& counter = chat("a", 5);
  for (int i = 0; i < 10; ++i) land_next(counter);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 16);
  EXPECT_TRUE(ledger.sole_landed(kRow, true));
  EXPECT_EQ(counter.tracked_notes(), nullptr);
  EXPECT_TRUE(counter.notes().any);
}

TEST_F(TrackedTest, AMessageThatDoesNotCountIsUncounted) {
  Counter& counter = chat("a", 5);
  land_next(counter, false);
  land_next(counter);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 8);
  EXPECT_TRUE(ledger.sole_landed(kRow, false));
  expect(counter, {}, {{6, 6}, {8, 8}}, {});
}

TEST_F(TrackedTest, NumbersLeftOutAreRemoved) {
  Counter& counter = chat("a", 5);
  import(counter, 1000000005);
  expect(counter, {{6, 1000000004}}, {}, {});
  EXPECT_FALSE(Ledger::was_removed(counter, 7)) << "an explicit number is not let through for a hole";
  import(counter, 1000000007, false);
  expect(counter, {{6, 1000000004}, {1000000006, 1000000006}}, {{1000000007, 1000000007}}, {});
}

TEST_F(TrackedTest, TheGreatestNumberThereIsLeavesOneHole) {
  constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
  Counter& counter = chat("a", 0);
  import(counter, greatest);
  expect(counter, {{1, greatest - 1}}, {}, {});
  import(counter, greatest);
  expect(counter, {{1, greatest - 1}}, {}, {{greatest, greatest}});
}

TEST_F(TrackedTest, WhatIsPutIntoAHoleOrBelowLastIsCountedOrUncounted) {
  Counter& counter = chat("a", 5);
  import(counter, 10);
  import(counter, 7);
  import(counter, 8, false);
  import(counter, 3);
  import(counter, 2, false);
  expect(counter, {{6, 6}, {9, 9}}, {{2, 2}, {8, 8}}, {{3, 3}, {7, 7}});
}

TEST_F(TrackedTest, WhatIsRestoredIsCountedOrUncountedAndNobodySentIt) {
  Counter& counter = chat("a", 9);
  ledger.removed(counter, message(4, true));
  ledger.restored(counter, message(6, true));
  ledger.restored(counter, message(5, false));
  ledger.restored(counter, message(4, true));
  const TrackedNotes* const notes = counter.tracked_notes();
  ASSERT_NE(notes, nullptr);
  EXPECT_EQ(ranges(notes->skips.counted), (Ranges{{4, 4}, {6, 6}}));
  EXPECT_EQ(ranges(notes->skips.uncounted), (Ranges{{5, 5}}));
  EXPECT_TRUE(notes->skips.removed.empty());
  EXPECT_TRUE(notes->members.empty());
}

TEST_F(TrackedTest, WhatIsRestoredBehindTheLastNumberLeavesAHole) {
  Counter& counter = chat("a", 3);
  ledger.restored(counter, message(9, true));
  ledger.restored(counter, message(7, true));
  EXPECT_EQ(ranges(counter.tracked_notes()->skips.removed), (Ranges{{4, 6}, {8, 8}}));
}

TEST_F(TrackedTest, TheLatestEventOfANumberWins) {
  Counter& counter = chat("a", 9);
  ledger.removed(counter, message(4, true));
  expect(counter, {{4, 4}}, {}, {});
  import(counter, 4);
  expect(counter, {}, {}, {{4, 4}});
  ledger.changed(counter, message(4, true), message(4, false));
  expect(counter, {}, {{4, 4}}, {});
  ledger.changed(counter, message(4, false), message(4, true));
  expect(counter, {}, {}, {{4, 4}});
  ledger.removed(counter, message(4, true));
  expect(counter, {{4, 4}}, {}, {});
  import(counter, 4, false);
  expect(counter, {}, {{4, 4}}, {});
}

TEST_F(TrackedTest, AMessageSentAndRemovedAtOnceIsRemoved) {
  Counter& counter = chat("a", 9);
  land_next(counter);
  ledger.removed(counter, message(10, true));
  land_next(counter, false);
  ledger.removed(counter, message(11, false));
  expect(counter, {{10, 11}}, {}, {});
}

TEST_F(TrackedTest, AChangeThatLeavesCountedAsItWasTouchesNoSet) {
  Counter& counter = chat("a", 9);
  ledger.changed(counter, message(4, false), message(4, false));
  ledger.changed(counter, message(5, true, "old"), message(5, true, "new"));
  EXPECT_EQ(counter.tracked_notes(), nullptr);
}

TEST_F(TrackedTest, MessagesDeletedInOrderTakeOneRange) {
  Counter& counter = chat("a", 1000);
  for (std::int64_t number = 1; number <= 1000; ++number) ledger.removed(counter, message(number, true));
  expect(counter, {{1, 1000}}, {}, {});
}

TEST_F(TrackedTest, RemovedBeforeTheRowIsLockedStaysNoted) {
  Counter& counter = ledger.counter(kTracked, bytes("a"));
  ledger.removed(counter, message(4, true));
  ledger.row_locked(counter, kRow, true, 9);
  expect(counter, {{4, 4}}, {}, {});
  EXPECT_EQ(land_next(counter), 10);
  expect(counter, {{4, 4}}, {}, {});
}

TEST_F(TrackedTest, ARowMovedInACounterThatNobodyHasLockedLeavesNoHoleBelowIt) {
  Counter& counter = ledger.counter(kTracked, bytes("a"));
  ledger.removed(counter, message(400, true));
  import(counter, 400);
  ledger.removed(counter, message(500, false));
  import(counter, 500, false);
  expect(counter, {}, {{500, 500}}, {{400, 400}});
  ledger.row_locked(counter, kRow, true, 900);
  EXPECT_EQ(land_next(counter), 901);
  expect(counter, {}, {{500, 500}}, {{400, 400}});
}

TEST_F(TrackedTest, WhatALaterReadingOfTheRowBringsIsNoHole) {
  Counter& counter = chat("a", 5);
  land_next(counter);
  ledger.row_locked(counter, kRow, true, 50);
  EXPECT_EQ(land_next(counter), 51);
  EXPECT_EQ(counter.tracked_notes(), nullptr);
}

// Numbers that did not land

TEST_F(TrackedTest, ANumberThatIsHandedOutAgainIsNoHole) {
  Counter& counter = chat("a", 5);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
  EXPECT_EQ(ledger.reclaim(kStatement), 6);
  EXPECT_EQ(land_next(counter), 6);
  EXPECT_EQ(counter.tracked_notes(), nullptr);
}

TEST_F(TrackedTest, ANumberThatDidNotLandBelowOneThatDidIsRemoved) {
  Counter& counter = chat("a", 5);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
  EXPECT_EQ(land_next(counter, true, kNested), 7);
  ledger.statement_ended(kNested);
  EXPECT_EQ(ledger.reclaim(kStatement), 6);
  ledger.statement_ended(kStatement);
  EXPECT_EQ(land_next(counter), 8);
  expect(counter, {{6, 6}}, {}, {});
}

TEST_F(TrackedTest, ANumberThatLandsAfterAGreaterOneIsCountedNotRemoved) {
  Counter& counter = chat("a", 5);
  for (int i = 0; i < 3; ++i) (void)ledger.hand_out(counter, kStatement);
  EXPECT_TRUE(ledger.landed(counter, message(8, true)));
  expect(counter, {{6, 7}}, {}, {});
  EXPECT_TRUE(ledger.landed(counter, message(6, true)));
  EXPECT_TRUE(ledger.landed(counter, message(7, false)));
  expect(counter, {}, {{7, 7}}, {{6, 6}});
}

// An outer statement's row is under way while a nested one sends and is written:
// the nested one has to take the outer one's number for burnt.
class OuterRow : public TrackedTest {
 protected:
  OuterRow() {
    EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
    EXPECT_EQ(land_next(counter, true, kNested), 7);
    ledger.rows_done(kNested);
    expect(counter, {{6, 6}}, {}, {});
    ledger.written(counter, kRow);
    ledger.statement_ended(kNested);
    EXPECT_EQ(counter.tracked_notes(), nullptr);
  }
  Counter& counter = chat("a", 5);
};

TEST_F(OuterRow, ThatLandsAfterANestedStatementWasWrittenIsCounted) {
  EXPECT_TRUE(ledger.landed(counter, message(6, true)));
  expect(counter, {}, {}, {{6, 6}});
}

TEST_F(OuterRow, ThatLandsAloneAfterANestedStatementWasWrittenIsCounted) {
  EXPECT_TRUE(ledger.sole_landed(kRow, true));
  expect(counter, {}, {}, {{6, 6}});
}

TEST_F(OuterRow, ThatLandsUncountedAfterANestedStatementWasWrittenIsUncounted) {
  EXPECT_TRUE(ledger.landed(counter, message(6, false)));
  expect(counter, {}, {{6, 6}}, {});
}

TEST_F(OuterRow, ThatDoesNotLandStaysRemovedAsItWasWritten) {
  EXPECT_EQ(ledger.reclaim(kStatement), 6);
  ledger.statement_ended(kStatement);
  EXPECT_EQ(land_next(counter), 8);
  EXPECT_EQ(counter.tracked_notes(), nullptr);
}

// Members

TEST_F(TrackedTest, SentIsTheGreatestCountedNumberOfEachSender) {
  Counter& counter = chat("a", 5);
  const struct {
    const char* sender;
    bool counted;
  } rows[] = {{"x", true}, {"y", true}, {"x", true}, {"y", false}, {"z", false}};
  for (const auto& row : rows)
    EXPECT_TRUE(ledger.landed(counter, from(ledger.hand_out(counter, kStatement), row.counted, row.sender)));
  EXPECT_EQ(members(counter), 2U);
  expect_member(counter, 0, "x", 8, 0, Event::kNone);
  expect_member(counter, 1, "y", 7, 0, Event::kNone);
}

TEST_F(TrackedTest, AMessageWithoutASenderIsNobodys) {
  Counter& counter = chat("a", 5);
  land_next(counter);
  Message nobody = from(7, true, "leftover");
  nobody.sender_null = true;
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 7);
  EXPECT_TRUE(ledger.landed(counter, nobody));
  EXPECT_EQ(counter.tracked_notes(), nullptr);
}

TEST_F(TrackedTest, AMessageThatBecameCountedIsSentByItsSender) {
  Counter& counter = chat("a", 9);
  ledger.changed(counter, from(4, false, "x"), from(4, true, "x"));
  ledger.changed(counter, from(5, true, "y"), from(5, false, "y"));
  ledger.changed(counter, from(6, true, "z"), from(6, true, "z"));
  EXPECT_EQ(members(counter), 1U);
  expect_member(counter, 0, "x", 4, 0, Event::kNone);
}

TEST_F(TrackedTest, AMessageThatGotAnotherSenderIsSentByTheNewOne) {
  Counter& counter = chat("a", 9);
  Message nobody = message(6, true);
  ledger.changed(counter, from(4, true, "x"), from(4, true, "y"));
  ledger.changed(counter, nobody, from(6, true, "z"));
  ledger.changed(counter, from(7, true, "x"), message(7, true));
  ledger.changed(counter, from(8, false, "x"), from(8, false, "y"));
  EXPECT_EQ(members(counter), 2U);
  expect_member(counter, 0, "y", 4, 0, Event::kNone);
  expect_member(counter, 1, "z", 6, 0, Event::kNone);
}

TEST_F(TrackedTest, JoinsAndLeavesAreNotedAndToBeWrittenButChangeNoCount) {
  Counter& counter = ledger.counter(kTracked, bytes("a"));
  ledger.member_joined(counter, bytes("x"));
  ledger.member_left(counter, bytes("y"));
  ledger.member_joined(counter, bytes("y"));
  EXPECT_EQ(counter.notes().members, 0);
  EXPECT_TRUE(counter.notes().any);
  EXPECT_EQ(ledger.noted_count(), 1U);
  expect_member(counter, 0, "x", 0, 0, Event::kJoined);
  expect_member(counter, 1, "y", 0, 0, Event::kJoined);
  expect(counter, {}, {}, {});
}

TEST_F(TrackedTest, WhatAMemberSentAfterItJoinedIsToldApart) {
  Counter& counter = chat("a", 9);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 10);
  EXPECT_TRUE(ledger.landed(counter, from(10, true, "x")));
  ledger.member_left(counter, bytes("x"));
  ledger.member_joined(counter, bytes("x"));
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 11);
  EXPECT_TRUE(ledger.landed(counter, from(11, true, "x")));
  expect_member(counter, 0, "x", 10, 11, Event::kJoined);
}

// How long notes last

class Noted : public TrackedTest {
 protected:
  Noted() { note(counter, 10, "x"); }
  void note(Counter& of, std::int64_t number, std::string_view sender) {
    ledger.hand_out_given(of, kStatement, number);
    EXPECT_TRUE(ledger.landed(of, from(number, true, sender)));
    ledger.removed(of, message(number - 2, true));
  }
  void expect_noted(const Counter& of) {
    expect(of, {{6, 9}}, {}, {});
    EXPECT_EQ(members(of), 1U);
    expect_member(of, 0, "x", 10, 0, Event::kNone);
  }
  Counter& counter = chat("a", 5);
};

TEST_F(Noted, WrittenNotesAreDoneWith) {
  expect_noted(counter);
  ledger.written(counter, kRow);
  EXPECT_EQ(counter.tracked_notes(), nullptr);
  EXPECT_TRUE(counter.tracked());
  EXPECT_EQ(land_next(counter), 11);
  EXPECT_EQ(counter.tracked_notes(), nullptr);
}

TEST_F(Noted, DroppedNotesAreForgotten) {
  ledger.drop_notes(counter);
  EXPECT_EQ(counter.tracked_notes(), nullptr);
}

TEST_F(Noted, WhatIsKnownOfARowThatIsGoneIsForgotten) {
  ledger.row_gone(counter);
  EXPECT_EQ(counter.tracked_notes(), nullptr);
  ledger.row_locked(counter, kRow, true, 0);
  EXPECT_EQ(land_next(counter), 1);
  EXPECT_EQ(counter.tracked_notes(), nullptr) << "made again under its key, it starts anew";
}

TEST_F(Noted, ForgetRowsKeepsWhatIsToBeWritten) {
  ledger.forget_rows();
  expect_noted(counter);
  EXPECT_EQ(land_next(counter), 11);
  expect_noted(counter);
}

TEST_F(Noted, ShrinkWaitsForThem) {
  ledger.statement_ended(kStatement);
  ledger.shrink(0);
  expect_noted(ledger.counter(kTracked, bytes("a")));
}

TEST_F(Noted, RenamedTakesThemToTheNewKey) {
  Counter& new_key = chat("b", 5);
  note(new_key, 7, "overwritten");
  ledger.renamed(kTracked, bytes("a"), bytes("b"));
  expect_noted(new_key);
  EXPECT_EQ(counter.tracked_notes(), nullptr);
  EXPECT_TRUE(counter.tracked());
  EXPECT_TRUE(new_key.tracked());
}

TEST_F(Noted, ARenameRolledBackBringsThemBack) {
  ledger.set_depth(2);
  ledger.renamed(kTracked, bytes("a"), bytes("b"));
  ledger.member_left(ledger.counter(kTracked, bytes("b")), bytes("x"));
  ledger.abort_depth(2);
  expect_noted(counter);
  EXPECT_EQ(ledger.counter(kTracked, bytes("b")).tracked_notes(), nullptr);
}

TEST_F(Noted, ARolledBackDepthRestoresThem) {
  ledger.set_depth(2);
  note(counter, 20, "y");
  ledger.member_left(counter, bytes("x"));
  import(counter, 7);
  ledger.abort_depth(2);
  expect_noted(counter);
}

TEST_F(Noted, ARolledBackDepthRestoresThemAfterTheyWereWritten) {
  ledger.set_depth(2);
  ledger.written(counter, kRow);
  EXPECT_EQ(counter.tracked_notes(), nullptr);
  ledger.member_joined(counter, bytes("y"));
  ledger.abort_depth(2);
  expect_noted(counter);
}

TEST_F(Noted, ACommittedDepthKeepsWhatItChanged) {
  ledger.set_depth(2);
  ledger.member_joined(counter, bytes("y"));
  ledger.set_depth(3);
  ledger.member_left(counter, bytes("z"));
  ledger.commit_depth(3);
  ledger.commit_depth(2);
  expect(counter, {{6, 9}}, {}, {});
  EXPECT_EQ(members(counter), 3U);
  expect_member(counter, 2, "z", 0, 0, Event::kLeft);
}

TEST_F(Noted, WhatADepthCommittedIsRolledBackWithItsParent) {
  ledger.set_depth(2);
  ledger.set_depth(3);
  note(counter, 20, "y");
  ledger.commit_depth(3);
  EXPECT_EQ(members(counter), 2U);
  ledger.abort_depth(2);
  expect_noted(counter);
}

// Memory

TEST(TrackedMemory, ASavepointCopiesNothingOfAnUntrackedConversation) {
  std::size_t allocated[2];
  for (const bool tracked : {false, true}) {
    Arena arena;
    Ledger ledger(arena);
    if (tracked) ledger.track(1);
    Counter& counter = ledger.counter(1, bytes("a"));
    ledger.row_locked(counter, kRow, true, 5);
    ledger.changed(counter, from(3, true, "x"), from(3, true, "y"));
    ledger.set_depth(2);
    const std::size_t before = arena.allocations();
    ledger.members_changed(counter, 1);
    allocated[tracked ? 1 : 0] = arena.allocations() - before;
  }
  EXPECT_EQ(allocated[0], 2U) << "the list of what is saved, the state";
  EXPECT_EQ(allocated[1], 3U) << "the notes too";
}

TEST(TrackedMemory, AMessageInAKnownTrackedConversationTakesOneBlockAndGivesItBack) {
  Arena arena;
  Ledger ledger(arena);
  ledger.track(1);
  Counter& counter = ledger.counter(1, bytes("a"));
  ledger.row_locked(counter, kRow, true, 0);
  std::size_t blocks = 0;
  std::size_t allocations = 0;
  for (std::int64_t i = 0; i < 100; ++i) {
    const std::size_t before = arena.allocations();
    (void)ledger.reclaim(kStatement);
    EXPECT_EQ(ledger.hand_out(counter, kStatement), i + 1);
    EXPECT_TRUE(ledger.landed(counter, from(i + 1, true, "0123456789abcdef01234567")));
    (void)ledger.first_note(kStatement);
    ledger.rows_done(kStatement);
    ledger.written(counter, kRow);
    ledger.statement_ended(kStatement);
    if (i == 0) blocks = arena.live_blocks();
    allocations = arena.allocations() - before;
  }
  EXPECT_EQ(arena.live_blocks(), blocks);
  EXPECT_EQ(allocations, 1U);
}

TEST(TrackedMemory, ThousandsOfSavepointsKeepNone) {
  Arena arena;
  Ledger ledger(arena);
  ledger.track(1);
  Counter& counter = ledger.counter(1, bytes("a"));
  ledger.row_locked(counter, kRow, true, 100);
  std::size_t after_first = 0;
  for (int i = 0; i < 2000; ++i) {
    ledger.set_depth(2);
    ledger.removed(counter, message(1 + i % 50, true));
    ledger.member_joined(counter, bytes(std::string(40, 'm') + std::to_string(i)));
    if (i % 3 == 0) ledger.written(counter, kRow);
    if (i % 2 == 0)
      ledger.commit_depth(2);
    else
      ledger.abort_depth(2);
    ledger.written(counter, kRow);
    ledger.statement_ended(kStatement);
    if (i == 1) after_first = arena.live_blocks();
  }
  EXPECT_LE(arena.live_blocks(), after_first);
}

// Whatever fails, the depth that it was in can be rolled back, and nothing is left of it.
TEST(TrackedMemory, EveryFailureIsTakenBackWithItsDepth) {
  int failures = 0;
  for (std::size_t n = 1; n < 100; ++n) {
    SCOPED_TRACE(n);
    Arena arena;
    Ledger ledger(arena);
    ledger.track(1);
    Counter& counter = ledger.counter(1, bytes("a"));
    ledger.row_locked(counter, kRow, true, 5);
    ledger.member_joined(counter, bytes("x"));
    ledger.removed(counter, message(3, true));
    ledger.set_depth(2);
    arena.fail_at(n);
    bool failed = false;
    try {
      ledger.hand_out_given(counter, kStatement, 20);
      ledger.landed(counter, from(20, true, std::string(40, 'y')));
      ledger.hand_out_given(counter, kStatement, 10);
      ledger.landed(counter, from(10, false, "x"));
      ledger.changed(counter, from(12, false, "x"), from(12, true, std::string(30, 'z')));
      ledger.member_left(counter, bytes("x"));
      ledger.track(2);
      ledger.renamed(1, bytes("a"), bytes("b"));
    } catch (const std::bad_alloc&) {
      failed = true;
      ++failures;
    }
    arena.fail_at(0);
    ledger.abort_depth(2);
    ASSERT_NE(counter.tracked_notes(), nullptr);
    EXPECT_EQ(ranges(counter.tracked_notes()->skips.removed), (Ranges{{3, 3}}));
    EXPECT_TRUE(counter.tracked_notes()->skips.uncounted.empty());
    EXPECT_TRUE(counter.tracked_notes()->skips.counted.empty());
    EXPECT_EQ(counter.tracked_notes()->members.size(), 1U);
    EXPECT_EQ(counter.tracked_notes()->members.entry(0).event, Event::kJoined);
    EXPECT_EQ(counter.last(), 5);
    if (!failed) break;
  }
  EXPECT_GT(failures, 15);
}

// Mentions

Message naming(std::int64_t number, bool counted, std::string_view sender, std::string_view mentions) {
  Message result = from(number, counted, sender);
  result.mentions_kept = true;
  result.mentions = bytes(mentions);
  return result;
}

Ranges mentioned(const Counter& counter) {
  return counter.tracked_notes() == nullptr ? Ranges{} : ranges(counter.tracked_notes()->mentioned);
}

class MentionsTest : public TrackedTest {
 protected:
  void land(Counter& counter, std::string_view mentions, bool counted = true) {
    const std::int64_t number = ledger.hand_out(counter, kStatement);
    EXPECT_TRUE(ledger.landed(counter, naming(number, counted, "x", mentions)));
  }
};

TEST_F(MentionsTest, AMessageThatMentionsNobodyIsNotNoted) {
  Counter& counter = chat("a", 5);
  land(counter, "");
  EXPECT_EQ(mentioned(counter), Ranges{});
  land(counter, "bc");
  land(counter, "", false);
  land(counter, "b", false);
  EXPECT_EQ(mentioned(counter), (Ranges{{7, 7}, {9, 9}}));
}

TEST_F(MentionsTest, WhereNobodyKeepsThemNothingIsNoted) {
  Counter& counter = chat("a", 5);
  Message sent = naming(ledger.hand_out(counter, kStatement), true, "x", "b");
  sent.mentions_kept = false;
  EXPECT_TRUE(ledger.landed(counter, sent));
  Message before = naming(3, true, "x", "b");
  Message after = naming(3, true, "y", "c");
  before.mentions_kept = after.mentions_kept = false;
  ledger.changed(counter, before, after);
  EXPECT_EQ(mentioned(counter), Ranges{});
  Counter& untracked = chat("a", 5, kUntracked);
  ledger.mentions_changed(untracked, 3);
  EXPECT_EQ(untracked.tracked_notes(), nullptr);
  EXPECT_FALSE(untracked.notes().any);
}

TEST_F(MentionsTest, AChangeOfMentionsOrOfTheSenderIsNoted) {
  EXPECT_TRUE(Ledger::mentions_others(naming(1, true, "x", "b"), naming(1, true, "x", "c")));
  EXPECT_TRUE(Ledger::mentions_others(naming(1, true, "x", "b"), naming(1, true, "x", "")));
  EXPECT_TRUE(Ledger::mentions_others(naming(1, true, "x", "b"), naming(1, true, "b", "b")));
  EXPECT_FALSE(Ledger::mentions_others(naming(1, true, "x", "b"), naming(1, false, "x", "b")));
  EXPECT_FALSE(Ledger::mentions_others(naming(1, true, "x", ""), naming(1, true, "y", "")));
  Message nobody = naming(1, true, "", "b");
  nobody.sender_null = true;
  EXPECT_TRUE(Ledger::mentions_others(naming(1, true, "", "b"), nobody));
  Counter& counter = chat("a", 5);
  ledger.changed(counter, naming(2, false, "x", "b"), naming(2, false, "x", "c"));
  ledger.changed(counter, naming(3, true, "x", "b"), naming(3, false, "x", "b"));
  EXPECT_EQ(mentioned(counter), (Ranges{{2, 2}}));
}

TEST_F(MentionsTest, ANumberThatWasThereBeforeIsNotedWhateverItsMessageSays) {
  Counter& counter = chat("a", 5);
  ledger.removed(counter, naming(4, true, "x", "b"));
  ledger.hand_out_given(counter, kStatement, 4);
  EXPECT_TRUE(ledger.landed(counter, naming(4, true, "x", "")));
  EXPECT_EQ(mentioned(counter), (Ranges{{4, 4}}));
  EXPECT_FALSE(counter.tracked_notes()->skips.removed.contains(4));
}

TEST_F(MentionsTest, ARollbackTakesThemBackAndAWriteIsDoneWithThem) {
  Counter& counter = chat("a", 5);
  land(counter, "b");
  ledger.set_depth(2);
  land(counter, "b");
  ledger.mentions_changed(counter, 2);
  EXPECT_EQ(mentioned(counter), (Ranges{{2, 2}, {6, 7}}));
  ledger.abort_depth(2);
  EXPECT_EQ(mentioned(counter), (Ranges{{6, 6}}));
  ledger.written(counter, kRow);
  EXPECT_EQ(mentioned(counter), Ranges{});
}

// A twin that keeps whole rows: what is stored of them is made equal from the notes alone, as the glue does it.
TEST_F(MentionsTest, WhatIsNotedIsEnoughToKeepATableOfMentions) {
  struct Row {
    bool counted;
    std::string sender;
    std::string mentions;
  };
  using Stored = std::map<std::int64_t, std::pair<std::string, std::string>>;  // sender and mentions
  std::mt19937 random(7);
  const auto pick = [&random](int most) { return std::uniform_int_distribution<>(0, most)(random); };
  const std::string words[] = {"", "a", "b", "ab"};
  for (int round = 0; round < 200; ++round) {
    Counter& counter = chat("twin " + std::to_string(round));
    std::map<std::int64_t, Row> rows;
    Stored stored;
    for (int statement = 0; statement < 20; ++statement) {
      for (int event = pick(6); event >= 0; --event) {
        Row row = {pick(2) != 0, pick(1) != 0 ? "a" : "c", words[pick(3)]};
        auto victim = rows.begin();
        if (!rows.empty()) std::advance(victim, pick(static_cast<int>(rows.size()) - 1));
        const int what = rows.empty() ? 0 : pick(3);
        if (what == 0) {
          const std::int64_t number = ledger.hand_out(counter, kStatement);
          ASSERT_TRUE(ledger.landed(counter, naming(number, row.counted, row.sender, row.mentions)));
          rows[number] = row;
        } else if (what == 1) {
          const Row& old = victim->second;
          ledger.changed(counter, naming(victim->first, old.counted, old.sender, old.mentions),
                         naming(victim->first, row.counted, row.sender, row.mentions));
          victim->second = row;
        } else {
          const Row& old = victim->second;
          const std::int64_t number = victim->first;
          ledger.removed(counter, naming(number, old.counted, old.sender, old.mentions));
          rows.erase(victim);
          if (what == 3) {  // it goes to another partition
            ledger.hand_out_given(counter, kStatement, number);
            ASSERT_TRUE(ledger.landed(counter, naming(number, row.counted, row.sender, row.mentions)));
            rows[number] = row;
          }
        }
      }
      if (const TrackedNotes* const notes = counter.tracked_notes()) {
        notes->skips.removed.for_each(
            [&](std::int64_t first, std::int64_t last) { stored.erase(stored.lower_bound(first), stored.upper_bound(last)); });
        notes->mentioned.for_each([&](std::int64_t first, std::int64_t last) {
          stored.erase(stored.lower_bound(first), stored.upper_bound(last));
          for (auto row = rows.lower_bound(first); row != rows.end() && row->first <= last; ++row)
            if (!row->second.mentions.empty()) stored[row->first] = {row->second.sender, row->second.mentions};
        });
      }
      ledger.written(counter, kRow);
      Stored wanted;
      for (const auto& [number, row] : rows)
        if (!row.mentions.empty()) wanted[number] = {row.sender, row.mentions};
      ASSERT_EQ(stored, wanted) << "round " << round << ", statement " << statement;
    }
  }
}

}  // namespace
