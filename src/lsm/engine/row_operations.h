/// \file
/// The operations of a commit as rows of the engine: where a value is long, the row gets a
/// reference to where the value stands in the log, and nobody writes it a second time.
///
/// The rows are there, as long as they will be, before the commit is appended, so that room is made
/// for them; what they refer to is known after that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/commit.h"
#include "engine/operation.h"

namespace ashlar::lsm {

/// Threads:  confined.
/// Lifetime: `operations` must outlive it.
class RowOperations {
 public:
  /// Input: commit       that `operations` are of; null, or one whose log has no positions: all
  ///                     values stay in their rows
  ///        large_bytes  values of so many bytes and more stand apart; at least 1
  /// Cost:  a checksum of each value that is to stand apart, a look at the others
  RowOperations(std::span<const engine::Operation> operations, const engine::Commit* commit,
                std::size_t large_bytes);
  RowOperations(const RowOperations&) = delete;
  RowOperations& operator=(const RowOperations&) = delete;

  std::span<const engine::Operation> rows() const noexcept { return rows_; }

  /// Writes the references, once `commit` was appended.
  void place(const engine::Commit& commit) noexcept;

  /// Of all values that stand apart.
  std::uint64_t apart_bytes() const noexcept { return apart_bytes_; }

 private:
  /// A value that stands apart.
  struct Apart {
    std::size_t index;  // Of its operation.
    std::uint64_t hash;
  };

  const std::span<const engine::Operation> operations_;
  std::span<const engine::Operation> rows_;  // `operations_`, or `made_`.
  std::vector<engine::Operation> made_;
  std::vector<Apart> apart_;
  std::string references_;  // One behind the other.
  std::uint64_t apart_bytes_ = 0;
};

}  // namespace ashlar::lsm
