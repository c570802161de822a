/// \file
/// The order of the versions of each list, exactly: the longest read of a list holds every element
/// in its place, and each shorter one must be the beginning of it.
///
/// What no read holds was appended after the last that is known, or it was lost: it was, when some
/// read of the list began after the commit had been acknowledged, and none found the element; or
/// when one found what the same transaction appended after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "testing/isolation/findings.h"

namespace ashlar::testing {

/// Threads:  externally synchronised.
/// Lifetime: evidence and report must outlive it.
class ListOrders {
 public:
  /// Reports what is wrong with the longest reads: garbage, duplicates, aborted elements; and the
  /// elements that were lost, or stand in another order than their writer appended them in.
  ListOrders(const Evidence& evidence, IsolationReport& report);

  /// The version of the list `key` with its first `length` elements, or the last one before that
  /// took effect.
  ///
  /// Input: length  at most that of the longest read
  std::uint32_t version_at(std::uint32_t key, std::size_t length) const;

  const std::vector<Succession>& successions() const noexcept { return successions_; }

 private:
  void order_key(std::uint32_t key);
  bool is_sound(std::uint32_t key, std::uint64_t element);
  bool is_turned_around(std::uint32_t last, std::uint32_t version) const;
  void report_turned_around(std::uint32_t first, std::uint32_t second);
  bool is_passed_over(std::uint32_t version) const;
  void place_unread();
  void report_lost(std::uint32_t version);

  const Evidence& evidence_;
  IsolationReport& report_;
  std::vector<std::size_t> order_begin_;  // By key: where its order begins.
  std::vector<std::uint32_t> order_;      // Of all keys, one after the other.
  std::vector<bool> is_placed_;           // By version.
  std::vector<Succession> successions_;
};

/// Reports elements of a read that is not the beginning of the longest one: they stand in no order.
void report_odd_elements(const Evidence& evidence, IsolationReport& report, std::uint32_t reader,
                         std::uint32_t key, std::span<const std::uint64_t> elements);

}  // namespace ashlar::testing
