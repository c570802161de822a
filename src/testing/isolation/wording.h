/// \file
/// How a report speaks of transactions, keys and versions.
#pragma once

#include <cstdint>
#include <string>

#include "testing/isolation/versions.h"

namespace ashlar::testing {

/// Threads:  immutable.
/// Lifetime: history and versions must outlive it.
class Wording {
 public:
  Wording(const TransactionHistory& history, const Versions& versions) noexcept
      : history_(history), versions_(versions) {}

  /// "T12".
  std::string transaction(std::uint32_t transaction) const;

  /// "T12: session 3, 100 to 250, committed", a line.
  std::string introduction(std::uint32_t transaction) const;

  /// "k3", what is not printable as the files have it.
  std::string key(std::uint32_t key) const;

  /// "element 7", "value 7", "the erasure", "the absence".
  std::string content(std::uint32_t version) const;

  /// "element 7 of k3", "value 7 of k3", "the erasure of k3", "the absence of k3".
  std::string version(std::uint32_t version) const;

  /// "T5 appended", "T5 wrote", "T5 erased": how `version`, which is not initial, was made.
  std::string making(std::uint32_t version) const;

 private:
  bool is_list(std::uint32_t key) const;

  const TransactionHistory& history_;
  const Versions& versions_;
};

}  // namespace ashlar::testing
