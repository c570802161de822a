// What lines promise: every transaction comes back as it was written, and text that no writer makes
// is refused.

#include "testing/isolation/history_text.h"

#include <gtest/gtest.h>

#include "testing/isolation/history_rig_test.h"

namespace ashlar::testing {
namespace {

std::string text_of(const Transaction& transaction) {
  std::string text;
  append_begin_line(transaction.begin, text);
  for (const Operation& operation : transaction.operations) append_operation_line(operation, text);
  append_commit_line(text);
  append_end_line(transaction.outcome, transaction.end, text);
  return text;
}

/// Takes all lines but the last one's result, which it returns.
Result<LineDecoder::Progress> take_all(std::string_view text, LineDecoder& decoder) {
  Result<LineDecoder::Progress> progress = LineDecoder::Progress::kWithin;
  while (!text.empty() && progress) {
    const std::size_t end = text.find('\n');
    progress = decoder.take(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return progress;
}

TEST(HistoryText, IsWhatTheHeaderSays) {
  EXPECT_EQ(text_of(during(7, 99,
                           {append("k1", 5), list("k1", {3, 5}), list("k2", {}), write("r", 6),
                            read("r", 6), erase("r"), range("a", "", {{"b", 8}, {"c", 9}})})),
            "b 7\na k1 5\nl k1 3 5\nl k2\nw r 6\nr r 6\ne r\ns a % b=8 c=9\nc\nC 99\n");
}

TEST(HistoryText, BringsEveryOperationBack) {
  const Transaction written = during(
      7, UINT64_MAX - 1,
      {append("k1", UINT64_MAX), list("k1", {3, UINT64_MAX}), list("", {}), write("a b\n%=\xff", 6),
       read("r", 0), erase("r"), range("", "", {}), range("a", "z", {{"b=", 8}, {"", 9}})});
  LineDecoder decoder;

  const auto progress = take_all(text_of(written), decoder);

  ASSERT_TRUE(progress.has_value()) << progress.error().message();
  EXPECT_EQ(*progress, LineDecoder::Progress::kWhole);
  EXPECT_FALSE(decoder.is_open());
  EXPECT_EQ(decoder.transaction().begin, 7U);
  EXPECT_EQ(decoder.transaction().end, UINT64_MAX - 1);
  EXPECT_EQ(decoder.transaction().outcome, Outcome::kCommitted);
  EXPECT_EQ(text_of(decoder.transaction()), text_of(written));
  EXPECT_EQ(decoder.transaction().operations[3].key, "a b\n%=\xff");
  EXPECT_EQ(decoder.transaction().operations[7].found[0].key, "b=");
  EXPECT_EQ(decoder.transaction().operations[7].found[1].value, 9U);
}

TEST(HistoryText, TellsWhetherATransactionHasAskedToCommit) {
  LineDecoder decoder;
  EXPECT_FALSE(decoder.is_open());
  ASSERT_TRUE(take_all("b 1\na x 1\n", decoder).has_value());
  EXPECT_TRUE(decoder.is_open());
  EXPECT_FALSE(decoder.is_committing());
  ASSERT_TRUE(decoder.take("c").has_value());
  EXPECT_TRUE(decoder.is_committing());
  ASSERT_TRUE(decoder.take("A 5").has_value());
  EXPECT_EQ(decoder.transaction().outcome, Outcome::kAborted);
}

TEST(HistoryText, ATransactionMayAbortWithoutAskingToCommit) {
  LineDecoder decoder;
  EXPECT_TRUE(take_all("b 1\na x 1\nA 2\nb 3\n", decoder).has_value());
  EXPECT_TRUE(decoder.transaction().operations.empty());
}

TEST(HistoryText, RefusesWhatNoWriterMakes) {
  for (const std::string_view text : {"x 1\n",
                                      "\n",
                                      "b\n",
                                      "b x\n",
                                      "b 1 2\n",
                                      "bb 1\n",
                                      "b 99999999999999999999\n",
                                      "a x 1\n",
                                      "c\n",
                                      "C 1\n",
                                      "A 1\n",
                                      "b 1\nb 2\n",
                                      "b 1\nC 2\n",
                                      "b 1\nc\nc\n",
                                      "b 1\nc\na x 1\n",
                                      "b 1\na x\n",
                                      "b 1\na x -1\n",
                                      "b 1\na  1\n",
                                      "b 1\na x y\n",
                                      "b 1\na %4 1\n",
                                      "b 1\na %zz 1\n",
                                      "b 1\na x! 1\n",
                                      "b 1\nl x 1 z\n",
                                      "b 1\nl x 1  2\n",
                                      "b 1\nr x\n",
                                      "b 1\ne x 1\n",
                                      "b 1\ns a\n",
                                      "b 1\ns a b c\n",
                                      "b 1\ns a b c=\n",
                                      "b 1\ns a b =1\n",
                                      "b 1\nc 1\n",
                                      "b 1\nc\nC\n",
                                      "b 1\nz x 1\n"}) {
    LineDecoder decoder;
    const auto progress = take_all(text, decoder);
    ASSERT_FALSE(progress.has_value()) << text;
    EXPECT_EQ(progress.error().code(), ErrorCode::kCorruption) << text;
  }
}

}  // namespace
}  // namespace ashlar::testing
