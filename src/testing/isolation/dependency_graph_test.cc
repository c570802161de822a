// What the graph promises: one edge for each dependency, none from a transaction to itself, and the
// order of time with linearly many.

#include "testing/isolation/dependency_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "testing/isolation/digraph.h"
#include "testing/isolation/evidence_rig_test.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::testing {
namespace {

using Triple = std::tuple<std::uint32_t, std::uint32_t, EdgeKind>;

std::set<Triple> edges_of(const DependencyGraph& graph) {
  std::set<Triple> edges;
  for (const Edge& edge : graph.edges) edges.emplace(edge.from, edge.to, edge.kind);
  return edges;
}

TEST(DependencyGraph, HasAnEdgeForEachDependency) {
  const EvidenceRig rig({beside({append("x", 1)}), beside({append("x", 2)}),
                         beside({list("x", {1})}), beside({list("x", {1, 2}), append("x", 3)})});

  EXPECT_EQ(edges_of(rig.graph(HistoryOrder::kNone)),
            (std::set<Triple>{{0, 1, EdgeKind::kWriteWrite},
                              {1, 3, EdgeKind::kWriteWrite},
                              {0, 2, EdgeKind::kWriteRead},
                              {1, 3, EdgeKind::kWriteRead},
                              {2, 1, EdgeKind::kReadWrite}}));
}

TEST(DependencyGraph, MarksWhatARangeMissed) {
  const EvidenceRig rig(
      {beside({range("", "", {}), read("b", 0)}), beside({write("a", 1)}), beside({read("a", 0)})});

  const auto graph = rig.graph(HistoryOrder::kNone);
  ASSERT_EQ(graph.edges.size(), 2U);
  EXPECT_TRUE(graph.edges[0].is_predicate);
  EXPECT_FALSE(graph.edges[1].is_predicate);
}

TEST(DependencyGraph, FollowsEachSession) {
  const EvidenceRig rig({in_session(1, during(5, 6, {})), in_session(2, during(1, 2, {})),
                         in_session(1, during(3, 4, {})), in_session(1, during(7, 8, {}))});

  EXPECT_EQ(edges_of(rig.graph(HistoryOrder::kSession)),
            (std::set<Triple>{{2, 0, EdgeKind::kOrder}, {0, 3, EdgeKind::kOrder}}));
}

TEST(DependencyGraph, LimitsWhatAReaderOfAManyTimesReplacedVersionDependsOn) {
  TransactionHistory history;
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(history.add(beside({read("x", 0), write("x", i + 1)})).has_value());
  }
  const auto report = check_isolation(history, HistoryOrder::kNone);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->count(AnomalyKind::kLostUpdate), 99U);
  EXPECT_EQ(report->count(), 99U) << report->text();
}

// Each pair of which one had ended before the other began is joined by a way, and no other is.
TEST(DependencyGraph, JoinsByTimeExactlyThoseThatDidNotOverlap) {
  Random random(seed());
  for (int round = 0; round < 100; ++round) {
    TransactionHistory history;
    const auto count = static_cast<std::uint32_t>(random.between(1, 12));
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t begin = random.below(15);
      ASSERT_TRUE(history.add(during(begin, begin + random.below(6), {})).has_value());
    }
    const Versions versions = *Versions::of(history);
    const Observations observations(history, versions);
    const Evidence evidence{.history = history, .versions = versions, .observations = observations};
    const auto graph = dependencies(evidence, {}, HistoryOrder::kRealTime);
    EXPECT_LE(graph.edges.size(), std::size_t{3} * count);

    std::vector<Arc> arcs;
    for (const Edge& edge : graph.edges) arcs.push_back({.from = edge.from, .to = edge.to});
    for (std::uint32_t i = 0; i < count; ++i) {
      for (std::uint32_t j = 0; j < count; ++j) {
        if (i == j) continue;
        // With an arc back from j, a way from i to j closes a cycle.
        std::vector<Arc> closed = arcs;
        closed.push_back({.from = j, .to = i});
        const Components components = components_of(Digraph(graph.node_count, closed));
        const bool is_before = history.header(i).end < history.header(j).begin;
        ASSERT_EQ(components.of_node[i] == components.of_node[j], is_before);
      }
    }
  }
}

}  // namespace
}  // namespace ashlar::testing
