// Names of partitions.
#include "core/partitions/naming.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "times.hpp"

namespace {

using namespace chatopt::core;
using chatopt::test::kEveries;
using chatopt::test::local;

std::string text(const Result<PartitionName>& name) {
  if (!name) return "error " + std::to_string(static_cast<int>(name.error()));
  EXPECT_EQ(name->text[name->size], '\0');
  EXPECT_EQ(std::string(name->text), name->view());
  return std::string(name->view());
}

TEST(Naming, OfPeriods) {
  const Civil day{2026, 8, 3};
  EXPECT_EQ(text(period_name("m", default_pattern(Every::kDay), day)), "m_2026_08_03");
  EXPECT_EQ(text(period_name("m", default_pattern(Every::kWeek), day)), "m_2026_08_03");
  EXPECT_EQ(text(period_name("m", default_pattern(Every::kMonth), {2026, 11, 1})), "m_2026_11");
  EXPECT_EQ(text(period_name("m", default_pattern(Every::kQuarter), {2026, 10, 1})), "m_2026_q4");
  EXPECT_EQ(text(period_name("m", default_pattern(Every::kYear), {2026, 1, 1})), "m_2026");
  EXPECT_EQ(text(period_name("m", "_pYYYYMMDD", day)), "m_p20260803");
  EXPECT_EQ(text(period_name("m", "_pIYYY\"w\"IW", {2026, 12, 28})), "m_p2026w53");
  EXPECT_EQ(text(period_name("m", "_pIYYY\"w\"IW", {2024, 12, 30})), "m_p2025w01");
  EXPECT_EQ(text(period_name("m", "_pYYYY\"q\"Q", {2026, 7, 1})), "m_p2026q3");
  EXPECT_EQ(text(period_name("m", "\"_DD MM Q\"_YYYY", day)), "m_DD MM Q_2026");
  EXPECT_EQ(text(period_name("m", "_YYY_M_D_I_YYYYY", day)), "m_YYY_M_D_I_2026Y");
  EXPECT_EQ(text(period_name("m", "_YYYY", {0, 1, 1})), "m_0001bc");
  EXPECT_EQ(text(period_name("m", "_YYYY", {-4712, 1, 1})), "m_4713bc");
  EXPECT_EQ(text(period_name("m", "_YYYY", {7, 1, 1})), "m_0007");
  EXPECT_EQ(text(period_name("m", "_YYYY", {294276, 1, 1})), "m_294276");
}

TEST(Naming, OfPiecesAndOfWhatIsBefore) {
  EXPECT_EQ(text(piece_name("m", local("2026-08-03"))), "m_2026_08_03");
  EXPECT_EQ(text(piece_name("m", local("2026-08-03 03:00"))), "m_2026_08_03_030000");
  EXPECT_EQ(text(piece_name("m", local("1999-12-31 23:59:58.9"))), "m_1999_12_31_235958");
  EXPECT_EQ(text(piece_name("m", local("2026-08-03 00:00:01"))), "m_2026_08_03_000001");
  EXPECT_EQ(text(wide_name("m", default_pattern(Every::kMonth), {2026, 12, 1})), "m_before_2026_12");
  EXPECT_EQ(text(wide_name("m", "_pYYYYMMDD", {2026, 12, 1})), "m_before_p20261201");
}

TEST(Naming, CutsTheTablesNameAtACharacter) {
  const std::string_view pattern = "_YYYY_MM";  // 8 bytes: 55 are left
  const auto named = [&](const std::string& base) { return text(period_name(base, pattern, {2026, 11, 1})); };
  EXPECT_EQ(named(std::string(55, 'a')), std::string(55, 'a') + "_2026_11");
  EXPECT_EQ(named(std::string(63, 'a')), std::string(55, 'a') + "_2026_11");
  const std::string two = "é", three = "€", four = "😀";
  EXPECT_EQ(named(std::string(53, 'a') + two + "b"), std::string(53, 'a') + two + "_2026_11");
  EXPECT_EQ(named(std::string(54, 'a') + two), std::string(54, 'a') + "_2026_11");
  EXPECT_EQ(named(std::string(53, 'a') + three), std::string(53, 'a') + "_2026_11");
  EXPECT_EQ(named(std::string(54, 'a') + three), std::string(54, 'a') + "_2026_11");
  EXPECT_EQ(named(std::string(52, 'a') + four), std::string(52, 'a') + "_2026_11");
  EXPECT_EQ(named(std::string(54, 'a') + four), std::string(54, 'a') + "_2026_11");
  EXPECT_EQ(named(std::string(51, 'a') + four + "b"), std::string(51, 'a') + four + "_2026_11");
  // Bytes that are no UTF-8 are cut where the room ends.
  EXPECT_EQ(named(std::string(63, '\xA4')), std::string(55, '\xA4') + "_2026_11");
}

TEST(Naming, SaysWhereThereIsNoRoom) {
  const std::string longest = std::string(54, 'x') + "_YYYY_MM";
  EXPECT_EQ(text(period_name("messages", longest, {2026, 11, 1})), "m" + std::string(54, 'x') + "_2026_11");
  EXPECT_EQ(check_pattern(longest, Every::kMonth), PartitionError::kNone);
  EXPECT_EQ(check_pattern("x" + longest, Every::kMonth), PartitionError::kNameTooLong);
  EXPECT_EQ(check_pattern(std::string(500, 'x') + "_YYYY_MM", Every::kMonth), PartitionError::kNameTooLong);
  EXPECT_EQ(period_name("m", "x" + longest, {2026, 11, 1}).error(), PartitionError::kNameTooLong);
  EXPECT_EQ(period_name("ä", longest, {2026, 11, 1}).error(), PartitionError::kNameTooLong);
  EXPECT_EQ(period_name("", "_YYYY", {2026, 11, 1}).error(), PartitionError::kNameTooLong);
  EXPECT_EQ(wide_name("m", longest, {2026, 11, 1}).error(), PartitionError::kNameTooLong);
  EXPECT_EQ(period_name("m", "_YYYY\"", {2026, 11, 1}).error(), PartitionError::kBadPattern);
  EXPECT_EQ(wide_name("m", "\"_YYYY", {2026, 11, 1}).error(), PartitionError::kBadPattern);
}

// A pattern is accepted just when it gives the periods of 60 years names of their own.
TEST(Naming, ChecksThatPatternsTellPeriodsApart) {
  const char* patterns[] = {"_YYYY",    "_YYYY_MM", "_YYYY_MM_DD", "_YYYY_qQ", "_IYYY_IW",
                            "_MM",      "",         "_pYYYYMMDD",  "_IYYY",    "_IYYY_MM",
                            "_YYYY_DD", "_Q_MM_DD", "_DD_MM_YYYY", "_IW_IYYY", "_YYYY_Q_DD"};
  for (const Every every : kEveries) {
    EXPECT_EQ(check_pattern(default_pattern(every), every), PartitionError::kNone);
    EXPECT_EQ(check_pattern("_YYYY_MM_DD\"", every), PartitionError::kBadPattern);
    for (const char* pattern : patterns) {
      std::set<std::string> names;
      std::size_t periods = 0;
      for (Civil start = period_start(every, {2000, 1, 1}); start.year < 2060; start = next_period(every, start)) {
        names.insert(text(period_name("m", pattern, start)));
        ++periods;
      }
      EXPECT_EQ(check_pattern(pattern, every) == PartitionError::kNone, names.size() == periods) << pattern;
    }
  }
}

}  // namespace
