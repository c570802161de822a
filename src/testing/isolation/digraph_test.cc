// What graphs promise: components hold exactly the nodes that reach one another, and a path is as
// short as can be; compared with the plainest way to find either.

#include "testing/isolation/digraph.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::testing {
namespace {

constexpr std::uint32_t kFar = 1'000;

/// The distance between each two nodes, by trying each third one between them.
std::vector<std::vector<std::uint32_t>> distances(std::uint32_t count,
                                                  const std::vector<Arc>& arcs) {
  std::vector<std::vector<std::uint32_t>> far(count, std::vector<std::uint32_t>(count, kFar));
  for (std::uint32_t i = 0; i < count; ++i) far[i][i] = 0;
  for (const Arc& arc : arcs) far[arc.from][arc.to] = std::min(far[arc.from][arc.to], 1U);
  for (std::uint32_t by = 0; by < count; ++by) {
    for (std::uint32_t i = 0; i < count; ++i) {
      for (std::uint32_t j = 0; j < count; ++j) {
        far[i][j] = std::min(far[i][j], far[i][by] + far[by][j]);
      }
    }
  }
  return far;
}

std::vector<Arc> random_arcs(Random& random, std::uint32_t count) {
  std::vector<Arc> arcs;
  for (std::uint64_t i = random.below(2 * count); i > 0; --i) {
    const auto from = static_cast<std::uint32_t>(random.below(count));
    const auto to = static_cast<std::uint32_t>(random.below(count));
    if (from == to) continue;
    arcs.push_back({.from = from, .to = to, .label = static_cast<std::uint32_t>(arcs.size())});
  }
  return arcs;
}

TEST(Digraph, HoldsTheArcsOfEachNodeWithTheirLabels) {
  const std::vector<Arc> arcs = {{.from = 2, .to = 0, .label = 7},
                                 {.from = 0, .to = 1, .label = 8},
                                 {.from = 2, .to = 1, .label = 9}};
  const Digraph graph(3, arcs);

  EXPECT_EQ(graph.node_count(), 3U);
  EXPECT_TRUE(graph.from(1).empty());
  ASSERT_EQ(graph.from(2).size(), 2U);
  EXPECT_EQ(graph.from(2)[1].label, 9U);
}

TEST(Digraph, ComponentsHoldWhatReachesOneAnother) {
  Random random(seed());
  for (int round = 0; round < 300; ++round) {
    const auto count = static_cast<std::uint32_t>(random.between(1, 12));
    const std::vector<Arc> arcs = random_arcs(random, count);
    const auto far = distances(count, arcs);
    const Components components = components_of(Digraph(count, arcs));
    for (std::uint32_t i = 0; i < count; ++i) {
      bool is_on_cycle = false;
      for (std::uint32_t j = 0; j < count; ++j) {
        const bool is_both_ways = far[i][j] < kFar && far[j][i] < kFar;
        ASSERT_EQ(components.of_node[i] == components.of_node[j], is_both_ways);
        is_on_cycle = is_on_cycle || (is_both_ways && i != j);
      }
      ASSERT_EQ(components.is_on_cycle(i), is_on_cycle);
    }
  }
}

TEST(Digraph, ComponentsOfALongChainNeedNoDeepCallStack) {
  constexpr std::uint32_t kCount = 300'000;
  std::vector<Arc> arcs;
  for (std::uint32_t i = 0; i + 1 < kCount; ++i) arcs.push_back({.from = i, .to = i + 1});
  arcs.push_back({.from = kCount - 1, .to = 1});

  const Components components = components_of(Digraph(kCount, arcs));

  EXPECT_FALSE(components.is_on_cycle(0));
  EXPECT_EQ(components.node_count[components.of_node[1]], kCount - 1);
}

TEST(PathSearch, FindsAPathWithTheFewestArcs) {
  Random random(seed());
  for (int round = 0; round < 300; ++round) {
    const auto count = static_cast<std::uint32_t>(random.between(2, 10));
    const std::vector<Arc> arcs = random_arcs(random, count);
    const auto far = distances(count, arcs);
    const Digraph graph(count, arcs);
    const Components components = components_of(graph);
    PathSearch paths(graph, components);
    for (std::uint32_t i = 0; i < count; ++i) {
      for (std::uint32_t j = 0; j < count; ++j) {
        const auto labels = paths.shortest(i, j);
        const bool is_within = components.of_node[i] == components.of_node[j];
        ASSERT_EQ(labels.size(), is_within ? far[i][j] : 0);
        std::uint32_t at = i;
        for (const std::uint32_t label : labels) {
          ASSERT_EQ(arcs[label].from, at);
          at = arcs[label].to;
        }
        if (labels.empty()) continue;
        ASSERT_EQ(at, j);
      }
    }
  }
}

TEST(PathSearch, GoesRoundANodeThatIsToBeAvoided) {
  const std::vector<Arc> arcs = {
      {.from = 0, .to = 1, .label = 0}, {.from = 1, .to = 2, .label = 1},
      {.from = 0, .to = 3, .label = 2}, {.from = 3, .to = 4, .label = 3},
      {.from = 4, .to = 2, .label = 4}, {.from = 2, .to = 0, .label = 5}};
  const Digraph graph(5, arcs);
  const Components components = components_of(graph);
  PathSearch paths(graph, components);

  EXPECT_EQ(paths.shortest(0, 2), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(paths.shortest(0, 2, 1), (std::vector<std::uint32_t>{2, 3, 4}));
  EXPECT_EQ(paths.shortest(1, 0, 2), std::vector<std::uint32_t>());
  EXPECT_GT(paths.visited_count(), 0U);
}

}  // namespace
}  // namespace ashlar::testing
