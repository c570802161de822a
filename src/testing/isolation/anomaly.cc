#include "testing/isolation/anomaly.h"

#include <numeric>
#include <utility>

#include "base/assert.h"

namespace ashlar::testing {
namespace {

constexpr std::array<std::string_view, kAnomalyKinds> kNames = {
    "garbage read",  "duplicate element", "lost append",       "incompatible order",
    "internal",      "aborted read",      "intermediate read", "dirty write",
    "circular flow", "lost update",       "read skew",         "long fork",
    "stale read",    "order violation",   "write skew",        "phantom",
};
static_assert(static_cast<std::size_t>(AnomalyKind::kPhantom) + 1 == kAnomalyKinds);

std::size_t index_of(AnomalyKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  ASHLAR_ASSERT(index < kAnomalyKinds, "an anomaly is one of those that have a name");
  return index;
}

}  // namespace

std::string_view anomaly_name(AnomalyKind kind) noexcept {
  return kNames[index_of(kind)];
}

bool is_allowed(AnomalyKind kind, IsolationLevel level) noexcept {
  return level == IsolationLevel::kSnapshot &&
         (kind == AnomalyKind::kWriteSkew || kind == AnomalyKind::kPhantom);
}

bool IsolationReport::count_one(AnomalyKind kind) {
  ++counts_[index_of(kind)];
  return kept_[index_of(kind)] < kKeptMax;
}

void IsolationReport::keep(Anomaly anomaly) {
  ASHLAR_ASSERT(kept_[index_of(anomaly.kind)] < kKeptMax, "only some of a kind are kept");
  ++kept_[index_of(anomaly.kind)];
  ASHLAR_ASSERT(kept_[index_of(anomaly.kind)] <= count(anomaly.kind), "what is kept was counted");
  anomalies_.push_back(std::move(anomaly));
}

std::uint64_t IsolationReport::count(AnomalyKind kind) const {
  return counts_[index_of(kind)];
}

std::uint64_t IsolationReport::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

bool IsolationReport::holds(IsolationLevel level) const {
  for (std::size_t i = 0; i < kAnomalyKinds; ++i) {
    if (counts_[i] > 0 && !is_allowed(static_cast<AnomalyKind>(i), level)) return false;
  }
  return true;
}

std::string IsolationReport::text() const {
  if (count() == 0) return "no anomalies\n";
  std::string text;
  for (std::size_t i = 0; i < kAnomalyKinds; ++i) {
    if (counts_[i] == 0) continue;
    text.append(kNames[i]).append(": ").append(std::to_string(counts_[i])).append("\n");
  }
  for (const Anomaly& anomaly : anomalies_) {
    text.append("\n").append(anomaly_name(anomaly.kind)).append("\n").append(anomaly.explanation);
  }
  return text;
}

}  // namespace ashlar::testing
