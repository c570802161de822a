/// \file
/// What a transaction has read: keys by their slots in the conflict table, and ranges by the keys
/// that a scan has gone over.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "txn/commit_ring.h"

namespace ashlar::txn {

/// The keys between the least and the greatest that a cursor has passed, whether they are there or
/// not: nothing at first, and never less than before.
///
/// Threads: externally synchronised.
class PassedRange {
 public:
  /// The cursor has passed all keys from `from` to `to`, both included.
  void pass(std::string_view from, std::string_view to);
  /// The cursor has passed all keys from `from` on; or as far as `end`, which is not included.
  void pass_to_end(std::string_view from, const std::optional<std::string>& end);

  /// Whether a key that was written may lie in it.
  bool may_have(const CommitRing::Written& written) const noexcept;

  bool is_empty() const noexcept { return !from_.has_value(); }

 private:
  void reach_down(std::string_view from);

  std::optional<std::string> from_;  // Nullopt: nothing was passed.
  std::string last_;                 // Passed, too; unless
  std::optional<std::string> end_;   // there is an end, which was not,
  bool is_endless_ = false;          // or none.
};

/// Threads:  externally synchronised.
class ReadSet {
 public:
  void add_key(std::size_t slot) {
    if (slots_.empty()) slots_.reserve(kSlotsAtFirst);
    slots_.push_back(slot);
  }

  /// A range for a cursor to note in what it passes.
  ///
  /// Lifetime: of the reference: the set's
  PassedRange& add_range() { return ranges_.emplace_back(); }

  std::span<const std::size_t> slots() const noexcept { return slots_; }
  const std::deque<PassedRange>& ranges() const noexcept { return ranges_; }

  /// How many keys and ranges.
  std::size_t count() const noexcept { return slots_.size() + ranges_.size(); }

 private:
  static constexpr std::size_t kSlotsAtFirst = 16;

  std::vector<std::size_t> slots_;
  std::deque<PassedRange> ranges_;
};

}  // namespace ashlar::txn
