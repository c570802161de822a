#include "testing/isolation/dependency_graph.h"

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <utility>

#include "base/assert.h"

namespace ashlar::testing {
namespace {

class Builder {
 public:
  explicit Builder(const Evidence& evidence) : evidence_(evidence) {
    graph_.transaction_count = evidence.history.count();
    graph_.node_count = graph_.transaction_count;
  }

  void add_write_edges(std::span<const Succession> successions);
  void add_read_edges(const KnownVersions& known);
  void add_session_order();
  void add_real_time();

  DependencyGraph take() { return std::move(graph_); }

 private:
  // By version: where its successors begin among `successors`.
  struct Successors {
    std::vector<std::uint32_t> begin;
    std::vector<const Succession*> all;
  };

  std::uint32_t writer(std::uint32_t version) const { return evidence_.versions[version].writer; }
  Successors successors_of(std::span<const Succession> successions) const;
  void add(const Edge& edge);
  std::vector<std::uint32_t> by_begin() const;

  const Evidence& evidence_;
  DependencyGraph graph_;
};

void Builder::add(const Edge& edge) {
  ASHLAR_ASSERT(edge.from < graph_.node_count && edge.to < graph_.node_count,
                "an edge joins nodes of its graph");
  if (edge.from != edge.to) graph_.edges.push_back(edge);
}

void Builder::add_write_edges(std::span<const Succession> successions) {
  for (const Succession& succession : successions) {
    if (succession.is_by_time || writer(succession.version) == kNoNumber) continue;
    add({.from = writer(succession.version),
         .to = writer(succession.next),
         .version = succession.next,
         .kind = EdgeKind::kWriteWrite});
  }
}

Builder::Successors Builder::successors_of(std::span<const Succession> successions) const {
  Successors result;
  result.begin.assign(evidence_.versions.count() + std::size_t{1}, 0);
  for (const Succession& succession : successions) ++result.begin[succession.version + 1];
  for (std::size_t i = 1; i < result.begin.size(); ++i) result.begin[i] += result.begin[i - 1];
  result.all.resize(successions.size());
  std::vector<std::uint32_t> next(result.begin.begin(), result.begin.end() - 1);
  for (const Succession& succession : successions) {
    result.all[next[succession.version]++] = &succession;
  }
  return result;
}

void Builder::add_read_edges(const KnownVersions& known) {
  const Successors successors = successors_of(known.successions);
  for (const VersionRead& read : known.reads) {
    if (writer(read.version) != kNoNumber) {
      add({.from = writer(read.version),
           .to = read.reader,
           .version = read.version,
           .kind = EdgeKind::kWriteRead});
    }
    const std::uint32_t begin = successors.begin[read.version];
    const std::uint32_t end = std::min(successors.begin[read.version + 1], begin + kSuccessorsMax);
    for (std::uint32_t i = begin; i < end; ++i) {
      const Succession& succession = *successors.all[i];
      add({.from = read.reader,
           .to = writer(succession.next),
           .version = succession.next,
           .kind = EdgeKind::kReadWrite,
           .is_predicate = read.is_missed_by_range,
           .is_by_time = succession.is_by_time});
    }
  }
}

/// Transactions that took effect, in the order in which they began.
std::vector<std::uint32_t> Builder::by_begin() const {
  std::vector<std::uint32_t> sorted;
  for (std::uint32_t i = 0; i < graph_.transaction_count; ++i) {
    if (evidence_.observations.took_effect(i)) sorted.push_back(i);
  }
  std::ranges::sort(sorted, {}, [this](std::uint32_t i) {
    return std::pair(evidence_.history.header(i).begin, i);
  });
  return sorted;
}

void Builder::add_session_order() {
  const auto session = [this](std::uint32_t i) { return evidence_.history.header(i).session; };
  std::vector<std::uint32_t> sorted = by_begin();
  std::ranges::sort(sorted, {}, [&](std::uint32_t i) {
    return std::tuple(session(i), evidence_.history.header(i).begin, i);
  });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (session(sorted[i]) != session(sorted[i - 1])) continue;
    add({.from = sorted[i - 1], .to = sorted[i], .kind = EdgeKind::kOrder, .is_by_time = true});
  }
}

/// A moment is made when the first of some transactions ends, and before the next begins: all that
/// end before that begin lead to it, all that begin before a later end come from it.
void Builder::add_real_time() {
  const std::vector<std::uint32_t> begins = by_begin();
  std::vector<std::uint32_t> ends = begins;
  const auto end_of = [this](std::uint32_t i) { return evidence_.history.header(i).end; };
  std::ranges::sort(ends, {}, end_of);

  std::uint32_t moment = kNoNumber;
  std::size_t next_end = 0;
  const auto join = [&](std::uint32_t from, std::uint32_t to) {
    add({.from = from, .to = to, .kind = EdgeKind::kOrder, .is_by_time = true});
  };
  for (const std::uint32_t transaction : begins) {
    const std::uint64_t begin = evidence_.history.header(transaction).begin;
    if (next_end < ends.size() && end_of(ends[next_end]) < begin) {
      const std::uint32_t earlier = moment;
      moment = graph_.node_count++;
      if (earlier != kNoNumber) join(earlier, moment);
      while (end_of(ends[next_end]) < begin) join(ends[next_end++], moment);
      ASHLAR_ASSERT(next_end < ends.size(), "who begins now has not ended");
    }
    if (moment != kNoNumber) join(moment, transaction);
  }
}

}  // namespace

DependencyGraph dependencies(const Evidence& evidence, const KnownVersions& known,
                             HistoryOrder order) {
  Builder builder(evidence);
  builder.add_write_edges(known.successions);
  builder.add_read_edges(known);
  if (order == HistoryOrder::kSession) builder.add_session_order();
  if (order == HistoryOrder::kRealTime) builder.add_real_time();
  return builder.take();
}

}  // namespace ashlar::testing
