/// \file
/// The rows of the bench: what each measures, against whom, and how well it must do.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contender.h"
#include "report.h"

namespace ashlar::bench {

/// What running one row gave.
struct RowOutcome {
  std::vector<RowResult> results;  ///< The row itself first, then lines for information.
  std::uint64_t wrong_count = 0;   ///< Wrong answers and failed writes, of all sides.
  std::string wrong_of;            ///< Who gave them.
};

/// One row.
struct Row {
  std::string_view name;
  std::string_view what;  ///< For `--list`.
  double must;
  std::optional<double> aim;  ///< Absent: the bound is all there is to reach.
  RowOutcome (*run)(const Row& row, const Settings& settings);
};

/// What a peer beside that of the row is held against.
struct PeerBounds {
  std::string_view peer;
  double must;
  std::optional<double> aim = {};  // NOLINT(readability-redundant-member-init): see RowResult.
};

/// All rows, in the order of the report.
std::span<const Row> all_rows();

/// Keys held in the rows that do not say otherwise.
inline constexpr std::uint64_t kKeyCount = 1'000'000;

/// Of what the contenders of a comparison give figures, and what holds for the further peers.
struct Comparison {
  std::string_view peer;  ///< The peer of the row.
  std::string_view unit = "ns";
  std::span<const PeerBounds> more = {};  ///< Peers with bounds of their own.
};

/// Runs the rounds of `contenders`, the first of which is ours.
///
/// Returns: the row with its verdict against its peer; then a line for each further contender and
///          for each peer with bounds that is missing, for information where there are no bounds
RowOutcome compare(const Row& row, const Settings& settings, const Contenders& contenders,
                   const Comparison& comparison);
inline RowOutcome compare(const Row& row, const Settings& settings, const Contenders& contenders,
                          std::string_view peer_name) {
  return compare(row, settings, contenders, Comparison{.peer = peer_name});
}

// One function a row, in the file that its name leads to: row_point.cc and so on.
RowOutcome run_get(const Row& row, const Settings& settings);
RowOutcome run_get_hot(const Row& row, const Settings& settings);
RowOutcome run_set(const Row& row, const Settings& settings);
RowOutcome run_insert(const Row& row, const Settings& settings);
RowOutcome run_delete(const Row& row, const Settings& settings);
RowOutcome run_batch_get(const Row& row, const Settings& settings);
RowOutcome run_batch_set(const Row& row, const Settings& settings);
RowOutcome run_mixed_95_5(const Row& row, const Settings& settings);
RowOutcome run_mixed_50_50(const Row& row, const Settings& settings);
RowOutcome run_scan(const Row& row, const Settings& settings);
RowOutcome run_bytes_per_key(const Row& row, const Settings& settings);
RowOutcome run_expiry_churn(const Row& row, const Settings& settings);
RowOutcome run_hit_ratio(const Row& row, const Settings& settings);
RowOutcome run_log_fillseq(const Row& row, const Settings& settings);
RowOutcome run_log_fillrandom(const Row& row, const Settings& settings);
RowOutcome run_log_sync_1(const Row& row, const Settings& settings);
RowOutcome run_log_sync_16(const Row& row, const Settings& settings);
RowOutcome run_log_recovery(const Row& row, const Settings& settings);
RowOutcome run_checkpoint(const Row& row, const Settings& settings);
RowOutcome run_txn_low(const Row& row, const Settings& settings);
RowOutcome run_txn_low_disk(const Row& row, const Settings& settings);
RowOutcome run_txn_high(const Row& row, const Settings& settings);
RowOutcome run_txn_counter(const Row& row, const Settings& settings);
RowOutcome run_txn_serializable_cost(const Row& row, const Settings& settings);
RowOutcome run_changes_tail(const Row& row, const Settings& settings);

}  // namespace ashlar::bench
