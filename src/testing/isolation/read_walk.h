/// \file
/// Walks the steps of each transaction that took effect and finds which versions of others it read,
/// and which of its own replaced one that it had read.
///
/// On the way it reports what needs no cycle to be wrong: own writes unseen, values of nobody, of
/// aborted transactions or not final, reads of one key that differ, lists that fit no order, and
/// two transactions that read one version and both replaced it.
///
/// Absence has no name: the initial one of a key that may have been erased before the read ended
/// cannot be told from that erasure, and such a read tells nothing.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "testing/isolation/findings.h"
#include "testing/isolation/list_orders.h"

namespace ashlar::testing {

/// Threads:  externally synchronised.
/// Lifetime: evidence, orders and report must outlive it.
class ReadWalk {
 public:
  ReadWalk(const Evidence& evidence, const ListOrders& orders, IsolationReport& report);

  /// Walks all transactions. Call it once.
  ///
  /// Cost: linear in the words of the history; a range read costs a step a key that is in it
  void run();

  const std::vector<VersionRead>& reads() const noexcept { return reads_; }

  /// Of registers: from what a transaction read to what it made of it.
  const std::vector<Succession>& successions() const noexcept { return successions_; }

  /// Whether a lost update or a read skew of `transaction` was reported: cycles may come of it.
  bool is_reported(std::uint32_t transaction) const { return is_reported_[transaction]; }

 private:
  // What the transaction being walked knows of a key.
  struct View {
    std::uint32_t key = 0;
    std::uint32_t own = kNoNumber;  // Its latest version of the key.
    std::uint32_t own_appends = 0;  // How often it wrote the key.
    std::uint32_t read =
        kNoNumber;  // The version it read first, or kNoNumber when that has no name.
    std::uint32_t replaced = kNoNumber;  // What it had read when it wrote first.
    std::uint64_t answer = kAbsent;      // A value, or the length of a list.
    bool has_read = false;
  };

  struct Bounds {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  void sort_registers();
  void walk(std::uint32_t transaction);
  void finish(std::uint32_t transaction);
  View& view_of(std::uint32_t key);
  void note_own(std::uint32_t version);
  void note_read(View& view, std::uint32_t version, std::uint64_t answer, bool is_missed_by_range);
  void read_list(const TransactionHistory::Step& step);
  bool is_own(std::uint32_t key, std::span<const std::uint64_t> elements) const;
  void read_register(std::uint32_t key, std::uint64_t value, bool is_missed_by_range);
  void read_range(const TransactionHistory::Step& step);
  bool is_orderly(const TransactionHistory::Step& step, const Bounds& bounds);
  Bounds bounds_of(const TransactionHistory::Step& step) const;
  std::uint32_t version_read(std::uint32_t key, std::uint64_t value);
  std::uint32_t final_version_read(std::uint32_t version);
  std::uint32_t absence_of(std::uint32_t key) const;
  void note_replaced(std::uint32_t transaction, std::uint32_t version);

  const Evidence& evidence_;
  const ListOrders& orders_;
  IsolationReport& report_;

  std::uint32_t now_ = kNoNumber;           // The transaction being walked.
  std::vector<View> views_;                 // Of that transaction.
  std::vector<std::uint32_t> view_at_;      // By key: where its view is, valid if
  std::vector<std::uint32_t> viewed_by_;    // this is the transaction being walked.
  std::vector<std::uint32_t> registers_;    // Keys in the order of their names.
  std::vector<std::uint32_t> rank_;         // By key: its place there.
  std::vector<std::uint32_t> replaced_by_;  // By version: the first that read and replaced it.

  std::vector<VersionRead> reads_;
  std::vector<Succession> successions_;
  std::vector<bool> is_reported_;
};

}  // namespace ashlar::testing
