#include "rows.h"

#include <algorithm>
#include <array>

namespace ashlar::bench {

std::span<const Row> all_rows() {
  static constexpr std::array<Row, 13> kRows = {{
      {"mem-get", "read, 1 M keys, uniform", 3, 5, run_get},
      {"mem-get-hot", "read, 10 K keys, uniform", 1.5, 3, run_get_hot},
      {"mem-set", "overwrite, 1 M keys, uniform", 2.5, 4, run_set},
      {"mem-insert", "insert 1 M keys into an empty store", 5, 8, run_insert},
      {"mem-delete", "delete all of 1 M keys, shuffled", 5, 8, run_delete},
      {"mem-batch-get", "read 10 keys in one batch, 1 M keys", 4, 7, run_batch_get},
      {"mem-batch-set", "overwrite 10 keys in one batch, 1 M keys", 4, 7, run_batch_set},
      {"mem-mixed-95-5", "2 threads, 95 % reads, Zipf 0.99", 2.5, 4, run_mixed_95_5},
      {"mem-mixed-50-50", "2 threads, 50 % reads, Zipf 0.99", 2.5, 4, run_mixed_50_50},
      {"mem-scan", "100 rows in order from a random start", 1.5, 3, run_scan},
      {"mem-bytes-per-key", "memory of a key of 16 and a value of 100 bytes", 155, 142,
       run_bytes_per_key},
      {"mem-expiry-churn", "1 M keys expire a second: dead share, latency", 5, 1, run_expiry_churn},
      {"mem-hit-ratio", "Zipf 0.99 with scans, budget of 10 %, against LRU", 2, 4, run_hit_ratio},
  }};
  return kRows;
}

RowOutcome compare(const Row& row, const Settings& settings, const Contenders& contenders,
                   std::string_view peer_name) {
  const RoundsOutcome rounds = run_rounds(settings, contenders);
  const auto& spreads = rounds.spreads;
  const auto line = [&](std::string name) {
    return RowResult{.name = std::move(name),
                     .ours = spreads[0].median,
                     .peer = std::string(peer_name),
                     .unit = "ns",
                     .ours_spread = spreads[0]};
  };

  RowOutcome outcome;
  outcome.results.push_back(line(std::string(row.name)));
  outcome.results[0].must = row.must;
  outcome.results[0].aim = row.aim;
  if (rounds.disturbed_turn_count > 0) {
    outcome.results[0].note = std::to_string(rounds.disturbed_turn_count) + " of " +
                              std::to_string(rounds.turn_count) + " turns disturbed";
  }
  for (std::size_t i = 1; i < contenders.size(); ++i) {
    const std::string peer(contenders[i]->name());
    if (peer != peer_name) {
      outcome.results.push_back(line(std::string(row.name) + "/" + peer));
      outcome.results.back().peer = peer;
    }
    auto& result = peer == peer_name ? outcome.results[0] : outcome.results.back();
    result.peer_value = spreads[i].median;
    result.ratio = spreads[i].median / spreads[0].median;
    result.peer_spread = spreads[i];
  }
  for (const auto& contender : contenders) {
    if (contender->wrong_count() == 0) continue;
    outcome.wrong_count += contender->wrong_count();
    outcome.wrong_of += (outcome.wrong_of.empty() ? "" : ", ") + std::string(contender->name());
  }
  return outcome;
}

}  // namespace ashlar::bench
