// What a history promises: transactions come back as they were added, lists share what they have in
// common, and what no checker can make sense of is refused.

#include "testing/isolation/transaction_history.h"

#include <gtest/gtest.h>

#include "testing/isolation/history_rig_test.h"

namespace ashlar::testing {
namespace {

using Words = std::vector<std::uint64_t>;

Words answer_of(const TransactionHistory& history, std::uint32_t transaction, std::size_t step) {
  const auto words = history.answer(history.steps(transaction)[step]);
  return {words.begin(), words.end()};
}

TEST(TransactionHistory, HoldsTransactionsAsTheyWereAdded) {
  const auto history = history_of(
      {in_session(4, during(3, 9, {write("r", 5), read("q", 6)})), beside({erase("r")})});

  ASSERT_EQ(history.count(), 2U);
  EXPECT_EQ(history.header(0).session, 4U);
  EXPECT_EQ(history.header(0).begin, 3U);
  EXPECT_EQ(history.header(0).end, 9U);
  ASSERT_EQ(history.steps(0).size(), 2U);
  EXPECT_EQ(history.steps(0)[1].kind, OperationKind::kRead);
  EXPECT_EQ(history.steps(0)[1].value, 6U);
  EXPECT_EQ(history.key_name(history.steps(0)[1].key), "q");
  EXPECT_EQ(history.steps(1)[0].key, history.steps(0)[0].key);
  EXPECT_EQ(history.role(history.steps(1)[0].key), TransactionHistory::Role::kRegister);
}

TEST(TransactionHistory, HoldsKeysAndValuesOfARangeInTurn) {
  const auto history = history_of({beside({range("a", "m", {{"b", 7}, {"c", 8}})})});

  const auto& step = history.steps(0)[0];
  const Words words = answer_of(history, 0, 0);
  ASSERT_EQ(words.size(), 4U);
  EXPECT_EQ(history.key_name(static_cast<std::uint32_t>(words[2])), "c");
  EXPECT_EQ(words[3], 8U);
  EXPECT_EQ(history.role(step.last), TransactionHistory::Role::kNone);
  EXPECT_EQ(history.key_name(step.last), "m");
}

TEST(TransactionHistory, KeepsListsApartThatHaveNoCommonBeginning) {
  const auto history =
      history_of({beside({list("x", {1, 2})}), beside({list("x", {1, 2, 3})}),
                  beside({list("x", {1})}), beside({list("x", {2, 1})}), beside({list("x", {})})});

  EXPECT_EQ(answer_of(history, 0, 0), (Words{1, 2}));
  EXPECT_EQ(answer_of(history, 1, 0), (Words{1, 2, 3}));
  EXPECT_EQ(answer_of(history, 2, 0), (Words{1}));
  EXPECT_EQ(answer_of(history, 3, 0), (Words{2, 1}));
  EXPECT_EQ(answer_of(history, 4, 0), Words());
  EXPECT_TRUE(history.steps(2)[0].is_shared);
  EXPECT_FALSE(history.steps(3)[0].is_shared);
}

TEST(TransactionHistory, SetsApartWhatATransactionHadAppendedItself) {
  const auto history =
      history_of({beside({append("x", 7), append("y", 9), append("x", 8), list("x", {1, 7, 8}),
                          list("x", {1, 8}), list("x", {7})})});

  EXPECT_EQ(answer_of(history, 0, 3), (Words{1}));
  EXPECT_EQ(history.steps(0)[3].own_words, 2U);
  EXPECT_EQ(history.steps(0)[4].own_words, 1U);
  EXPECT_EQ(history.steps(0)[5].own_words, 0U);
  EXPECT_EQ(answer_of(history, 0, 5), (Words{7}));
}

TEST(TransactionHistory, RefusesWhatMakesNoSenseAndStaysAsItWas) {
  TransactionHistory history = history_of({beside({append("x", 1)})});

  for (const Transaction& bad :
       {during(9, 3, {read("r", 1)}), beside({read("r", 5), write("x", 2)}),
        beside({list("r", {}), append("x", kAbsent)}), beside({range("", "", {{"x", 1}})})}) {
    const auto added = history.add(bad);
    ASSERT_FALSE(added.has_value());
    EXPECT_EQ(added.error().code(), ErrorCode::kInvalidArgument);
  }

  ASSERT_TRUE(history.add(beside({append("x", 3)})).has_value());
  EXPECT_EQ(history.count(), 2U);
  EXPECT_EQ(history.steps(0).size(), 1U);
  ASSERT_EQ(history.steps(1).size(), 1U);
  EXPECT_EQ(history.steps(1)[0].value, 3U);
}

TEST(IsPrefix, HoldsForBeginningsAlone) {
  const Words whole = {1, 2, 3};
  EXPECT_TRUE(is_prefix({}, whole));
  EXPECT_TRUE(is_prefix(whole, whole));
  EXPECT_TRUE(is_prefix(Words{1, 2}, whole));
  EXPECT_FALSE(is_prefix(Words{2}, whole));
  EXPECT_FALSE(is_prefix(Words{1, 2, 3, 4}, whole));
  EXPECT_FALSE(is_prefix(whole, {}));
}

}  // namespace
}  // namespace ashlar::testing
