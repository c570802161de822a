#include "testing/isolation/digraph.h"

#include <algorithm>

#include "base/assert.h"

namespace ashlar::testing {

Digraph::Digraph(std::uint32_t node_count, std::span<const Arc> arcs)
    : begin_(node_count + std::size_t{1}, 0), arcs_(arcs.size()) {
  ASHLAR_ASSERT(arcs.size() < UINT32_MAX, "the number of an arc has 32 bits");
  for (const Arc& arc : arcs) {
    ASHLAR_ASSERT(arc.from < node_count && arc.to < node_count, "an arc joins nodes of its graph");
    ++begin_[arc.from + 1];
  }
  for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
  std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
  for (const Arc& arc : arcs) arcs_[next[arc.from]++] = arc;
}

namespace {

/// Tarjan's search with a stack of its own: histories are longer than call stacks are deep.
class Tarjan {
 public:
  explicit Tarjan(const Digraph& graph)
      : graph_(graph),
        index_(graph.node_count(), kUnvisited),
        low_(graph.node_count(), 0),
        is_open_(graph.node_count(), false) {
    result_.of_node.resize(graph.node_count());
  }

  Components run() {
    for (std::uint32_t node = 0; node < graph_.node_count(); ++node) {
      if (index_[node] == kUnvisited) search_from(node);
    }
    ASHLAR_ASSERT(open_.empty(), "each node is in a component");
    return std::move(result_);
  }

 private:
  static constexpr std::uint32_t kUnvisited = UINT32_MAX;

  struct Frame {
    std::uint32_t node;
    std::uint32_t next_arc;
  };

  void enter(std::uint32_t node);
  void search_from(std::uint32_t root);
  void close(std::uint32_t root);

  const Digraph& graph_;
  Components result_;
  std::vector<std::uint32_t> index_;
  std::vector<std::uint32_t> low_;
  std::vector<bool> is_open_;
  std::vector<std::uint32_t> open_;
  std::vector<Frame> frames_;
  std::uint32_t next_index_ = 0;
};

void Tarjan::enter(std::uint32_t node) {
  index_[node] = low_[node] = next_index_++;
  is_open_[node] = true;
  open_.push_back(node);
  frames_.push_back({.node = node, .next_arc = 0});
}

void Tarjan::search_from(std::uint32_t root) {
  enter(root);
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    const std::uint32_t node = frame.node;
    const std::span arcs = graph_.from(node);
    if (frame.next_arc < arcs.size()) {
      const std::uint32_t to = arcs[frame.next_arc++].to;
      if (index_[to] == kUnvisited) {
        enter(to);  // Ends the life of `frame`.
      } else if (is_open_[to]) {
        low_[node] = std::min(low_[node], index_[to]);
      }
      continue;
    }
    if (low_[node] == index_[node]) close(node);
    frames_.pop_back();
    if (!frames_.empty()) {
      std::uint32_t& above = low_[frames_.back().node];
      above = std::min(above, low_[node]);
    }
  }
}

void Tarjan::close(std::uint32_t root) {
  const auto component = static_cast<std::uint32_t>(result_.node_count.size());
  result_.node_count.push_back(0);
  for (std::uint32_t node = kUnvisited; node != root;) {
    ASHLAR_ASSERT(!open_.empty(), "the root of a component lies below its nodes");
    node = open_.back();
    open_.pop_back();
    is_open_[node] = false;
    result_.of_node[node] = component;
    ++result_.node_count[component];
  }
}

}  // namespace

Components components_of(const Digraph& graph) {
  return Tarjan(graph).run();
}

PathSearch::PathSearch(const Digraph& graph, const Components& components)
    : graph_(graph),
      components_(components),
      seen_in_(graph.node_count(), 0),
      by_(graph.node_count(), nullptr) {
  ASHLAR_ASSERT(components.of_node.size() == graph.node_count(), "they are of this graph");
}

std::vector<std::uint32_t> PathSearch::shortest(std::uint32_t from, std::uint32_t to,
                                                std::uint32_t avoid) {
  if (from == to) return {};
  ++search_;
  queue_.assign(1, from);
  seen_in_[from] = search_;
  for (std::size_t head = 0; head < queue_.size(); ++head) {
    ++visited_count_;
    for (const Arc& arc : graph_.from(queue_[head])) {
      if (seen_in_[arc.to] == search_ || arc.to == avoid) continue;
      if (components_.of_node[arc.to] != components_.of_node[from]) continue;
      seen_in_[arc.to] = search_;
      by_[arc.to] = &arc;
      if (arc.to == to) return labels_to(from, to);
      queue_.push_back(arc.to);
    }
  }
  return {};
}

std::vector<std::uint32_t> PathSearch::labels_to(std::uint32_t from, std::uint32_t to) const {
  std::vector<std::uint32_t> labels;
  for (std::uint32_t node = to; node != from; node = by_[node]->from) {
    ASHLAR_ASSERT(seen_in_[node] == search_, "a path leads over nodes that this search reached");
    labels.push_back(by_[node]->label);
  }
  std::ranges::reverse(labels);
  return labels;
}

}  // namespace ashlar::testing
