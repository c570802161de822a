// What versions promise: each write has one, its value leads to it, and only the last that a
// transaction makes of a key is final.

#include "testing/isolation/versions.h"

#include <gtest/gtest.h>

#include "testing/isolation/history_rig_test.h"
#include "testing/random.h"

namespace ashlar::testing {
namespace {

TEST(Versions, BeginWithTheAbsenceOfEachKey) {
  const auto history = history_of({beside({write("a", 1), append("b", 2)})});
  const auto versions = *Versions::of(history);

  ASSERT_EQ(versions.count(), 4U);
  EXPECT_EQ(versions[0].writer, kNoNumber);
  EXPECT_EQ(versions[1].key, 1U);
  EXPECT_EQ(versions[1].value, kAbsent);
  EXPECT_EQ(versions.first_of(0), 2U);
  EXPECT_EQ(versions.end_of(0), 4U);
}

TEST(Versions, AreFoundByKeyAndValue) {
  const auto history = history_of({beside({write("a", 1), append("b", 2)})});
  const auto versions = *Versions::of(history);

  ASSERT_TRUE(versions.find(0, 1).has_value());
  EXPECT_EQ(versions[*versions.find(0, 1)].value, 1U);
  EXPECT_FALSE(versions.find(1, 1).has_value());
  EXPECT_FALSE(versions.find(0, 99).has_value());
  EXPECT_FALSE(versions.find(0, kAbsent).has_value());
}

TEST(Versions, AreFoundWhateverTheirValuesHaveInCommon) {
  TransactionHistory history;
  Random random(1);
  std::vector<std::uint64_t> values;
  for (std::uint64_t i = 1; i <= 5'000; ++i) {
    values.push_back(i % 3 == 0 ? i : i % 3 == 1 ? i << 40U : random.next() | 1U << 31U);
    ASSERT_TRUE(history.add(beside({append("x", values.back())})).has_value());
  }
  const auto versions = *Versions::of(history);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto version = versions.find(0, values[i]);
    ASSERT_TRUE(version.has_value());
    ASSERT_EQ(versions[*version].writer, i);
  }
}

TEST(Versions, TheLastOfItsWriterIsFinal) {
  const auto history = history_of(
      {beside({write("a", 1), write("b", 2), write("a", 3), erase("a")}), beside({write("a", 4)})});
  const auto versions = *Versions::of(history);
  const std::uint32_t first = versions.first_of(0);

  EXPECT_FALSE(versions[first].is_final);
  EXPECT_TRUE(versions[first + 1].is_final);
  EXPECT_FALSE(versions[first + 2].is_final);
  EXPECT_TRUE(versions[first + 3].is_final);
  EXPECT_EQ(versions.final_of(first), first + 3);
  EXPECT_EQ(versions.final_of(first + 1), first + 1);
  EXPECT_TRUE(versions[versions.first_of(1)].is_final);
}

TEST(Versions, TellWhenAKeyMayHaveBeenErasedFirst) {
  Transaction aborted = during(1, 2, {erase("x")});
  aborted.outcome = Outcome::kAborted;
  Transaction killed = during(5, 9, {erase("x")});
  killed.outcome = Outcome::kUnknown;
  const auto history =
      history_of({aborted, during(7, 8, {erase("x")}), killed, during(3, 4, {write("y", 1)})});
  const auto versions = *Versions::of(history);

  EXPECT_EQ(versions.earliest_erase(0), 5U);
  EXPECT_EQ(versions.earliest_erase(1), UINT64_MAX);
}

TEST(Versions, AreRefusedWhereAValueIsWrittenTwice) {
  const auto versions =
      Versions::of(history_of({beside({write("a", 1)}), beside({write("a", 1)})}));

  ASSERT_FALSE(versions.has_value());
  EXPECT_EQ(versions.error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace ashlar::testing
