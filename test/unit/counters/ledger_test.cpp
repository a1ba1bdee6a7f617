// The contracts of core/counters/ledger.hpp, one by one.
#include "core/counters/ledger.hpp"

#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "../support/arena.hpp"
#include "../support/messages.hpp"

namespace {

using namespace chatopt::core;
using namespace chatopt::test;

constexpr Ledger::Tag kStatement = 101;
constexpr Ledger::Tag kNested = 102;
constexpr RowLocation kRow{7, 1};
constexpr RowLocation kOtherRow{8, 1};
constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

// An exception of the destructor would end every session.
static_assert(std::is_nothrow_destructible_v<Ledger>);
static_assert(std::is_nothrow_destructible_v<Image>);
static_assert(std::is_nothrow_destructible_v<Notes>);
static_assert(alignof(Ledger) <= 8);

class LedgerTest : public testing::Test {
 protected:
  // The counter of conversation key, locked, its last message's number as given.
  Counter& chat(std::string_view key, std::int64_t last = 0) {
    Counter& counter = ledger.counter(1, bytes(key));
    ledger.row_locked(counter, kRow, true, last);
    return counter;
  }
  std::int64_t land_next(Counter& counter, bool counted = true, Ledger::Tag statement = kStatement) {
    const std::int64_t number = ledger.hand_out(counter, statement);
    EXPECT_TRUE(ledger.landed(counter, message(number, counted, "k")));
    return number;
  }
  void savepoint(int depth) { ledger.set_depth(depth); }
  std::vector<Counter*> noted() {
    std::vector<Counter*> result(ledger.noted_count());
    ledger.noted(result);
    return result;
  }

  Arena arena;
  Ledger ledger{arena};
};

// Image

TEST(Image, IsNullAndEmptyWhenMade) {
  Arena arena;
  const Image image(arena);
  EXPECT_TRUE(image.null());
  EXPECT_TRUE(image.bytes().empty());
}

TEST(Image, Keeps24BytesWithoutAllocationAndMoreWithOne) {
  Arena arena;
  Image image(arena);
  const std::string key(24, 'x');
  image.set(bytes(key));
  EXPECT_EQ(arena.allocations(), 0U);
  EXPECT_EQ(text(image.bytes()), key);
  EXPECT_FALSE(image.null());
  const std::string longer(25, 'y');
  image.set(bytes(longer));
  EXPECT_EQ(arena.allocations(), 1U);
  EXPECT_EQ(text(image.bytes()), longer);
}

TEST(Image, AnEmptyValueIsNotNull) {
  Arena arena;
  Image image(arena);
  image.set(bytes(""));
  EXPECT_FALSE(image.null());
  image.set(bytes(""), true);
  EXPECT_TRUE(image.null());
}

TEST(Image, ACopyIsIndependentAndSurvivesAssignmentToItself) {
  Arena arena;
  Image image(arena);
  image.set(bytes(std::string(40, 'x')));
  const Image copy(image, arena);
  image.set(bytes("other"));
  EXPECT_EQ(text(copy.bytes()), std::string(40, 'x'));
  const Image& itself = image;
  image = itself;
  EXPECT_EQ(text(image.bytes()), "other");
}

// Counters

TEST_F(LedgerTest, ACounterIsMadeOnceAndKeepsItsAddress) {
  Counter& first = ledger.counter(1, bytes("a"));
  for (int i = 0; i < 1000; ++i) (void)ledger.counter(1, bytes(std::to_string(i)));
  EXPECT_EQ(&ledger.counter(1, bytes("a")), &first);
  EXPECT_EQ(ledger.size(), 1001U);
  EXPECT_EQ(first.target(), 1U);
  EXPECT_EQ(text(first.key()), "a");
}

TEST_F(LedgerTest, CountersOfTwoTablesAndOfLongKeysAreDifferent) {
  const std::string key(300, 'k');
  EXPECT_NE(&ledger.counter(1, bytes(key)), &ledger.counter(2, bytes(key)));
  EXPECT_NE(&ledger.counter(1, bytes(key)), &ledger.counter(1, bytes(key + "k")));
  EXPECT_NE(&ledger.counter(1, bytes("")), &ledger.counter(1, bytes(std::string_view("\0", 1))));
}

TEST_F(LedgerTest, ACounterKeepsItsOwnCopyOfTheKey) {
  std::string key(40, 'k');
  Counter& counter = ledger.counter(1, bytes(key));
  key.assign(40, 'z');
  EXPECT_EQ(text(counter.key()), std::string(40, 'k'));
  EXPECT_EQ(&ledger.counter(1, bytes(std::string(40, 'k'))), &counter);
}

TEST_F(LedgerTest, ANewCounterKnowsNothing) {
  Counter& counter = ledger.counter(1, bytes("a"));
  EXPECT_FALSE(counter.locked());
  EXPECT_FALSE(counter.filled());
  EXPECT_FALSE(counter.row().known());
  EXPECT_EQ(counter.last(), 0);
  EXPECT_FALSE(counter.exhausted());
  EXPECT_FALSE(counter.notes().any);
  EXPECT_EQ(ledger.noted_count(), 0U);
}

TEST_F(LedgerTest, RowLockedTellsWhereTheRowIsAndItsLast) {
  Counter& counter = chat("a", 41);
  EXPECT_TRUE(counter.locked());
  EXPECT_TRUE(counter.filled());
  EXPECT_TRUE(same(counter.row(), kRow));
  EXPECT_EQ(counter.last(), 41);
  EXPECT_FALSE(counter.notes().any);
}

TEST_F(LedgerTest, TheLastOfACounterThatIsNotFilledIsIgnored) {
  Counter& counter = ledger.counter(1, bytes("a"));
  ledger.row_locked(counter, kRow, false, 41);
  EXPECT_TRUE(counter.locked());
  EXPECT_FALSE(counter.filled());
  EXPECT_EQ(counter.last(), 0);
}

TEST_F(LedgerTest, ReadingALockedRowAgainNeverTakesNumbersBack) {
  Counter& counter = chat("a", 5);
  EXPECT_EQ(land_next(counter), 6);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 7);
  ledger.row_locked(counter, kOtherRow, true, 5);
  EXPECT_EQ(counter.last(), 6);
  EXPECT_TRUE(same(counter.row(), kOtherRow));
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 8);
}

TEST_F(LedgerTest, ReadingALockedRowAgainTakesAGreaterLast) {
  Counter& counter = chat("a", 5);
  ledger.row_locked(counter, kRow, true, 9);
  EXPECT_EQ(counter.last(), 9);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 10);
}

TEST_F(LedgerTest, RowGoneForgetsAllOfAConversation) {
  Counter& counter = chat("a", 5);
  land_next(counter);
  ledger.removed(counter, message(3, false));
  ledger.row_gone(counter);
  EXPECT_FALSE(counter.locked());
  EXPECT_FALSE(counter.row().known());
  EXPECT_EQ(counter.last(), 0);
  EXPECT_FALSE(counter.notes().any);
  EXPECT_FALSE(Ledger::was_removed(counter, 3));
  EXPECT_EQ(ledger.noted_count(), 0U);
  EXPECT_EQ(land_next(chat("a", 0)), 1) << "made again under its key, it starts anew";
}

TEST_F(LedgerTest, ForgetRowsFindsAgainWhatIsToBeWrittenAndReadsAgainTheRest) {
  Counter& noted_one = chat("noted", 5);
  land_next(noted_one);
  Counter& idle = chat("idle", 5);
  Counter& under_way = chat("under way", 5);
  EXPECT_EQ(ledger.hand_out(under_way, kStatement), 6);
  ledger.forget_rows();
  EXPECT_FALSE(noted_one.row().known());
  EXPECT_TRUE(noted_one.locked());
  EXPECT_EQ(noted_one.last(), 6);
  EXPECT_EQ(noted_one.notes().messages, 1);
  EXPECT_FALSE(idle.locked());
  EXPECT_EQ(idle.last(), 0);
  EXPECT_FALSE(under_way.row().known());
  EXPECT_EQ(ledger.hand_out(under_way, kStatement), 7);
}

TEST_F(LedgerTest, ForgetRowsHoldsAfterARollBack) {
  Counter& counter = chat("a", 5);
  land_next(counter);
  savepoint(2);
  land_next(counter);
  ledger.forget_rows();
  ledger.abort_depth(2);
  EXPECT_FALSE(counter.row().known());
  EXPECT_EQ(counter.last(), 6);
}

// Numbers

TEST_F(LedgerTest, HandsOutOneNumberAfterAnother) {
  Counter& counter = chat("a", 10);
  for (std::int64_t number = 11; number < 100; ++number) EXPECT_EQ(land_next(counter), number);
  EXPECT_EQ(counter.last(), 99);
}

TEST_F(LedgerTest, LastMovesWhenARowLandsNotWhenItsNumberIsHandedOut) {
  Counter& counter = chat("a", 10);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 11);
  EXPECT_EQ(counter.last(), 10);
  EXPECT_TRUE(ledger.landed(counter, message(11, true)));
  EXPECT_EQ(counter.last(), 11);
}

TEST_F(LedgerTest, ConversationsAreNumberedApart) {
  Counter& a = chat("a", 10);
  Counter& b = chat("b", 3);
  EXPECT_EQ(land_next(a), 11);
  EXPECT_EQ(land_next(b), 4);
  EXPECT_EQ(land_next(a), 12);
}

TEST_F(LedgerTest, ANumberThatDidNotLandIsHandedOutAgain) {
  Counter& counter = chat("a");
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 1);
  EXPECT_EQ(ledger.reclaim(kStatement), 1);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 1);
}

TEST_F(LedgerTest, ReclaimReturns0WhenThePreviousRowLandedOrThereWasNone) {
  Counter& counter = chat("a");
  EXPECT_EQ(ledger.reclaim(kStatement), 0);
  land_next(counter);
  EXPECT_EQ(ledger.reclaim(kStatement), 0);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 2);
}

TEST_F(LedgerTest, ReclaimTakesBackOnlyItsOwnStatementsRow) {
  Counter& counter = chat("a");
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 1);
  EXPECT_EQ(ledger.reclaim(kNested), 0);
  EXPECT_EQ(ledger.hand_out(counter, kNested), 2);
  EXPECT_EQ(ledger.reclaim(kStatement), 1);
  EXPECT_TRUE(Ledger::is_free(counter, 1));
  EXPECT_FALSE(Ledger::is_free(counter, 2));
}

TEST_F(LedgerTest, ReclaimedNumbersAreHandedOutSmallestFirst) {
  Counter& counter = chat("a");
  for (int i = 0; i < 5; ++i) (void)ledger.hand_out(counter, kStatement);
  EXPECT_TRUE(ledger.landed(counter, message(3, true)));
  EXPECT_EQ(ledger.reclaim(kStatement), 5);
  EXPECT_EQ(ledger.reclaim(kStatement), 4);
  EXPECT_EQ(ledger.reclaim(kStatement), 2);
  EXPECT_EQ(ledger.reclaim(kStatement), 1);
  EXPECT_EQ(ledger.reclaim(kStatement), 0);
  for (const std::int64_t number : {1, 2, 4, 5, 6}) EXPECT_EQ(ledger.hand_out(counter, kStatement), number);
}

TEST_F(LedgerTest, WhatDidNotLandIsForgottenWhenTheStatementEnds) {
  Counter& counter = chat("a", 5);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
  EXPECT_EQ(ledger.reclaim(kStatement), 6);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 7);
  ledger.statement_ended(kStatement);
  EXPECT_FALSE(Ledger::is_free(counter, 6));
  EXPECT_EQ(ledger.hand_out(counter, kNested), 6);
}

TEST_F(LedgerTest, RowsDoneLeavesNothingUnderWay) {
  Counter& counter = chat("a");
  (void)ledger.hand_out(counter, kStatement);
  ledger.rows_done(kStatement);
  EXPECT_EQ(ledger.reclaim(kStatement), 0);
  EXPECT_FALSE(ledger.landed(counter, message(1, true)));
}

TEST_F(LedgerTest, HandOutAgainGivesAFreeNumberOnce) {
  Counter& counter = chat("a");
  EXPECT_FALSE(ledger.hand_out_again(counter, kStatement, 1));
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 1);
  EXPECT_FALSE(ledger.hand_out_again(counter, kStatement, 1)) << "its row is under way";
  EXPECT_EQ(ledger.reclaim(kStatement), 1);
  EXPECT_TRUE(Ledger::is_free(counter, 1));
  EXPECT_TRUE(ledger.hand_out_again(counter, kStatement, 1));
  EXPECT_FALSE(Ledger::is_free(counter, 1));
  EXPECT_FALSE(ledger.hand_out_again(counter, kStatement, 1));
  EXPECT_TRUE(ledger.landed(counter, message(1, true)));
  EXPECT_EQ(counter.last(), 1);
}

TEST_F(LedgerTest, AGivenNumberGoesBackToNobody) {
  Counter& counter = chat("a", 5);
  ledger.hand_out_given(counter, kStatement, 50);
  EXPECT_EQ(ledger.reclaim(kStatement), 50);
  EXPECT_FALSE(Ledger::is_free(counter, 50));
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
}

TEST_F(LedgerTest, AGivenNumberThatLandedMovesLast) {
  Counter& counter = chat("a", 5);
  ledger.hand_out_given(counter, kStatement, 50);
  EXPECT_EQ(counter.last(), 5);
  EXPECT_TRUE(ledger.landed(counter, message(50, true)));
  EXPECT_EQ(counter.last(), 50);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 51);
}

TEST_F(LedgerTest, LandedIsFalseForANumberThatWasNotHandedOut) {
  Counter& a = chat("a");
  Counter& b = chat("b");
  EXPECT_FALSE(ledger.landed(a, message(1, true)));
  EXPECT_EQ(ledger.hand_out(a, kStatement), 1);
  EXPECT_FALSE(ledger.landed(a, message(2, true)));
  EXPECT_FALSE(ledger.landed(b, message(1, true))) << "another conversation's";
  EXPECT_FALSE(a.notes().any);
  EXPECT_TRUE(ledger.landed(a, message(1, true)));
  EXPECT_FALSE(ledger.landed(a, message(1, true))) << "it has landed";
  EXPECT_EQ(a.notes().messages, 1);
}

TEST_F(LedgerTest, ExhaustedWhenTheGreatestNumberThereIsWasHandedOut) {
  Counter& counter = chat("a", kGreatest - 1);
  EXPECT_FALSE(counter.exhausted());
  EXPECT_EQ(ledger.hand_out(counter, kStatement), kGreatest);
  EXPECT_TRUE(counter.exhausted());
  EXPECT_EQ(ledger.reclaim(kStatement), kGreatest);
  EXPECT_FALSE(counter.exhausted()) << "it can be handed out again";
  EXPECT_EQ(land_next(counter), kGreatest);
  EXPECT_TRUE(counter.exhausted());
  ledger.statement_ended(kStatement);
  EXPECT_TRUE(counter.exhausted());
  EXPECT_TRUE(chat("b", kGreatest).exhausted());
}

// Rows that get no number

TEST_F(LedgerTest, APassedRowHasNoNumberToTakeBack) {
  ledger.pass(kStatement);
  EXPECT_EQ(ledger.reclaim(kStatement), 0);
  ledger.pass(kStatement);
  ledger.passed_landed();
  Counter& counter = chat("a");
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 1);
  EXPECT_TRUE(ledger.sole_landed(kRow, true)) << "the passed row is no longer under way";
}

TEST_F(LedgerTest, PassedLandedWithoutAPassedRowChangesNothing) {
  Counter& counter = chat("a");
  ledger.passed_landed();
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 1);
  ledger.passed_landed();
  EXPECT_TRUE(ledger.landed(counter, message(1, true)));
}

// sole_landed

TEST_F(LedgerTest, SoleLandedLandsTheOnlyRowUnderWay) {
  Counter& counter = chat("a", 4);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 5);
  EXPECT_TRUE(ledger.sole_landed(kOtherRow, true));
  EXPECT_EQ(counter.last(), 5);
  EXPECT_EQ(counter.notes().messages, 1);
  EXPECT_EQ(counter.notes().came.number, 5);
  EXPECT_TRUE(same(counter.notes().came.row, kOtherRow));
  EXPECT_EQ(ledger.reclaim(kStatement), 0);
}

TEST_F(LedgerTest, SoleLandedIsFalseWhenNoRowIsUnderWay) { EXPECT_FALSE(ledger.sole_landed(kRow, true)); }

TEST_F(LedgerTest, SoleLandedIsFalseAndChangesNothingWhenMoreRowsAreUnderWay) {
  Counter& a = chat("a");
  Counter& b = chat("b");
  EXPECT_EQ(ledger.hand_out(a, kStatement), 1);
  EXPECT_EQ(ledger.hand_out(b, kNested), 1);
  EXPECT_FALSE(ledger.sole_landed(kRow, true));
  EXPECT_FALSE(a.notes().any);
  EXPECT_FALSE(b.notes().any);
  EXPECT_TRUE(ledger.landed(b, message(1, true)));
  EXPECT_TRUE(ledger.sole_landed(kRow, true));
  EXPECT_EQ(a.notes().messages, 1);
  EXPECT_EQ(b.notes().messages, 1);
}

TEST_F(LedgerTest, SoleLandedOfAPassedRowNotesNothing) {
  ledger.pass(kStatement);
  EXPECT_TRUE(ledger.sole_landed(kRow, true));
  EXPECT_EQ(ledger.noted_count(), 0U);
  EXPECT_FALSE(ledger.sole_landed(kRow, true));
}

// What rows leave in the notes

TEST_F(LedgerTest, AnUncountedRowMovesLastAndNoCount) {
  Counter& counter = chat("a");
  land_next(counter, false);
  EXPECT_TRUE(counter.notes().any);
  EXPECT_EQ(counter.last(), 1);
  EXPECT_EQ(counter.notes().messages, 0);
  EXPECT_EQ(counter.notes().came.number, 0);
}

TEST_F(LedgerTest, CameIsTheGreatestCountedNumberThatLandedWithItsKeyAndTime) {
  Counter& counter = chat("a");
  for (int i = 0; i < 4; ++i) (void)ledger.hand_out(counter, kStatement);
  Message second = message(2, true, "second");
  second.time = bytes("noon");
  second.time_null = false;
  EXPECT_TRUE(ledger.landed(counter, message(4, false, "fourth")));
  EXPECT_TRUE(ledger.landed(counter, second));
  EXPECT_TRUE(ledger.landed(counter, message(1, true, "first")));
  const Notes& notes = counter.notes();
  EXPECT_EQ(notes.came.number, 2);
  EXPECT_EQ(text(notes.came.key.bytes()), "second");
  EXPECT_EQ(text(notes.came.time.bytes()), "noon");
  EXPECT_FALSE(notes.came.time.null());
  EXPECT_FALSE(notes.came.row.known());
  EXPECT_EQ(notes.messages, 2);
  EXPECT_FALSE(notes.unsure);
}

TEST_F(LedgerTest, ANullTimeIsKeptAsNull) {
  Counter& counter = chat("a");
  land_next(counter);
  EXPECT_TRUE(counter.notes().came.time.null());
  EXPECT_FALSE(counter.notes().came.key.null());
}

TEST_F(LedgerTest, WentIsTheGreatestCountedNumberThatWasRemoved) {
  Counter& counter = chat("a", 9);
  ledger.removed(counter, message(4, true, "four"));
  ledger.removed(counter, message(8, false, "eight"));
  ledger.removed(counter, message(6, true, "six"));
  ledger.removed(counter, message(5, true, "five"));
  const Notes& notes = counter.notes();
  EXPECT_EQ(notes.went.number, 6);
  EXPECT_EQ(text(notes.went.key.bytes()), "six");
  EXPECT_EQ(notes.messages, -3);
  EXPECT_EQ(counter.last(), 9) << "numbers of removed rows are not given again";
  EXPECT_FALSE(notes.unsure);
  for (const std::int64_t number : {4, 5, 6, 8}) EXPECT_TRUE(Ledger::was_removed(counter, number));
  EXPECT_FALSE(Ledger::was_removed(counter, 7));
}

TEST_F(LedgerTest, UnsureWhenWhatCameGoesAgain) {
  Counter& counter = chat("a", 3);
  land_next(counter);
  EXPECT_FALSE(counter.notes().unsure);
  ledger.removed(counter, message(4, true, "k"));
  EXPECT_TRUE(counter.notes().unsure);
  EXPECT_EQ(counter.notes().came.number, 0);
  EXPECT_EQ(counter.notes().messages, 0);
}

TEST_F(LedgerTest, UnsureWhenWhatCameIsNoLongerCounted) {
  Counter& counter = chat("a", 3);
  land_next(counter);
  ledger.changed(counter, message(4, true, "k"), message(4, false, "k"));
  EXPECT_TRUE(counter.notes().unsure);
  EXPECT_EQ(counter.notes().came.number, 0);
  EXPECT_EQ(counter.notes().went.number, 4);
  EXPECT_EQ(counter.notes().messages, 0);
}

TEST_F(LedgerTest, ARowThatBecameCountedCameAndIsUnsure) {
  Counter& counter = chat("a", 9);
  ledger.changed(counter, message(4, false, "k"), message(4, true, "k"));
  EXPECT_EQ(counter.notes().messages, 1);
  EXPECT_EQ(counter.notes().came.number, 4);
  EXPECT_EQ(counter.notes().went.number, 0);
  EXPECT_TRUE(counter.notes().unsure);
}

TEST_F(LedgerTest, ARowThatChangedItsKeyWentWithTheOldAndCameWithTheNew) {
  Counter& counter = chat("a", 9);
  ledger.changed(counter, message(4, true, "old"), message(4, true, "new"));
  const Notes& notes = counter.notes();
  EXPECT_EQ(notes.messages, 0);
  EXPECT_EQ(notes.went.number, 4);
  EXPECT_EQ(text(notes.went.key.bytes()), "old");
  EXPECT_EQ(notes.came.number, 4);
  EXPECT_EQ(text(notes.came.key.bytes()), "new");
  EXPECT_FALSE(notes.unsure);
}

TEST_F(LedgerTest, AChangeOfARowThatIsNotCountedMovesNothing) {
  Counter& counter = chat("a", 9);
  ledger.changed(counter, message(4, false, "old"), message(4, false, "new"));
  const Notes& notes = counter.notes();
  EXPECT_EQ(notes.messages, 0);
  EXPECT_EQ(notes.went.number, 0);
  EXPECT_EQ(notes.came.number, 0);
  EXPECT_FALSE(notes.unsure);
}

TEST_F(LedgerTest, ARowMovedWithItsNumberIsSure) {
  Counter& counter = chat("a", 9);
  ledger.removed(counter, message(4, true, "old"));
  EXPECT_TRUE(Ledger::was_removed(counter, 4));
  ledger.hand_out_given(counter, kStatement, 4);
  EXPECT_TRUE(ledger.landed(counter, message(4, true, "new")));
  EXPECT_FALSE(Ledger::was_removed(counter, 4));
  EXPECT_EQ(counter.notes().messages, 0);
  EXPECT_FALSE(counter.notes().unsure);
  EXPECT_EQ(counter.notes().came.number, 4);
}

TEST_F(LedgerTest, UnsureWhenAnUncountedRowIsCountedWhereItMovedTo) {
  Counter& counter = chat("a", 9);
  ledger.removed(counter, message(4, false, "old"));
  ledger.hand_out_given(counter, kStatement, 4);
  EXPECT_TRUE(ledger.landed(counter, message(4, true, "new")));
  EXPECT_TRUE(counter.notes().unsure);
  EXPECT_EQ(counter.notes().messages, 1);
}

TEST_F(LedgerTest, UnsureWhenACountedRowIsImported) {
  Counter& counter = chat("a", 9);
  ledger.hand_out_given(counter, kStatement, 4);
  EXPECT_TRUE(ledger.landed(counter, message(4, false)));
  EXPECT_FALSE(counter.notes().unsure);
  ledger.hand_out_given(counter, kStatement, 5);
  EXPECT_TRUE(ledger.landed(counter, message(5, true)));
  EXPECT_TRUE(counter.notes().unsure);
}

TEST_F(LedgerTest, ARestoredRowCountsAgainAndIsUnsure) {
  Counter& counter = chat("a", 9);
  ledger.restored(counter, message(6, true, "six"));
  ledger.restored(counter, message(4, true, "four"));
  ledger.restored(counter, message(8, false, "eight"));
  const Notes& notes = counter.notes();
  EXPECT_EQ(notes.messages, 2);
  EXPECT_EQ(notes.came.number, 6);
  EXPECT_EQ(text(notes.came.key.bytes()), "six");
  EXPECT_TRUE(notes.unsure);
  EXPECT_EQ(counter.last(), 9);
}

TEST_F(LedgerTest, AnUncountedRowThatIsRestoredIsToBeWrittenAndSure) {
  Counter& counter = chat("a", 9);
  ledger.restored(counter, message(4, false));
  EXPECT_TRUE(counter.notes().any);
  EXPECT_FALSE(counter.notes().unsure);
  EXPECT_EQ(counter.notes().messages, 0);
}

TEST_F(LedgerTest, ARestoredNumberIsFreeNoMoreAndNumbersGoOnBehindIt) {
  Counter& counter = chat("a", 5);
  ledger.removed(counter, message(4, true, "k"));
  ledger.restored(counter, message(4, true, "k"));
  EXPECT_FALSE(Ledger::was_removed(counter, 4));
  EXPECT_EQ(counter.notes().messages, 0);
  ledger.restored(counter, message(8, true, "k"));
  EXPECT_EQ(counter.last(), 8);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 9);
}

TEST_F(LedgerTest, MembersAndMessagesAreSummed) {
  Counter& counter = ledger.counter(1, bytes("a"));
  ledger.members_changed(counter, 2);
  ledger.members_changed(counter, -5);
  ledger.messages_changed(counter, 7);
  ledger.messages_changed(counter, -1);
  EXPECT_TRUE(counter.notes().any);
  EXPECT_EQ(counter.notes().members, -3);
  EXPECT_EQ(counter.notes().messages, 6);
}

// Statements

TEST_F(LedgerTest, FirstNoteIsTrueOnceAStatement) {
  EXPECT_TRUE(ledger.first_note(kStatement));
  EXPECT_FALSE(ledger.first_note(kStatement));
  EXPECT_TRUE(ledger.first_note(kNested));
  EXPECT_FALSE(ledger.first_note(kStatement));
  ledger.statement_ended(kStatement);
  EXPECT_TRUE(ledger.first_note(kStatement)) << "a tag may be used again";
  EXPECT_FALSE(ledger.first_note(kNested));
}

TEST_F(LedgerTest, NotedAreTheCountersWithNotesEachOnce) {
  Counter& a = chat("a");
  Counter& b = chat("b");
  (void)chat("c");
  EXPECT_EQ(ledger.noted_count(), 0U) << "locked only";
  land_next(a);
  land_next(a);
  ledger.members_changed(b, 1);
  EXPECT_EQ(noted(), (std::vector<Counter*>{&a, &b}));
}

TEST_F(LedgerTest, NotesSurviveTheEndOfTheirStatement) {
  Counter& counter = chat("a");
  land_next(counter);
  ledger.statement_ended(kStatement);
  EXPECT_EQ(noted(), (std::vector<Counter*>{&counter}));
}

TEST_F(LedgerTest, WrittenNotesAreDoneWith) {
  Counter& counter = chat("a", 3);
  land_next(counter);
  ledger.removed(counter, message(2, true, "two"));
  ledger.removed(counter, message(1, false));
  ledger.written(counter, kOtherRow);
  const Notes& notes = counter.notes();
  EXPECT_TRUE(same(counter.row(), kOtherRow));
  EXPECT_FALSE(notes.any);
  EXPECT_FALSE(notes.unsure);
  EXPECT_EQ(notes.messages, 0);
  EXPECT_EQ(notes.came.number, 0);
  EXPECT_EQ(notes.went.number, 0);
  EXPECT_FALSE(Ledger::was_removed(counter, 1));
  EXPECT_FALSE(Ledger::was_removed(counter, 2));
  EXPECT_EQ(ledger.noted_count(), 0U);
  EXPECT_EQ(counter.last(), 4);
  EXPECT_TRUE(counter.locked());
}

TEST_F(LedgerTest, WritingKeepsTheNumbersOfRowsUnderWay) {
  Counter& counter = chat("a");
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 1);
  EXPECT_EQ(land_next(counter, true, kNested), 2);
  ledger.rows_done(kNested);
  ledger.written(counter, kRow);
  ledger.statement_ended(kNested);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 3);
  EXPECT_TRUE(ledger.landed(counter, message(1, true)));
}

TEST_F(LedgerTest, DroppedNotesAreForgottenAndTheRowIsKept) {
  Counter& counter = chat("a", 3);
  land_next(counter);
  ledger.drop_notes(counter);
  EXPECT_FALSE(counter.notes().any);
  EXPECT_TRUE(same(counter.row(), kRow));
  EXPECT_EQ(ledger.noted_count(), 0U);
}

TEST_F(LedgerTest, ACounterWrittenAndChangedAgainIsNotedAgain) {
  Counter& counter = chat("a");
  for (int i = 0; i < 3; ++i) {
    land_next(counter);
    EXPECT_EQ(ledger.noted_count(), 1U);
    ledger.written(counter, kRow);
    ledger.statement_ended(kStatement);
    EXPECT_EQ(ledger.noted_count(), 0U);
  }
}

TEST_F(LedgerTest, AnOuterStatementUnderWayKeepsItsNumberWhenANestedOneEnds) {
  Counter& counter = chat("a");
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 1);
  EXPECT_EQ(ledger.hand_out(counter, kNested), 2);
  ledger.statement_ended(kNested);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 2) << "the nested one's number is forgotten, the outer one's is not";
  EXPECT_TRUE(ledger.landed(counter, message(1, true)));
  EXPECT_TRUE(ledger.landed(counter, message(2, true)));
}

TEST_F(LedgerTest, ANumberUnderWayWhenANestedStatementEndedIsForgottenIfItDoesNotLand) {
  Counter& counter = chat("a", 5);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
  land_next(chat("b"), true, kNested);
  ledger.statement_ended(kNested);
  ledger.statement_ended(kStatement);  // 6 met a conflict
  EXPECT_EQ(ledger.hand_out(counter, kNested), 6) << "no hole";
}

TEST_F(LedgerTest, ANestedStatementsEndLeavesTheOuterOnesFreeNumber) {
  Counter& counter = chat("a", 2);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 3);
  EXPECT_EQ(land_next(counter, true, kNested), 4);
  ledger.statement_ended(kNested);
  EXPECT_EQ(ledger.reclaim(kStatement), 3);  // did not land; the next row belongs elsewhere
  EXPECT_EQ(land_next(chat("b"), true, kStatement), 1);
  EXPECT_EQ(land_next(chat("c"), true, kNested), 1);  // a trigger of the row after it
  ledger.statement_ended(kNested);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 3) << "handed out again by the same statement, smallest first";
}

TEST_F(LedgerTest, ShrinkForgetsCountersAndTellsByTheEpoch) {
  for (int i = 0; i < 10; ++i) (void)chat(std::to_string(i), 5);
  const std::uint64_t epoch = ledger.epoch();
  ledger.shrink(10);
  EXPECT_EQ(ledger.size(), 10U);
  EXPECT_EQ(ledger.epoch(), epoch);
  ledger.shrink(9);
  EXPECT_EQ(ledger.size(), 0U);
  EXPECT_GT(ledger.epoch(), epoch);
  EXPECT_FALSE(ledger.counter(1, bytes("3")).locked());
  ledger.statement_ended(kStatement);
  EXPECT_EQ(land_next(chat("3", 5)), 6);
}

TEST_F(LedgerTest, ShrinkGivesMemoryBack) {
  for (int i = 0; i < 100; ++i) (void)chat(std::string(30, 'k') + std::to_string(i));
  const std::size_t before = arena.live_blocks();
  ledger.shrink(0);
  EXPECT_LT(arena.live_blocks(), before - 290) << "the counter, its state and its key";
}

TEST_F(LedgerTest, ShrinkWaitsWhileAnythingIsUnderWay) {
  Counter& counter = chat("a");
  (void)ledger.hand_out(counter, kStatement);
  ledger.shrink(0);
  EXPECT_EQ(ledger.size(), 1U) << "a row";
  EXPECT_TRUE(ledger.sole_landed(kRow, true));
  ledger.shrink(0);
  EXPECT_EQ(ledger.size(), 1U) << "notes";
  ledger.written(counter, kRow);
  savepoint(2);
  ledger.members_changed(counter, 1);
  ledger.written(counter, kRow);
  ledger.shrink(0);
  EXPECT_EQ(ledger.size(), 1U) << "a savepoint";
  ledger.commit_depth(2);
  ledger.shrink(0);
  EXPECT_EQ(ledger.size(), 0U);
}

// Renamed conversations

TEST_F(LedgerTest, RenamedTakesAllThatIsKnownAndNotedToTheNewKey) {
  Counter& a = chat("a", 5);
  land_next(a);
  ledger.removed(a, message(2, true, "two"));
  ledger.renamed(1, bytes("a"), bytes("b"));
  Counter& b = ledger.counter(1, bytes("b"));
  EXPECT_TRUE(b.locked());
  EXPECT_EQ(b.last(), 6);
  EXPECT_EQ(b.notes().messages, 0);
  EXPECT_EQ(b.notes().came.number, 6);
  EXPECT_TRUE(Ledger::was_removed(b, 2));
  EXPECT_FALSE(a.locked());
  EXPECT_FALSE(a.notes().any);
  EXPECT_EQ(noted(), (std::vector<Counter*>{&b}));
  EXPECT_EQ(land_next(b), 7);
}

TEST_F(LedgerTest, RenamedTakesRowsUnderWayAlong) {
  Counter& a = chat("a", 5);
  EXPECT_EQ(ledger.hand_out(a, kStatement), 6);
  ledger.renamed(1, bytes("a"), bytes("b"));
  Counter& b = ledger.counter(1, bytes("b"));
  EXPECT_FALSE(ledger.landed(a, message(6, true)));
  EXPECT_TRUE(ledger.landed(b, message(6, true)));
}

TEST_F(LedgerTest, RenamedConcernsOneTableOnly) {
  Counter& other = ledger.counter(2, bytes("a"));
  ledger.members_changed(other, 1);
  ledger.renamed(1, bytes("a"), bytes("b"));
  EXPECT_TRUE(other.notes().any);
  EXPECT_TRUE(ledger.was_renamed(1, bytes("a"), bytes("b")));
  EXPECT_FALSE(ledger.was_renamed(2, bytes("a"), bytes("b")));
  EXPECT_FALSE(ledger.was_renamed(1, bytes("b"), bytes("a")));
  EXPECT_EQ(&ledger.renamed_counter(other), &other);
}

TEST_F(LedgerTest, RenamedCounterFollowsAConversationFromKeyToKey) {
  ledger.renamed(1, bytes("a"), bytes("b"));
  ledger.renamed(1, bytes("b"), bytes("c"));
  Counter& c = ledger.counter(1, bytes("c"));
  EXPECT_EQ(&ledger.renamed_counter(ledger.counter(1, bytes("a"))), &c);
  EXPECT_EQ(&ledger.renamed_counter(ledger.counter(1, bytes("b"))), &c);
  EXPECT_EQ(&ledger.renamed_counter(c), &c);
  Counter& stranger = ledger.counter(1, bytes("x"));
  EXPECT_EQ(&ledger.renamed_counter(stranger), &stranger);
}

TEST_F(LedgerTest, RenamedCounterFollowsAKeyThatWentAndCameBack) {
  ledger.renamed(1, bytes("a"), bytes("b"));
  ledger.renamed(1, bytes("b"), bytes("a"));
  Counter& a = ledger.counter(1, bytes("a"));
  EXPECT_EQ(&ledger.renamed_counter(a), &a);
  EXPECT_EQ(&ledger.renamed_counter(ledger.counter(1, bytes("b"))), &a);
}

TEST_F(LedgerTest, RenamedCounterIsTheNewOwnersWhenTheKeyWasLockedSince) {
  ledger.renamed(1, bytes("a"), bytes("b"));
  Counter& a = chat("a");
  EXPECT_EQ(&ledger.renamed_counter(a), &a);
}

TEST_F(LedgerTest, RenamedCounterIsTheNewOwnersWhenAnotherWasRenamedToTheKeySince) {
  ledger.renamed(1, bytes("2"), bytes("3"));
  ledger.renamed(1, bytes("1"), bytes("2"));
  Counter& taken = ledger.counter(1, bytes("2"));
  EXPECT_EQ(&ledger.renamed_counter(taken), &taken) << "conversation 1 has key 2 now";
}

TEST_F(LedgerTest, RenamedCounterFollowsTheLastOneWhoHadTheKey) {
  ledger.renamed(1, bytes("a"), bytes("b"));
  ledger.renamed(1, bytes("a"), bytes("c"));  // another one, made under the key that was free
  EXPECT_EQ(&ledger.renamed_counter(ledger.counter(1, bytes("a"))), &ledger.counter(1, bytes("c")));
}

TEST_F(LedgerTest, ARenameRolledBackIsForgotten) {
  Counter& a = chat("a", 5);
  land_next(a);
  savepoint(2);
  ledger.renamed(1, bytes("a"), bytes("b"));
  EXPECT_TRUE(ledger.was_renamed(1, bytes("a"), bytes("b")));
  land_next(ledger.counter(1, bytes("b")));
  ledger.abort_depth(2);
  EXPECT_FALSE(ledger.was_renamed(1, bytes("a"), bytes("b")));
  EXPECT_EQ(a.last(), 6);
  EXPECT_EQ(a.notes().messages, 1);
  EXPECT_FALSE(ledger.counter(1, bytes("b")).locked());
  EXPECT_EQ(noted(), (std::vector<Counter*>{&a}));
}

TEST_F(LedgerTest, ARenameIsRolledBackWithTheDepthItWasCommittedInto) {
  Counter& a = chat("a", 5);
  savepoint(2);
  savepoint(3);
  ledger.renamed(1, bytes("a"), bytes("b"));
  ledger.commit_depth(3);
  EXPECT_TRUE(ledger.was_renamed(1, bytes("a"), bytes("b")));
  ledger.abort_depth(2);
  EXPECT_FALSE(ledger.was_renamed(1, bytes("a"), bytes("b")));
  EXPECT_EQ(a.last(), 5);
}

TEST_F(LedgerTest, ARowUnderWayIsItsConversationsAgainWhenARenameIsRolledBack) {
  Counter& a = chat("a", 5);
  EXPECT_EQ(ledger.hand_out(a, kStatement), 6);
  savepoint(2);
  ledger.renamed(1, bytes("a"), bytes("b"));
  ledger.abort_depth(2);
  EXPECT_TRUE(ledger.landed(a, message(6, true)));
  EXPECT_EQ(a.last(), 6);
}

// Savepoints

TEST_F(LedgerTest, RollingBackADepthRestoresTheCounterAsItWas) {
  Counter& counter = chat("a", 5);
  land_next(counter);
  ledger.removed(counter, message(2, false));
  savepoint(2);
  land_next(counter);
  ledger.removed(counter, message(3, true, "three"));
  ledger.members_changed(counter, 4);
  ledger.row_locked(counter, kOtherRow, true, 50);
  ledger.abort_depth(2);
  EXPECT_EQ(counter.last(), 6);
  EXPECT_TRUE(same(counter.row(), kRow));
  EXPECT_EQ(counter.notes().messages, 1);
  EXPECT_EQ(counter.notes().members, 0);
  EXPECT_EQ(counter.notes().came.number, 6);
  EXPECT_EQ(counter.notes().went.number, 0);
  EXPECT_TRUE(Ledger::was_removed(counter, 2));
  EXPECT_FALSE(Ledger::was_removed(counter, 3));
  EXPECT_EQ(land_next(counter), 7);
}

TEST_F(LedgerTest, ACounterMetInARolledBackDepthKnowsNothing) {
  savepoint(2);
  Counter& counter = chat("a", 5);
  land_next(counter);
  ledger.abort_depth(2);
  EXPECT_FALSE(counter.locked());
  EXPECT_FALSE(counter.notes().any);
  EXPECT_EQ(ledger.noted_count(), 0U);
  EXPECT_EQ(&ledger.counter(1, bytes("a")), &counter);
}

TEST_F(LedgerTest, RowsUnderWayOfARolledBackDepthAreForgotten) {
  Counter& counter = chat("a", 5);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
  savepoint(2);
  EXPECT_EQ(ledger.hand_out(counter, kNested), 7);
  ledger.pass(kNested);
  ledger.abort_depth(2);
  EXPECT_EQ(ledger.reclaim(kNested), 0);
  EXPECT_TRUE(ledger.sole_landed(kRow, true));
  EXPECT_EQ(counter.last(), 6);
}

TEST_F(LedgerTest, RollingBackRestoresFreeNumbers) {
  Counter& counter = chat("a", 5);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
  EXPECT_EQ(ledger.reclaim(kStatement), 6);
  savepoint(2);
  EXPECT_EQ(ledger.hand_out(counter, kNested), 6);
  EXPECT_FALSE(Ledger::is_free(counter, 6));
  ledger.abort_depth(2);
  EXPECT_TRUE(Ledger::is_free(counter, 6));
}

TEST_F(LedgerTest, ANumberHandedOutAgainAtADeeperDepthIsFreeAgainOnlyAfterItsRollBack) {
  Counter& counter = chat("a", 5);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
  EXPECT_EQ(ledger.reclaim(kStatement), 6);
  savepoint(2);
  EXPECT_TRUE(ledger.hand_out_again(counter, kNested, 6));
  EXPECT_FALSE(Ledger::is_free(counter, 6)) << "or it would be handed out twice";
  ledger.abort_depth(2);
  EXPECT_TRUE(Ledger::is_free(counter, 6));
}

TEST_F(LedgerTest, CommittingADepthKeepsItsChanges) {
  Counter& counter = chat("a", 5);
  savepoint(2);
  land_next(counter);
  ledger.commit_depth(2);
  EXPECT_EQ(counter.last(), 6);
  EXPECT_EQ(counter.notes().messages, 1);
  EXPECT_EQ(noted(), (std::vector<Counter*>{&counter}));
}

TEST_F(LedgerTest, WhatADepthCommittedIsRolledBackWithItsParent) {
  Counter& counter = chat("a", 5);
  savepoint(2);
  savepoint(3);
  land_next(counter);
  ledger.commit_depth(3);
  EXPECT_EQ(counter.last(), 6);
  ledger.abort_depth(2);
  EXPECT_EQ(counter.last(), 5);
  EXPECT_FALSE(counter.notes().any);
}

TEST_F(LedgerTest, TheParentsOwnOlderStateIsTheOneRestored) {
  Counter& counter = chat("a", 5);
  savepoint(2);
  land_next(counter);
  savepoint(3);
  land_next(counter);
  ledger.commit_depth(3);
  savepoint(3);
  land_next(counter);
  ledger.abort_depth(3);
  EXPECT_EQ(counter.last(), 7);
  ledger.abort_depth(2);
  EXPECT_EQ(counter.last(), 5);
}

TEST_F(LedgerTest, RollingBackADepthTakesDeeperOnesWithIt) {
  Counter& counter = chat("a", 5);
  for (int depth = 2; depth <= 6; ++depth) {
    savepoint(depth);
    land_next(counter);
  }
  ledger.abort_depth(4);
  EXPECT_EQ(counter.last(), 7);
  ledger.abort_depth(2);
  EXPECT_EQ(counter.last(), 5);
}

TEST_F(LedgerTest, ADepthThatChangedNothingCommitsAndRollsBackToNothing) {
  Counter& counter = chat("a", 5);
  land_next(counter);
  ledger.commit_depth(2);
  ledger.abort_depth(2);
  ledger.abort_depth(9);
  EXPECT_EQ(counter.last(), 6);
  EXPECT_EQ(counter.notes().messages, 1);
}

TEST_F(LedgerTest, ThousandsOfSavepointsOfOneCounterKeepNoMemory) {
  Counter& counter = chat("a");
  land_next(counter);
  ledger.written(counter, kRow);
  ledger.statement_ended(kStatement);
  std::size_t after_first = 0;
  for (int i = 0; i < 2000; ++i) {
    savepoint(2);
    land_next(counter);
    ledger.removed(counter, message(1, true, std::string(40, 'k')));
    ledger.written(counter, kRow);
    ledger.statement_ended(kStatement);
    if (i % 2 == 0)
      ledger.commit_depth(2);
    else
      ledger.abort_depth(2);
    if (i == 1) after_first = arena.live_blocks();
  }
  EXPECT_LE(arena.live_blocks(), after_first + 1);
}

TEST_F(LedgerTest, NotesRestoredByARollBackAreStillToBeWritten) {
  // An INSERT's first row has landed; the next one's trigger runs a statement in
  // a block with an exception handler: it ends, all is written, the block fails.
  Counter& counter = chat("a", 5);
  land_next(counter);
  savepoint(2);
  land_next(chat("b"), true, kNested);
  for (Counter* each : noted()) ledger.written(*each, kOtherRow);
  ledger.statement_ended(kNested);
  ledger.abort_depth(2);
  EXPECT_TRUE(counter.notes().any);
  EXPECT_EQ(noted(), (std::vector<Counter*>{&counter}));
}

TEST_F(LedgerTest, NotesMovedByARenameAndRestoredByARollBackAreStillToBeWritten) {
  Counter& counter = chat("a", 5);
  land_next(counter);
  savepoint(2);
  ledger.renamed(1, bytes("a"), bytes("b"));
  ledger.statement_ended(kNested);
  ledger.abort_depth(2);
  EXPECT_TRUE(counter.notes().any);
  EXPECT_EQ(noted(), (std::vector<Counter*>{&counter}));
}

// Memory

TEST(LedgerMemory, AnEmptyLedgerHoldsNone) {
  Arena arena;
  {
    Ledger ledger(arena);
    ledger.statement_ended(1);
    ledger.abort_depth(2);
    ledger.commit_depth(2);
    ledger.forget_rows();
    EXPECT_EQ(ledger.noted_count(), 0U);
  }
  EXPECT_EQ(arena.live_blocks(), 0U);
}

TEST(LedgerMemory, AMessageInAKnownConversationAllocatesNothing) {
  Arena arena;
  Ledger ledger(arena);
  Counter& counter = ledger.counter(1, bytes("a"));
  ledger.row_locked(counter, kRow, true, 0);
  std::size_t warm = 0;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(ledger.reclaim(kStatement), 0);
    EXPECT_EQ(ledger.hand_out(counter, kStatement), i + 1);
    EXPECT_TRUE(ledger.sole_landed(kOtherRow, true));
    (void)ledger.first_note(kStatement);
    ledger.rows_done(kStatement);
    ledger.written(counter, kRow);
    ledger.shrink(65536);
    ledger.statement_ended(kStatement);
    if (i == 0) warm = arena.allocations();
  }
  EXPECT_EQ(arena.allocations(), warm);
}

TEST(LedgerMemory, AFailedCounterIsNotThereAndCanBeMadeLater) {
  const std::string key(40, 'k');
  for (std::size_t n = 1; n <= 5; ++n) {
    SCOPED_TRACE(n);
    Arena arena;
    Ledger ledger(arena);
    arena.fail_at(n);
    bool failed = false;
    try {
      (void)ledger.counter(1, bytes(key));
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    EXPECT_EQ(ledger.size(), failed ? 0U : 1U);
    EXPECT_EQ(failed, n <= 5);
    EXPECT_EQ(text(ledger.counter(1, bytes(key)).key()), key);
    EXPECT_EQ(ledger.size(), 1U);
  }
}

TEST(LedgerMemory, AFailedLandingIsTakenBackWithItsDepth) {
  const std::string key(40, 'k');
  Arena arena;
  Ledger ledger(arena);
  Counter& counter = ledger.counter(1, bytes("a"));
  ledger.row_locked(counter, kRow, true, 5);
  ledger.set_depth(2);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
  arena.fail_at(1);
  EXPECT_THROW(ledger.landed(counter, message(6, true, key)), std::bad_alloc);
  ledger.abort_depth(2);
  EXPECT_EQ(counter.last(), 5);
  EXPECT_FALSE(counter.notes().any);
  EXPECT_EQ(ledger.hand_out(counter, kStatement), 6);
}

}  // namespace
