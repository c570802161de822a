/// \file
/// A directed graph packed into two arrays, its strongly connected components, and short paths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ashlar::testing {

struct Arc {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint32_t label = 0;  ///< The caller's.
};

/// Threads: immutable.
class Digraph {
 public:
  Digraph(std::uint32_t node_count, std::span<const Arc> arcs);

  std::uint32_t node_count() const noexcept {
    return static_cast<std::uint32_t>(begin_.size() - 1);
  }
  std::span<const Arc> from(std::uint32_t node) const {
    return std::span(arcs_).subspan(begin_[node], begin_[node + 1] - begin_[node]);
  }

 private:
  std::vector<std::uint32_t> begin_;
  std::vector<Arc> arcs_;  // In the order of `from`.
};

/// The strongly connected components of a graph: nodes that reach one another.
struct Components {
  std::vector<std::uint32_t> of_node;
  std::vector<std::uint32_t> node_count;  ///< By component.

  /// Whether there is a cycle through `node`; for graphs without arcs from a node to itself.
  bool is_on_cycle(std::uint32_t node) const { return node_count[of_node[node]] > 1; }
};

/// Cost: linear; no recursion. Source: Tarjan: "Depth-first search and linear graph algorithms",
/// SIAM J. Comput., 1972.
Components components_of(const Digraph& graph);

/// Finds short paths that stay within a component, many in one graph.
///
/// Threads:  externally synchronised.
/// Lifetime: graph and components must outlive it.
class PathSearch {
 public:
  PathSearch(const Digraph& graph, const Components& components);

  static constexpr std::uint32_t kNoNode = UINT32_MAX;

  /// Returns: the labels along a path with the fewest arcs that avoids `avoid`; empty when there is
  ///          none, or `from` is `to`
  std::vector<std::uint32_t> shortest(std::uint32_t from, std::uint32_t to,
                                      std::uint32_t avoid = kNoNode);

  /// How many nodes all searches together have visited: what they cost.
  std::uint64_t visited_count() const noexcept { return visited_count_; }

 private:
  std::vector<std::uint32_t> labels_to(std::uint32_t from, std::uint32_t to) const;

  const Digraph& graph_;
  const Components& components_;
  std::vector<std::uint32_t> seen_in_;  // By node: the last search that reached it,
  std::vector<const Arc*> by_;          // and by which arc.
  std::vector<std::uint32_t> queue_;
  std::uint32_t search_ = 0;
  std::uint64_t visited_count_ = 0;
};

}  // namespace ashlar::testing
