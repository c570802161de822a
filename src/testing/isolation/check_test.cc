// What the check promises: each anomaly is found and bears its name, by lists and by registers, and
// what some order of the transactions explains is left alone. Here histories of lists; of registers
// read_walk_test.cc and register_orders_test.cc.

#include "testing/isolation/check.h"

#include <gtest/gtest.h>

#include "testing/isolation/history_rig_test.h"

namespace ashlar::testing {
namespace {

TEST(CheckIsolation, HasNothingToSayOfNoTransactions) {
  expect_clean(report_of({}));
}

TEST(CheckIsolation, AcceptsTransactionsOneAfterTheOther) {
  expect_clean(report_of({during(1, 2, {append("x", 1), list("x", {1})}),
                          during(3, 4, {list("x", {1}), append("x", 2), append("y", 3)}),
                          during(5, 6, {list("x", {1, 2}), list("y", {3})})},
                         HistoryOrder::kRealTime));
}

TEST(CheckIsolation, AcceptsAnyOrderOfTransactionsThatOverlap) {
  expect_clean(report_of({during(1, 9, {append("x", 1), append("y", 1'001)}),
                          during(2, 8, {list("x", {}), list("y", {}), append("z", 5)}),
                          during(3, 7, {list("x", {1}), list("y", {1'001}), list("z", {5})})},
                         HistoryOrder::kRealTime));
}

TEST(CheckIsolation, AcceptsElementsThatNobodyHasReadYet) {
  expect_clean(report_of({during(1, 2, {append("x", 1)}), during(3, 8, {append("x", 2)}),
                          during(3, 8, {append("x", 3)}), during(4, 9, {list("x", {1})})},
                         HistoryOrder::kRealTime));
}

TEST(CheckIsolation, FindsADirtyWrite) {
  const auto report =
      report_of({beside({append("x", 1), append("y", 2)}), beside({append("x", 3), append("y", 4)}),
                 beside({list("x", {1, 3})}), beside({list("y", {4, 2})})});

  expect_only(report, AnomalyKind::kDirtyWrite);
  EXPECT_EQ(report.anomalies().front().transactions, (std::vector<std::uint32_t>{0, 1}));
}

TEST(CheckIsolation, FindsAnAbortedRead) {
  expect_only(report_of({beside({append("x", 1)}, Outcome::kAborted), beside({list("x", {1})})}),
              AnomalyKind::kAbortedRead);
}

TEST(CheckIsolation, FindsAnAbortedElementThatOthersAppendedTo) {
  expect_only(report_of({beside({append("x", 1)}, Outcome::kAborted), beside({append("x", 2)}),
                         beside({list("x", {1, 2})})}),
              AnomalyKind::kAbortedRead);
}

TEST(CheckIsolation, FindsAnIntermediateRead) {
  expect_only(report_of({beside({append("x", 1), append("x", 2)}), beside({list("x", {1})}),
                         beside({list("x", {1, 2})})}),
              AnomalyKind::kIntermediateRead);
}

TEST(CheckIsolation, FindsCircularInformationFlow) {
  expect_only(report_of({beside({append("x", 1), list("y", {2})}),
                         beside({append("y", 2), list("x", {1})})}),
              AnomalyKind::kCircularFlow);
}

TEST(CheckIsolation, FindsALostUpdate) {
  expect_only(report_of({beside({append("x", 1)}), beside({list("x", {1}), append("x", 2)}),
                         beside({list("x", {1}), append("x", 3)}), beside({list("x", {1, 2, 3})})}),
              AnomalyKind::kLostUpdate);
}

TEST(CheckIsolation, FindsALostUpdateByOneWhoHadNotRead) {
  expect_only(report_of({beside({list("x", {}), append("x", 2)}), beside({append("x", 1)}),
                         beside({list("x", {1, 2})})}),
              AnomalyKind::kLostUpdate);
}

TEST(CheckIsolation, FindsReadSkew) {
  expect_only(report_of({beside({append("x", 1), append("y", 2)}),
                         beside({list("x", {1}), list("y", {})}), beside({list("y", {2})})}),
              AnomalyKind::kReadSkew);
}

TEST(CheckIsolation, FindsReadsOfOneKeyThatDiffer) {
  expect_only(report_of({beside({append("x", 1)}), beside({list("x", {}), list("x", {1})})}),
              AnomalyKind::kReadSkew);
}

TEST(CheckIsolation, FindsWriteSkewAndAllowsItAtSnapshot) {
  const auto report =
      report_of({beside({list("x", {}), append("y", 1)}), beside({list("y", {}), append("x", 2)}),
                 beside({list("x", {2}), list("y", {1})})});

  expect_only(report, AnomalyKind::kWriteSkew);
  EXPECT_TRUE(report.holds(IsolationLevel::kSnapshot));
}

TEST(CheckIsolation, FindsALongForkAndForbidsItAtSnapshot) {
  const auto report =
      report_of({beside({append("x", 1)}), beside({append("y", 2)}),
                 beside({list("x", {1}), list("y", {})}), beside({list("x", {}), list("y", {2})})});

  expect_only(report, AnomalyKind::kLongFork);
  EXPECT_FALSE(report.holds(IsolationLevel::kSnapshot));
}

TEST(CheckIsolation, FindsAStaleReadWhereTimeCounts) {
  const auto stale = {during(1, 2, {append("x", 1)}), during(3, 4, {list("x", {})}),
                      during(3, 4, {list("x", {1})})};

  expect_only(report_of(stale, HistoryOrder::kRealTime), AnomalyKind::kStaleRead);
  expect_clean(report_of(stale, HistoryOrder::kNone));
}

TEST(CheckIsolation, FindsAStaleReadWithinASession) {
  const auto stale = {in_session(7, during(1, 2, {append("x", 1)})),
                      in_session(7, during(3, 4, {list("x", {})})),
                      in_session(8, during(3, 4, {list("x", {1})}))};

  expect_only(report_of(stale, HistoryOrder::kSession), AnomalyKind::kStaleRead);
}

TEST(CheckIsolation, LeavesSessionsToOneAnotherWhereOnlyTheirOwnOrderCounts) {
  expect_clean(report_of(
      {in_session(7, during(1, 2, {append("x", 1)})), in_session(8, during(3, 4, {list("x", {})})),
       in_session(9, during(3, 4, {list("x", {1})}))},
      HistoryOrder::kSession));
}

TEST(CheckIsolation, FindsWritesAgainstTheOrderOfTime) {
  expect_only(report_of({during(1, 2, {append("x", 1)}), during(3, 4, {append("x", 2)}),
                         during(3, 9, {list("x", {2, 1})})},
                        HistoryOrder::kRealTime),
              AnomalyKind::kOrderViolation);
}

TEST(CheckIsolation, FindsASnapshotThatIsOlderThanWhatHadEnded) {
  const auto report =
      report_of({during(1, 2, {append("x", 1), append("y", 2)}), during(3, 4, {append("x", 3)}),
                 during(5, 6, {list("x", {1}), list("y", {2})}), during(5, 6, {list("x", {1, 3})})},
                HistoryOrder::kRealTime);

  expect_only(report, AnomalyKind::kStaleRead);
  EXPECT_NE(report.text().find("T1 ended before T2 began"), std::string::npos) << report.text();
}

TEST(CheckIsolation, FindsAnAppendThatTheCrashLost) {
  expect_only(report_of({during(1, 2, {append("x", 1)}), during(3, 4, {append("x", 2)}),
                         during(100, 101, {list("x", {1})})}),
              AnomalyKind::kLostAppend);
}

TEST(CheckIsolation, FindsHalfOfACommitThatTheCrashCutInTwo) {
  Transaction killed = during(1, 50, {append("x", 1), append("y", 2)});
  killed.outcome = Outcome::kUnknown;

  expect_only(
      report_of({killed, during(100, 101, {list("x", {1})}), during(102, 103, {list("y", {})})}),
      AnomalyKind::kLostAppend);
}

TEST(CheckIsolation, LeavesOpenWhetherAKilledCommitTookEffect) {
  Transaction killed = during(1, 50, {append("x", 1), append("y", 2)});
  killed.outcome = Outcome::kUnknown;

  expect_clean(report_of({killed, during(100, 101, {list("x", {}), list("y", {})})},
                         HistoryOrder::kRealTime));
  expect_clean(report_of({killed, during(100, 101, {list("x", {1}), list("y", {2})})},
                         HistoryOrder::kRealTime));
}

TEST(CheckIsolation, HoldsAKilledCommitThatWasSeenToWhatItRead) {
  Transaction killed = beside({list("x", {}), append("y", 1)}, Outcome::kUnknown);

  expect_only(report_of({killed, beside({list("y", {}), append("x", 2)}),
                         beside({list("x", {2}), list("y", {1})})}),
              AnomalyKind::kWriteSkew);
}

TEST(CheckIsolation, FindsADuplicateElement) {
  expect_only(report_of({beside({append("x", 1)}), beside({append("x", 2)}),
                         beside({list("x", {1, 2, 1})})}),
              AnomalyKind::kDuplicateElement);
}

TEST(CheckIsolation, FindsOrdersThatDoNotAgree) {
  expect_only(report_of({beside({append("x", 1)}), beside({append("x", 2)}),
                         beside({list("x", {1, 2})}), beside({list("x", {2, 1})})}),
              AnomalyKind::kIncompatibleOrder);
}

TEST(CheckIsolation, FindsElementsOfOneTransactionInTheWrongOrder) {
  expect_only(report_of({beside({append("x", 1), append("x", 2)}), beside({append("x", 3)}),
                         beside({list("x", {2, 1, 3})})}),
              AnomalyKind::kIncompatibleOrder);
}

TEST(CheckIsolation, FindsAnElementWithoutTheOneBeforeItInTheSameTransaction) {
  expect_only(report_of({beside({append("x", 1), append("x", 2)}), beside({list("x", {2})})}),
              AnomalyKind::kLostAppend);
}

TEST(CheckIsolation, FindsAnElementThatNobodyAppended) {
  expect_only(report_of({beside({append("x", 1)}), beside({list("x", {1, 99})})}),
              AnomalyKind::kGarbageRead);
  expect_only(report_of({beside({append("x", 1), append("y", 2)}), beside({list("x", {1, 2})})}),
              AnomalyKind::kGarbageRead);
}

TEST(CheckIsolation, FindsAnOwnAppendThatItsTransactionDoesNotSee) {
  expect_only(report_of({beside({append("x", 1), list("x", {})}), beside({list("x", {1})})}),
              AnomalyKind::kInternal);
}

TEST(CheckIsolation, PromisesNothingToTransactionsThatWereRolledBack) {
  expect_clean(report_of({beside({append("x", 1), append("y", 2)}),
                          beside({list("x", {1}), list("y", {})}, Outcome::kAborted),
                          beside({list("y", {2})})}));
}

TEST(CheckIsolation, RefusesAValueThatIsWrittenTwice) {
  const auto report = check_isolation(
      history_of({beside({append("x", 1)}), beside({append("y", 1)})}), HistoryOrder::kNone);

  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(report.error().message().find("value 1 is written twice"), std::string::npos);
}

TEST(CheckIsolation, ReportsEachKnotByItself) {
  const auto report = report_of(
      {beside({list("x", {}), append("y", 1)}), beside({list("y", {}), append("x", 2)}),
       beside({append("a", 3), list("b", {4})}), beside({append("b", 4), list("a", {3})})});

  EXPECT_EQ(report.count(), 2U) << report.text();
  EXPECT_EQ(report.count(AnomalyKind::kWriteSkew), 1U);
  EXPECT_EQ(report.count(AnomalyKind::kCircularFlow), 1U);
}

}  // namespace
}  // namespace ashlar::testing
