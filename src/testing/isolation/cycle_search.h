/// \file
/// Finds cycles of dependencies and reports a short one for each knot of them.
///
/// A graph without cycles is done after one walk. Otherwise searches follow one another over what
/// lies on cycles, the gravest anomalies first; a knot of which a cycle was reported is not looked
/// at again, for what else it holds is most often a consequence.
///
///     1  ww                                G0
///     2  ww wr                             G1c
///     3  ww wr rw, no rw next to another   G-single, long fork: what snapshot isolation forbids
///     4  the same with the order           stale reads
///     5  ww wr rw, two rw side by side     G2, write skew
///     6  the same with the order
///
/// That no two rw stand side by side is a matter of the graph searched: it has each transaction
/// twice, once as reached by an rw, from where no rw leads on. So 3 and 4 are exact: they find a
/// cycle in each knot that has one, and so is 5 and 6 together: any cycle at all is found by one.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "testing/isolation/cycle.h"
#include "testing/isolation/digraph.h"
#include "testing/isolation/read_walk.h"

namespace ashlar::testing {

/// Threads:  externally synchronised.
/// Lifetime: what it is made of must outlive it.
class CycleSearch {
 public:
  CycleSearch(const Evidence& evidence, const DependencyGraph& graph, const ReadWalk& walk,
              IsolationReport& report);

  /// Call it once. Cost: linear where there is no cycle; else some times that, and a bounded number
  /// of searches for a short path a knot.
  void run();

 private:
  enum class Shape : std::uint8_t {
    kAny,
    kNoAdjacentReadWrites,
    kAdjacentReadWrites,
  };

  // What one search looks for: cycles of edges up to `kind_max`, through one that `is_start`.
  struct Pass {
    EdgeKind kind_max = EdgeKind::kWriteWrite;
    EdgeKind start_kind = EdgeKind::kWriteWrite;
    Shape shape = Shape::kAny;
    bool has_order = false;
  };

  // By component: labels of the shortest cycle so far, and how often one was looked for.
  struct Best {
    std::vector<std::uint32_t> labels;
    std::uint32_t attempts = 0;
  };

  // One pass at work.
  struct Hunt {
    const Pass& pass;
    const Digraph& graph;
    const Components& components;
    PathSearch& paths;
    std::vector<bool> is_settled;  // By component.
    std::unordered_map<std::uint32_t, Best> best;
  };

  void keep_edges_on_cycles();
  void search(const Pass& pass);
  std::vector<Arc> arcs_of(const Pass& pass) const;
  bool is_in(const Edge& edge, const Pass& pass) const;
  bool is_start(const Edge& edge, const Pass& pass) const;
  void settle_marked(Hunt& hunt) const;
  void try_arc(Hunt& hunt, const Arc& arc);
  void try_pairs(Hunt& hunt, const Arc& first);
  void close_cycle(Hunt& hunt, std::span<const Arc> begin, std::uint32_t avoid);
  void close_any(Hunt& hunt);
  void report_cycle(const std::vector<std::uint32_t>& labels);
  void mark_reported_transactions();

  const Evidence& evidence_;
  const DependencyGraph& graph_;
  const ReadWalk& walk_;
  IsolationReport& report_;
  std::vector<Edge> edges_;               // Those on cycles, between the nodes below.
  std::vector<std::uint32_t> nodes_;      // Those on cycles, by their number in the graph.
  std::vector<std::uint32_t> number_of_;  // By node of the graph: its place among `nodes_`.
  std::vector<bool> is_marked_;           // By place in `nodes_`: on a cycle that was reported.
};

}  // namespace ashlar::testing
