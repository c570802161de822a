/// \file
/// The dependencies between transactions that took effect, after Adya:
///
///     ww  one replaced a version that the other made
///     wr  one read a version that the other made
///     rw  one read a version that the other replaced
///
/// and, where asked for, that one had ended before the other began. That order has linearly many
/// edges: it leads over a chain of nodes that stand for moments, from each end to the next moment
/// and from the last moment to each begin.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "testing/isolation/findings.h"

namespace ashlar::testing {

/// Which order counts besides what transactions saw of one another.
enum class HistoryOrder : std::uint8_t {
  kNone,
  kSession,   ///< That of the transactions of each session.
  kRealTime,  ///< That of all transactions of which one had ended before the other began.
};

enum class EdgeKind : std::uint8_t { kWriteWrite, kWriteRead, kReadWrite, kOrder };

struct Edge {
  std::uint32_t from = kNoNumber;
  std::uint32_t to = kNoNumber;
  std::uint32_t version =
      kNoNumber;  ///< wr: what was read; ww, rw: what `to` made; kOrder: kNoNumber.
  EdgeKind kind = EdgeKind::kOrder;
  bool is_predicate = false;  ///< rw: a range read missed the key.
  bool is_by_time = false;    ///< It stands only if transactions take effect within their time.
};

/// Nodes are transactions by their number, then moments.
struct DependencyGraph {
  std::uint32_t transaction_count = 0;
  std::uint32_t node_count = 0;
  std::vector<Edge> edges = {};
};

/// What is known of versions, from all sources.
struct KnownVersions {
  std::span<const VersionRead> reads;
  std::span<const Succession> successions;
};

/// Of a version that many replaced, which is an anomaly by itself, a reader depends on this many.
inline constexpr std::uint32_t kSuccessorsMax = 16;

DependencyGraph dependencies(const Evidence& evidence, const KnownVersions& known,
                             HistoryOrder order);

}  // namespace ashlar::testing
