// What the search promises: a cycle for each knot, a short one, the gravest that it holds.

#include "testing/isolation/cycle_search.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "testing/isolation/evidence_rig_test.h"

namespace ashlar::testing {
namespace {

constexpr EdgeKind kWw = EdgeKind::kWriteWrite;
constexpr EdgeKind kWr = EdgeKind::kWriteRead;
constexpr EdgeKind kRw = EdgeKind::kReadWrite;

/// Twelve transactions with nothing to them but the edges that a test gives them.
class CycleSearchTest : public ::testing::Test {
 protected:
  CycleSearchTest()
      : rig_({beside({}), beside({}), beside({}), beside({}), beside({}), beside({}), beside({}),
              beside({}), beside({}), beside({}), beside({}),
              beside({write("a", 1), write("b", 2)})}) {
    graph_ = {.transaction_count = 12, .node_count = 12};
  }

  void join(std::uint32_t from, std::uint32_t to, EdgeKind kind) {
    // Versions that somebody made, so that an explanation can name him, of two keys.
    const std::uint32_t version = rig_.versions.first_of(11) + (kind == kRw ? 1 : 0);
    graph_.edges.push_back({.from = from, .to = to, .version = version, .kind = kind});
  }

  void join_by_time(std::uint32_t from, std::uint32_t to) {
    graph_.edges.push_back({.from = from, .to = to, .kind = EdgeKind::kOrder, .is_by_time = true});
  }

  void search() { CycleSearch(rig_.evidence, graph_, rig_.walk, rig_.report).run(); }

  std::vector<std::uint32_t> only_cycle(AnomalyKind kind) {
    search();
    EXPECT_EQ(rig_.report.count(), 1U) << rig_.report.text();
    EXPECT_EQ(rig_.report.count(kind), 1U) << rig_.report.text();
    auto transactions = rig_.report.anomalies().front().transactions;
    std::ranges::sort(transactions);
    return transactions;
  }

  EvidenceRig rig_;
  DependencyGraph graph_;
};

using Numbers = std::vector<std::uint32_t>;

TEST_F(CycleSearchTest, FindsNothingWithoutACycle) {
  join(0, 1, kWr);
  join(1, 2, kRw);
  join(0, 2, kRw);
  search();
  EXPECT_EQ(rig_.report.count(), 0U);
}

TEST_F(CycleSearchTest, TakesTheShortestOfAKnot) {
  for (std::uint32_t i = 0; i < 8; ++i) join(i, (i + 1) % 8, kWr);
  join(5, 3, kWr);
  EXPECT_EQ(only_cycle(AnomalyKind::kCircularFlow), (Numbers{3, 4, 5}));
}

TEST_F(CycleSearchTest, TakesTheGravestOfAKnot) {
  join(0, 1, kRw);
  join(1, 0, kRw);
  join(1, 2, kWr);
  join(2, 3, kRw);
  join(3, 0, kWr);
  join(3, 2, kWr);
  EXPECT_EQ(only_cycle(AnomalyKind::kReadSkew), (Numbers{2, 3}));
}

TEST_F(CycleSearchTest, FindsAForkWhereShorterWaysHaveTwoReadWritesSideBySide) {
  join(0, 1, kRw);
  join(1, 2, kWr);
  join(2, 3, kRw);
  join(3, 0, kWr);
  join(1, 3, kRw);  // 0, 1, 3 is shorter, and allowed.
  EXPECT_EQ(only_cycle(AnomalyKind::kLongFork), (Numbers{0, 1, 2, 3}));
}

TEST_F(CycleSearchTest, AllowsWhatHasTwoReadWritesSideBySide) {
  join(0, 1, kRw);
  join(1, 2, kRw);
  join(2, 0, kWr);
  EXPECT_EQ(only_cycle(AnomalyKind::kWriteSkew), (Numbers{0, 1, 2}));
  EXPECT_TRUE(rig_.report.holds(IsolationLevel::kSnapshot));
}

TEST_F(CycleSearchTest, NeedsTimeOnlyWhereNothingElseShowsIt) {
  join(0, 1, kRw);
  join_by_time(1, 0);
  EXPECT_EQ(only_cycle(AnomalyKind::kStaleRead), (Numbers{0, 1}));
}

TEST_F(CycleSearchTest, PrefersWhatNeedsNoTimeThoughItIsLonger) {
  join(0, 1, kWr);
  join(1, 2, kWr);
  join(2, 0, kWr);
  join_by_time(1, 0);
  EXPECT_EQ(only_cycle(AnomalyKind::kCircularFlow), (Numbers{0, 1, 2}));
}

// More pairs than are tried lead nowhere but back over their middle; the last one closes a cycle.
TEST_F(CycleSearchTest, FindsACycleWhereTheFirstOnesTriedLeadNowhere) {
  join(0, 1, kRw);
  for (int i = 0; i < 5; ++i) {
    for (std::uint32_t node = 2; node < 11; ++node) join(1, node, kRw);
  }
  for (std::uint32_t node = 2; node < 11; ++node) join(node, 1, kRw);
  join(1, 0, kRw);
  search();
  EXPECT_EQ(rig_.report.count(), 1U) << rig_.report.text();
  EXPECT_FALSE(rig_.report.holds(IsolationLevel::kSerializable));
}

TEST_F(CycleSearchTest, FindsWriteSkewThatTimeCloses) {
  join(0, 1, kRw);
  join(1, 2, kRw);
  join_by_time(2, 0);
  EXPECT_EQ(only_cycle(AnomalyKind::kWriteSkew), (Numbers{0, 1, 2}));
}

// A stale read is forbidden at snapshot: an allowed cycle in the same knot must not hide it.
TEST_F(CycleSearchTest, DoesNotLetWriteSkewHideAStaleRead) {
  join(0, 1, kRw);
  join(1, 0, kRw);
  join(1, 2, kRw);
  join_by_time(2, 1);
  EXPECT_EQ(only_cycle(AnomalyKind::kStaleRead), (Numbers{1, 2}));
}

TEST_F(CycleSearchTest, ReportsEachKnot) {
  for (std::uint32_t i = 0; i < 10; i += 2) {
    join(i, i + 1, kWw);
    join(i + 1, i, kWw);
  }
  search();
  EXPECT_EQ(rig_.report.count(AnomalyKind::kDirtyWrite), 5U);
}

}  // namespace
}  // namespace ashlar::testing
