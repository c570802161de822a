/// \file
/// A cycle of dependencies: which anomaly it is, and how it reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "testing/isolation/anomaly.h"
#include "testing/isolation/dependency_graph.h"

namespace ashlar::testing {

/// Edges of which each begins where the one before it ended, the first where the last one did.
/// Nodes from `transaction_count` on are moments; the first edge begins at a transaction.
class Cycle {
 public:
  /// Input: edges  joined as above, beginning anywhere
  Cycle(std::vector<Edge> edges, std::uint32_t transaction_count);

  const std::vector<Edge>& edges() const noexcept { return edges_; }

  /// The transactions on it, in their order.
  std::vector<std::uint32_t> transactions() const;

  /// What it is, by its edges alone.
  AnomalyKind kind(const Versions& versions) const;

  /// A line an edge, then one a transaction.
  std::string explanation(const Evidence& evidence) const;

 private:
  std::uint32_t read_write_count() const;
  bool has_adjacent_read_writes() const;
  bool is_lost_update(const Versions& versions) const;

  std::vector<Edge> edges_;
  std::uint32_t transaction_count_;
};

}  // namespace ashlar::testing
