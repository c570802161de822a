#include "testing/isolation/cycle_search.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/assert.h"

namespace ashlar::testing {
namespace {

// How many cycles of a knot are looked at for the shortest, and how many nodes for all knots.
constexpr std::uint32_t kAttemptsMax = 32;
constexpr std::uint64_t kVisitsMax = 50'000'000;

bool is_within(const Arc& arc, const Components& components) {
  return components.of_node[arc.from] == components.of_node[arc.to];
}

}  // namespace

CycleSearch::CycleSearch(const Evidence& evidence, const DependencyGraph& graph,
                         const ReadWalk& walk, IsolationReport& report)
    : evidence_(evidence), graph_(graph), walk_(walk), report_(report) {
  ASHLAR_ASSERT(graph.transaction_count == evidence.history.count(),
                "the graph is one of this history");
}

void CycleSearch::run() {
  keep_edges_on_cycles();
  if (edges_.empty()) return;
  constexpr auto kAll = EdgeKind::kReadWrite;
  search({});
  search({.kind_max = EdgeKind::kWriteRead, .start_kind = EdgeKind::kWriteRead});
  mark_reported_transactions();
  search({.kind_max = kAll, .start_kind = kAll, .shape = Shape::kNoAdjacentReadWrites});
  search({.kind_max = kAll,
          .start_kind = EdgeKind::kOrder,
          .shape = Shape::kNoAdjacentReadWrites,
          .has_order = true});
  search({.kind_max = kAll, .start_kind = kAll, .shape = Shape::kAdjacentReadWrites});
  search({.kind_max = kAll,
          .start_kind = kAll,
          .shape = Shape::kAdjacentReadWrites,
          .has_order = true});
}

/// Fills `edges_` and `nodes_`, with the nodes numbered anew: what is not on a cycle is most of a
/// history, and needs no second look.
void CycleSearch::keep_edges_on_cycles() {
  std::vector<Arc> arcs;
  arcs.reserve(graph_.edges.size());
  for (const Edge& edge : graph_.edges) arcs.push_back({.from = edge.from, .to = edge.to});
  const Digraph whole(graph_.node_count, arcs);
  const Components components = components_of(whole);
  number_of_.assign(graph_.node_count, kNoNumber);
  for (std::uint32_t node = 0; node < graph_.node_count; ++node) {
    if (!components.is_on_cycle(node)) continue;
    number_of_[node] = static_cast<std::uint32_t>(nodes_.size());
    nodes_.push_back(node);
  }
  for (const Edge& edge : graph_.edges) {
    if (components.of_node[edge.from] == components.of_node[edge.to]) edges_.push_back(edge);
  }
  is_marked_.assign(nodes_.size(), false);
}

/// Each transaction of which something was reported directly: cycles through it are consequences.
void CycleSearch::mark_reported_transactions() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i] >= graph_.transaction_count) continue;
    if (walk_.is_reported(nodes_[i])) is_marked_[i] = true;
  }
}

bool CycleSearch::is_in(const Edge& edge, const Pass& pass) const {
  if (edge.is_by_time && !pass.has_order) return false;
  return edge.kind == EdgeKind::kOrder || edge.kind <= pass.kind_max;
}

bool CycleSearch::is_start(const Edge& edge, const Pass& pass) const {
  return pass.start_kind == EdgeKind::kOrder ? edge.is_by_time : edge.kind == pass.start_kind;
}

/// The arcs between places in `nodes_`; where no two rw may stand side by side, between twice as
/// many: 2n stands for a transaction reached by another edge, 2n + 1 for one reached by an rw.
std::vector<Arc> CycleSearch::arcs_of(const Pass& pass) const {
  std::vector<Arc> arcs;
  for (std::uint32_t label = 0; label < edges_.size(); ++label) {
    const Edge& edge = edges_[label];
    if (!is_in(edge, pass)) continue;
    const std::uint32_t from = number_of_[edge.from];
    const std::uint32_t to = number_of_[edge.to];
    if (pass.shape != Shape::kNoAdjacentReadWrites) {
      arcs.push_back({.from = from, .to = to, .label = label});
    } else if (edge.kind == EdgeKind::kReadWrite) {
      arcs.push_back({.from = 2 * from, .to = 2 * to + 1, .label = label});
    } else {
      arcs.push_back({.from = 2 * from, .to = 2 * to, .label = label});
      arcs.push_back({.from = 2 * from + 1, .to = 2 * to, .label = label});
    }
  }
  return arcs;
}

void CycleSearch::search(const Pass& pass) {
  const std::uint32_t copies = pass.shape == Shape::kNoAdjacentReadWrites ? 2 : 1;
  const std::vector<Arc> arcs = arcs_of(pass);
  const Digraph graph(static_cast<std::uint32_t>(nodes_.size()) * copies, arcs);
  const Components components = components_of(graph);
  PathSearch paths(graph, components);
  Hunt hunt{.pass = pass,
            .graph = graph,
            .components = components,
            .paths = paths,
            .is_settled = std::vector<bool>(components.node_count.size(), false),
            .best = {}};
  settle_marked(hunt);
  for (const Arc& arc : arcs) {
    if (!is_within(arc, components) || !is_start(edges_[arc.label], pass)) continue;
    if (!hunt.is_settled[components.of_node[arc.from]]) try_arc(hunt, arc);
  }
  close_any(hunt);
  for (std::uint32_t i = 0; i < components.node_count.size(); ++i) {
    const auto found = hunt.best.find(i);
    if (found != hunt.best.end()) report_cycle(found->second.labels);
  }
}

void CycleSearch::settle_marked(Hunt& hunt) const {
  const std::size_t copies = hunt.graph.node_count() / nodes_.size();
  for (std::uint32_t node = 0; node < hunt.graph.node_count(); ++node) {
    if (is_marked_[node / copies]) hunt.is_settled[hunt.components.of_node[node]] = true;
  }
}

void CycleSearch::try_arc(Hunt& hunt, const Arc& arc) {
  if (hunt.pass.shape == Shape::kAdjacentReadWrites) {
    try_pairs(hunt, arc);
  } else {
    close_cycle(hunt, std::span(&arc, 1), PathSearch::kNoNode);
  }
}

/// Tries cycles that go on from `first`, an rw, by another rw.
void CycleSearch::try_pairs(Hunt& hunt, const Arc& first) {
  for (const Arc& second : hunt.graph.from(first.to)) {
    if (edges_[second.label].kind != EdgeKind::kReadWrite) continue;
    if (!is_within(second, hunt.components)) continue;
    const std::array<Arc, 2> begin = {first, second};
    close_cycle(hunt, begin, first.to);
  }
}

/// Looks for the shortest way back from the end of `begin` to where it began.
void CycleSearch::close_cycle(Hunt& hunt, std::span<const Arc> begin, std::uint32_t avoid) {
  const std::uint32_t component = hunt.components.of_node[begin.front().from];
  Best& best = hunt.best[component];
  if (best.attempts >= kAttemptsMax || best.labels.size() == 2) return;
  if (!best.labels.empty() && hunt.paths.visited_count() > kVisitsMax) return;
  ++best.attempts;

  const std::uint32_t from = begin.back().to;
  const std::uint32_t to = begin.front().from;
  const std::vector<std::uint32_t> way = hunt.paths.shortest(from, to, avoid);
  if (way.empty() && from != to) return;
  if (!best.labels.empty() && begin.size() + way.size() >= best.labels.size()) return;
  best.labels.clear();
  for (const Arc& arc : begin) best.labels.push_back(arc.label);
  best.labels.insert(best.labels.end(), way.begin(), way.end());
}

/// A knot for which no cycle was found as wished has one nevertheless: any will do.
void CycleSearch::close_any(Hunt& hunt) {
  for (std::uint32_t node = 0; node < hunt.graph.node_count(); ++node) {
    const std::uint32_t component = hunt.components.of_node[node];
    if (hunt.components.node_count[component] < 2 || hunt.is_settled[component]) continue;
    Best& best = hunt.best[component];
    if (!best.labels.empty()) continue;
    best.attempts = 0;
    for (const Arc& arc : hunt.graph.from(node)) {
      if (is_within(arc, hunt.components)) {
        close_cycle(hunt, std::span(&arc, 1), PathSearch::kNoNode);
      }
    }
    ASHLAR_ASSERT(!best.labels.empty(), "there is a cycle through each node of a component");
  }
}

void CycleSearch::report_cycle(const std::vector<std::uint32_t>& labels) {
  std::vector<Edge> edges;
  for (const std::uint32_t label : labels) {
    edges.push_back(edges_[label]);
    is_marked_[number_of_[edges.back().from]] = true;
  }
  const Cycle cycle(std::move(edges), graph_.transaction_count);
  const AnomalyKind kind = cycle.kind(evidence_.versions);
  if (!report_.count_one(kind)) return;
  report_.keep({.kind = kind,
                .transactions = cycle.transactions(),
                .explanation = cycle.explanation(evidence_)});
}

}  // namespace ashlar::testing
