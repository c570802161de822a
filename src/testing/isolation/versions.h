/// \file
/// Every version that a history wrote, numbered: a value of a register, its erasure, a list up to
/// and with one element. Values are written once, so a value leads to its version.
///
/// Each key has an initial version, the absence before anybody wrote, with the number of the key.
/// Those of a transaction follow one another in the order of its steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ashlar/result.h"
#include "testing/isolation/transaction_history.h"

namespace ashlar::testing {

/// Stands for no transaction, no version, no node.
inline constexpr std::uint32_t kNoNumber = UINT32_MAX;

struct Version {
  std::uint64_t value = kAbsent;  ///< kAbsent: erased, or initial.
  std::uint32_t key = 0;
  std::uint32_t writer = kNoNumber;  ///< kNoNumber: initial.
  bool is_final = true;              ///< The last that its writer made of the key.
};

/// Threads: immutable.
class Versions {
 public:
  /// Errors: kInvalidArgument  a value is written twice: its reads would tell nothing
  static Result<Versions> of(const TransactionHistory& history);

  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(all_.size()); }
  const Version& operator[](std::uint32_t version) const { return all_[version]; }

  /// The version of `key` with this value; nullopt when nobody wrote it there.
  std::optional<std::uint32_t> find(std::uint32_t key, std::uint64_t value) const;

  /// The first version that `transaction` made; its others follow.
  std::uint32_t first_of(std::uint32_t transaction) const { return first_of_[transaction]; }
  std::uint32_t end_of(std::uint32_t transaction) const { return first_of_[transaction + 1]; }

  /// The last version that the writer of `version` made of its key.
  std::uint32_t final_of(std::uint32_t version) const;

  /// What was erased is absent again, and absence has no name. The first moment at which that can
  /// have been: the earliest begin of a transaction that erases `key` and may have committed.
  std::uint64_t earliest_erase(std::uint32_t key) const { return earliest_erase_[key]; }

 private:
  void add_initial(std::uint32_t key_count);
  void add_of(const TransactionHistory& history, std::uint32_t transaction);
  void mark_intermediate(std::uint32_t transaction);
  Result<void> index(const TransactionHistory& history);
  std::size_t slot_of(std::uint64_t value) const;

  std::vector<Version> all_;
  std::vector<std::uint32_t> first_of_;  // One more than there are transactions.
  std::vector<std::uint32_t> slots_;  // By hash of the value; kNoNumber where free; a power of two.
  std::vector<std::uint64_t> earliest_erase_;
};

}  // namespace ashlar::testing
