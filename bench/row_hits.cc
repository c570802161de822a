// The row of eviction: a cache of a tenth of the keys is read through, on a trace of uneven
// popularity into which scans over cold keys fall. LRU and LFU see the same trace and hold as many
// entries as Ashlar holds in the end.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend_ashlar.h"
#include "cache_models.h"
#include "keys.h"
#include "rows.h"
#include "zipf.h"

namespace ashlar::bench {
namespace {

constexpr std::uint64_t kDistinctCount = 5'000'000;  // And as many cold ones above them.
constexpr std::size_t kBudgetBytes = kDistinctCount / 10 * (kKeyBytes + kValueBytes);
constexpr std::size_t kRequestCount = 10'000'000;
constexpr std::size_t kWarmUpCount = kRequestCount / 2;
// One request in five belongs to a scan, which is an eighth or so of what the cache holds.
constexpr std::size_t kPeriod = 250'000;
constexpr std::size_t kScanCount = 50'000;

std::vector<std::uint32_t> make_trace() {
  auto trace = scrambled_zipf(kDistinctCount, 0.99, kRequestCount, 2);
  std::size_t cold = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    if (i % kPeriod < kPeriod - kScanCount) continue;
    trace[i] = static_cast<std::uint32_t>(kDistinctCount + cold++ % kDistinctCount);
  }
  return trace;
}

/// The share of requests after the warm-up that `request` answers with true, in percent.
template <typename Request>
double hit_percent(const std::vector<std::uint32_t>& trace, Request request) {
  std::size_t hit_count = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const bool is_hit = request(trace[i]);
    hit_count += is_hit && i >= kWarmUpCount ? 1U : 0U;
  }
  return 100 * static_cast<double>(hit_count) / static_cast<double>(trace.size() - kWarmUpCount);
}

}  // namespace

RowOutcome run_hit_ratio(const Row& row, const Settings& /*settings*/) {
  const auto trace = make_trace();
  Db db =
      open_or_throw({.memory_budget_bytes = kBudgetBytes, .memory_policy = MemoryPolicy::kEvict});
  RowOutcome outcome;
  outcome.wrong_of = AshlarBackend::kName;
  ValueMaker values;
  const double ours = hit_percent(trace, [&](std::uint32_t index) {
    const Key key(index);
    const auto found = db.get(key.view());
    if (found && *found) {
      outcome.wrong_count += ValueMaker::is_value_of(index, (*found)->view()) ? 0U : 1U;
      return true;
    }
    outcome.wrong_count += found && db.put(key.view(), values.make(index, 0)) ? 0U : 1U;
    return false;
  });

  const auto stats = db.stats();
  const std::size_t held_count = stats && stats->key_count > 0 ? stats->key_count : 1;
  if (held_count == 1 || stats->memory_bytes > kBudgetBytes) ++outcome.wrong_count;
  LruModel lru_model(2 * kDistinctCount, held_count);
  LfuModel lfu_model(2 * kDistinctCount, held_count);
  const double lru = hit_percent(trace, [&](std::uint32_t i) { return lru_model.request(i); });
  const double lfu = hit_percent(trace, [&](std::uint32_t i) { return lfu_model.request(i); });

  outcome.results.push_back({.name = std::string(row.name),
                             .ours = ours,
                             .peer = "LRU",
                             .peer_value = lru,
                             .unit = "%",
                             .ratio = ours - lru,
                             .ratio_unit = " pt",
                             .must = row.must,
                             .aim = row.aim,
                             .note = std::to_string(held_count) + " entries held"});
  outcome.results.push_back({.name = std::string(row.name) + "/LFU",
                             .ours = ours,
                             .peer = "LFU",
                             .peer_value = lfu,
                             .unit = "%",
                             .ratio = ours - lfu,
                             .ratio_unit = " pt"});
  return outcome;
}

}  // namespace ashlar::bench
