#include "testing/isolation/cycle.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/assert.h"

namespace ashlar::testing {
namespace {

bool is_read_write(const Edge& edge) {
  return edge.kind == EdgeKind::kReadWrite;
}

std::string read_write_line(const Edge& edge, const Evidence& evidence, const Wording& say) {
  const std::string where = edge.is_predicate
                                ? "a range with " + say.key(evidence.versions[edge.version].key)
                                : say.key(evidence.versions[edge.version].key);
  return say.transaction(edge.from) + " read " + where + " without " + say.content(edge.version) +
         ", which " + say.making(edge.version);
}

std::string line_of(const Edge& edge, const Evidence& evidence, const Wording& say) {
  switch (edge.kind) {
    case EdgeKind::kWriteWrite:
      return say.making(edge.version) + " " + say.version(edge.version) + " after what " +
             say.transaction(edge.from) + " had made of it";
    case EdgeKind::kWriteRead:
      return say.transaction(edge.to) + " read " + say.version(edge.version) + ", which " +
             say.making(edge.version);
    case EdgeKind::kReadWrite:
      return read_write_line(edge, evidence, say);
    case EdgeKind::kOrder:
      return say.transaction(edge.from) + " ended before " + say.transaction(edge.to) + " began";
  }
  return {};
}

}  // namespace

Cycle::Cycle(std::vector<Edge> edges, std::uint32_t transaction_count)
    : edges_(std::move(edges)), transaction_count_(transaction_count) {
  ASHLAR_ASSERT(edges_.size() >= 2, "nothing depends on itself");
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    ASHLAR_ASSERT(edges_[i].to == edges_[(i + 1) % edges_.size()].from, "a cycle is closed");
  }
  const auto first = std::ranges::find_if(
      edges_, [&](const Edge& edge) { return edge.from < transaction_count_; });
  ASHLAR_ASSERT(first != edges_.end(), "moments alone make no cycle");
  std::ranges::rotate(edges_, first);
}

std::vector<std::uint32_t> Cycle::transactions() const {
  std::vector<std::uint32_t> numbers;
  for (const Edge& edge : edges_) {
    if (edge.from < transaction_count_) numbers.push_back(edge.from);
  }
  return numbers;
}

std::uint32_t Cycle::read_write_count() const {
  return static_cast<std::uint32_t>(std::ranges::count_if(edges_, is_read_write));
}

bool Cycle::has_adjacent_read_writes() const {
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    if (is_read_write(edges_[i]) && is_read_write(edges_[(i + 1) % edges_.size()])) return true;
  }
  return false;
}

/// One read a key, and replaced it after another had replaced what it read.
bool Cycle::is_lost_update(const Versions& versions) const {
  if (edges_.size() != 2 || read_write_count() == 0) return false;
  for (const Edge& edge : edges_) {
    if (edge.kind == EdgeKind::kWriteRead || edge.version == kNoNumber) return false;
  }
  return versions[edges_[0].version].key == versions[edges_[1].version].key;
}

AnomalyKind Cycle::kind(const Versions& versions) const {
  const auto is_set = [this](bool Edge::* mark) {
    return std::ranges::any_of(edges_, [mark](const Edge& edge) { return edge.*mark; });
  };
  const bool is_by_time = is_set(&Edge::is_by_time);
  const std::uint32_t count = read_write_count();
  if (count == 0) {
    if (is_by_time) return AnomalyKind::kOrderViolation;
    const bool has_read = std::ranges::any_of(
        edges_, [](const Edge& edge) { return edge.kind == EdgeKind::kWriteRead; });
    return has_read ? AnomalyKind::kCircularFlow : AnomalyKind::kDirtyWrite;
  }
  if (!is_by_time && is_lost_update(versions)) return AnomalyKind::kLostUpdate;
  if (count == 1) return is_by_time ? AnomalyKind::kStaleRead : AnomalyKind::kReadSkew;
  if (!has_adjacent_read_writes()) return AnomalyKind::kLongFork;
  return is_set(&Edge::is_predicate) ? AnomalyKind::kPhantom : AnomalyKind::kWriteSkew;
}

std::string Cycle::explanation(const Evidence& evidence) const {
  const Wording say(evidence.history, evidence.versions);
  std::string text;
  Edge joined;
  for (const Edge& edge : edges_) {
    // A way over moments is told as one edge between the transactions at its ends.
    if (edge.from < transaction_count_) joined = edge;
    joined.to = edge.to;
    if (edge.to < transaction_count_) text += "  " + line_of(joined, evidence, say) + "\n";
  }
  for (const std::uint32_t number : transactions()) text += say.introduction(number);
  return text;
}

}  // namespace ashlar::testing
