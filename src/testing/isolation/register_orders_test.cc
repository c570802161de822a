// What is known of the order of registers besides what transactions made of what they read: the
// absence comes first, and where time counts it orders those that did not overlap.

#include "testing/isolation/register_orders.h"

#include <gtest/gtest.h>

#include "testing/isolation/history_rig_test.h"

namespace ashlar::testing {
namespace {

struct Known {
  explicit Known(const TransactionHistory& history)
      : versions(*Versions::of(history)), observations(history, versions) {}
  Versions versions;
  Observations observations;
};

TEST(RegisterOrders, PutsTheAbsenceBeforeTheFirstVersion) {
  const TransactionHistory history =
      history_of({during(5, 6, {write("x", 7)}), during(1, 2, {write("x", 8), write("x", 9)})});
  const Known known(history);
  std::vector<Succession> found;

  add_first_versions({history, known.versions, known.observations}, found);

  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(known.versions[found[0].next].value, 9U);  // The last of the one that began first.
  EXPECT_EQ(known.versions[found[1].next].value, 7U);
  EXPECT_EQ(known.versions[found[0].version].writer, kNoNumber);
}

TEST(RegisterOrders, LeavesOutThoseWithAKnownPredecessor) {
  const TransactionHistory history = history_of({beside({write("x", 7)}), beside({write("x", 8)})});
  const Known known(history);
  std::vector<Succession> found = {
      {.version = *known.versions.find(0, 7), .next = *known.versions.find(0, 8)}};

  add_first_versions({history, known.versions, known.observations}, found);

  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(known.versions[found[1].next].value, 7U);
}

TEST(RegisterOrders, OrdersByTimeOnlyThoseThatFollowNext) {
  const TransactionHistory history =
      history_of({during(1, 2, {write("x", 1)}), during(3, 6, {write("x", 2)}),
                  during(4, 5, {write("x", 3)}), during(7, 8, {write("x", 4)})});
  const Known known(history);
  std::vector<Succession> found;

  add_successions_by_time({history, known.versions, known.observations}, found);

  std::vector<std::pair<std::uint64_t, std::uint64_t>> values;
  for (const Succession& succession : found) {
    EXPECT_TRUE(succession.is_by_time);
    values.emplace_back(known.versions[succession.version].value,
                        known.versions[succession.next].value);
  }
  EXPECT_EQ(values,
            (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 2}, {1, 3}, {2, 4}, {3, 4}}));
}

TEST(RegisterOrders, FindAStaleReadOfAValueReplacedBlindly) {
  const auto stale = {during(1, 2, {write("x", 1)}), during(3, 4, {write("x", 2)}),
                      during(5, 6, {read("x", 1)})};

  expect_only(report_of(stale, HistoryOrder::kRealTime), AnomalyKind::kStaleRead);
  expect_clean(report_of(stale, HistoryOrder::kNone));
}

TEST(RegisterOrders, PutWhoFoundNothingBeforeEachOfThoseThatWroteBlindly) {
  expect_only(report_of({beside({write("x", 1)}), beside({write("x", 2), write("y", 3)}),
                         beside({read("x", 0), read("y", 3)})}),
              AnomalyKind::kReadSkew);
}

TEST(RegisterOrders, FindAStaleReadOfAbsence) {
  expect_only(report_of({during(1, 2, {write("x", 1)}), during(3, 4, {read("x", 0)})},
                        HistoryOrder::kRealTime),
              AnomalyKind::kStaleRead);
}

TEST(RegisterOrders, FindAStaleRangeRead) {
  expect_only(report_of({during(1, 2, {write("x", 1)}), during(3, 4, {range("a", "z", {})})},
                        HistoryOrder::kRealTime),
              AnomalyKind::kStaleRead);
}

TEST(RegisterOrders, FindAValueThatOutlivedItsErasure) {
  expect_only(report_of({during(1, 2, {write("x", 1)}), during(3, 4, {erase("x")}),
                         during(5, 6, {read("x", 1)})},
                        HistoryOrder::kRealTime),
              AnomalyKind::kStaleRead);
}

TEST(RegisterOrders, AcceptEitherValueOfWritersThatOverlap) {
  expect_clean(report_of(
      {during(1, 4, {write("x", 1)}), during(2, 5, {write("x", 2)}), during(6, 7, {read("x", 1)})},
      HistoryOrder::kRealTime));
}

}  // namespace
}  // namespace ashlar::testing
