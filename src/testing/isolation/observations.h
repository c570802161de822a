/// \file
/// Which transactions took effect, and the longest that was read of each list.
///
/// A transaction that was killed while it committed took effect when one that did saw something of
/// it. Then all of it counts, its reads too, which may show that yet another one took effect.
///
/// Reads of transactions that were rolled back count for nothing: no level promises them anything.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "testing/isolation/versions.h"

namespace ashlar::testing {

/// The longest content of a list that was read, up to what its reader had appended itself.
struct LongestRead {
  std::span<const std::uint64_t> elements = {};
  std::uint32_t reader = kNoNumber;
  std::uint64_t latest_begin = 0;  ///< Of all that read the list.
};

/// Threads:  immutable.
/// Lifetime: history and versions must outlive it.
class Observations {
 public:
  Observations(const TransactionHistory& history, const Versions& versions);

  bool took_effect(std::uint32_t transaction) const { return took_effect_[transaction]; }

  /// Whether a transaction that took effect read `version`, or a list with its element.
  bool is_seen(std::uint32_t version) const { return is_seen_[version]; }

  const LongestRead& longest(std::uint32_t key) const { return longest_[key]; }

 private:
  void look_at(std::uint32_t transaction);
  void look_at_list(std::uint32_t reader, const TransactionHistory::Step& step);
  void look_at_value(std::uint32_t key, std::uint64_t value);

  const TransactionHistory& history_;
  const Versions& versions_;
  std::vector<bool> took_effect_;
  std::vector<bool> is_seen_;
  std::vector<LongestRead> longest_;
  std::vector<std::uint32_t> pending_;  // They took effect, and were not looked at.
};

}  // namespace ashlar::testing
