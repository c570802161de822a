// What the walk finds in histories of registers: what a transaction replaced, what it read, and
// what is wrong without a cycle; ranges are reads of every key within their bounds.

#include "testing/isolation/read_walk.h"

#include <gtest/gtest.h>

#include "testing/isolation/history_rig_test.h"

namespace ashlar::testing {
namespace {

TEST(ReadWalk, AcceptsRegistersWrittenReadAndErasedInTurn) {
  expect_clean(report_of(
      {during(1, 2, {read("x", 0), write("x", 1), read("x", 1)}),
       during(3, 4, {read("x", 1), write("x", 2), write("x", 3), read("x", 3)}),
       during(5, 6, {read("x", 3), erase("x"), read("x", 0)}),
       during(7, 8, {read("x", 0), range("a", "z", {}), write("y", 4)}),
       during(9, 9,
              {range("a", "z", {{"y", 4}}), range("a", "y", {}), range("y", "", {{"y", 4}})})},
      HistoryOrder::kRealTime));
}

TEST(ReadWalk, FindsAnAbortedRead) {
  expect_only(report_of({beside({write("x", 1)}, Outcome::kAborted), beside({read("x", 1)})}),
              AnomalyKind::kAbortedRead);
}

TEST(ReadWalk, FindsAnIntermediateRead) {
  expect_only(report_of({beside({write("x", 1), write("x", 2)}), beside({read("x", 1)})}),
              AnomalyKind::kIntermediateRead);
}

TEST(ReadWalk, TakesAValueErasedByItsWriterForIntermediate) {
  expect_only(report_of({beside({write("x", 1), erase("x")}), beside({read("x", 1)})}),
              AnomalyKind::kIntermediateRead);
}

TEST(ReadWalk, FindsAValueThatNobodyWrote) {
  expect_only(report_of({beside({write("x", 1)}), beside({read("x", 99)})}),
              AnomalyKind::kGarbageRead);
  expect_only(report_of({beside({write("x", 1)}), beside({read("y", 1)})}),
              AnomalyKind::kGarbageRead);
}

TEST(ReadWalk, FindsAnOwnWriteThatIsNotSeen) {
  expect_only(report_of({beside({write("x", 1), read("x", 0)})}), AnomalyKind::kInternal);
  expect_only(report_of({beside({write("x", 1), range("a", "z", {})})}), AnomalyKind::kInternal);
  expect_only(report_of({beside({write("x", 1)}), beside({erase("x"), read("x", 1)})}),
              AnomalyKind::kInternal);
}

TEST(ReadWalk, FindsALostUpdate) {
  const auto report = report_of({beside({write("x", 1)}), beside({read("x", 1), write("x", 2)}),
                                 beside({read("x", 1), write("x", 3)})});

  expect_only(report, AnomalyKind::kLostUpdate);
  EXPECT_NE(report.text().find("T1 and T2 both read value 1 of x and replaced it"),
            std::string::npos)
      << report.text();
}

TEST(ReadWalk, FindsALostUpdateOfWhatWasAbsent) {
  expect_only(report_of({beside({read("x", 0), write("x", 2)}),
                         beside({range("a", "z", {}), write("x", 3)})}),
              AnomalyKind::kLostUpdate);
}

TEST(ReadWalk, FindsALostUpdateByAnErasure) {
  expect_only(report_of({beside({write("x", 1)}), beside({read("x", 1), write("x", 2)}),
                         beside({read("x", 1), erase("x")})}),
              AnomalyKind::kLostUpdate);
}

TEST(ReadWalk, FindsReadSkew) {
  expect_only(report_of({beside({write("x", 1), write("y", 2)}),
                         beside({read("x", 1), write("x", 3), read("y", 2), write("y", 4)}),
                         beside({read("x", 1), read("y", 4)})}),
              AnomalyKind::kReadSkew);
}

TEST(ReadWalk, FindsReadsOfOneKeyThatDiffer) {
  expect_only(report_of({beside({write("x", 1)}), beside({write("x", 2)}),
                         beside({read("x", 1), range("a", "z", {{"x", 2}})})}),
              AnomalyKind::kReadSkew);
}

TEST(ReadWalk, FindsCircularInformationFlow) {
  expect_only(
      report_of({beside({write("x", 1), read("y", 2)}), beside({write("y", 2), read("x", 1)})}),
      AnomalyKind::kCircularFlow);
}

TEST(ReadWalk, FindsADirtyWrite) {
  expect_only(report_of({beside({read("x", 0), write("x", 1), read("y", 4), write("y", 2)}),
                         beside({read("x", 1), write("x", 3), read("y", 0), write("y", 4)})}),
              AnomalyKind::kDirtyWrite);
}

TEST(ReadWalk, FindsWriteSkew) {
  expect_only(report_of({beside({write("x", 1), write("y", 2)}),
                         beside({read("x", 1), read("y", 2), write("x", 3)}),
                         beside({read("x", 1), read("y", 2), write("y", 4)})}),
              AnomalyKind::kWriteSkew);
}

TEST(ReadWalk, FindsAPhantomAndAllowsItAtSnapshot) {
  const auto report = report_of(
      {beside({range("a", "m", {}), write("x", 1)}), beside({range("n", "z", {}), write("b", 2)})});

  expect_only(report, AnomalyKind::kPhantom);
  EXPECT_NE(report.text().find("read a range with b without value 2"), std::string::npos)
      << report.text();
}

TEST(ReadWalk, FindsARangeThatSawHalfOfACommit) {
  expect_only(
      report_of({beside({write("a", 1), write("b", 2)}), beside({range("a", "z", {{"b", 2}})})}),
      AnomalyKind::kReadSkew);
}

TEST(ReadWalk, FindsKeysInARangeThatDoNotBelongThere) {
  const Transaction writer = beside({write("a", 1), write("b", 2), write("c", 3)});

  expect_only(report_of({writer, beside({range("a", "c", {{"a", 1}, {"b", 2}, {"c", 3}})})}),
              AnomalyKind::kGarbageRead);
  expect_only(report_of({writer, beside({range("a", "c", {{"b", 2}, {"a", 1}})})}),
              AnomalyKind::kGarbageRead);
  expect_only(report_of({writer, beside({range("a", "c", {{"a", 1}, {"a", 1}, {"b", 2}})})}),
              AnomalyKind::kGarbageRead);
}

TEST(ReadWalk, FindsALongFork) {
  expect_only(
      report_of({beside({write("x", 1)}), beside({write("y", 2)}),
                 beside({read("x", 1), read("y", 0)}), beside({read("x", 0), read("y", 2)})}),
      AnomalyKind::kLongFork);
}

// Whether it is that of the beginning or that of the erasure, nobody can tell: both are right.
TEST(ReadWalk, TakesNoSideOnAnAbsenceThatMayBeAnErasure) {
  expect_clean(report_of({during(1, 2, {write("x", 1), write("y", 2)}), during(3, 9, {erase("x")}),
                          during(4, 5, {read("x", 0), read("y", 2)})},
                         HistoryOrder::kRealTime));
}

TEST(ReadWalk, KnowsAnAbsenceThatEndedBeforeTheErasureBegan) {
  expect_only(report_of({during(1, 2, {write("x", 1), write("y", 2)}),
                         during(4, 5, {read("x", 0), read("y", 2)}), during(6, 7, {erase("x")})}),
              AnomalyKind::kReadSkew);
}

}  // namespace
}  // namespace ashlar::testing
