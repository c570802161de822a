/// \file
/// What a transaction has written and not committed: the last write of each key, and how to go back
/// to what was before.
///
/// Invariants:
///   X4  After `undo_to(m)` the set is as it was when `mark()` returned m.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/operation.h"

namespace ashlar::txn {

/// The last write of a key. Its value is the set's own.
struct PendingWrite {
  engine::OperationKind kind = engine::OperationKind::kPut;
  engine::TimeMs deadline_ms = engine::kNever;
  std::string value = {};  // Said, so that g++ 12 lets it be left out of a list.
};

/// Threads: externally synchronised.
class WriteSet {
 public:
  using Rows = std::map<std::string, PendingWrite, std::less<>>;
  /// A moment to go back to: the number of the last change that stands, from 1 on; 0 for none.
  /// Numbers are not used again, so that a moment that was undone is told from one that came later.
  using Mark = std::size_t;

  /// The write of `operation.key` from now on. Copies key and value.
  void add(const engine::Operation& operation);

  /// Returns: null when the key was not written
  const PendingWrite* find(std::string_view key) const noexcept {
    const auto found = rows_.find(key);
    return found != rows_.end() ? &found->second : nullptr;
  }

  const Rows& rows() const noexcept { return rows_; }

  /// Keys and values, those to go back to included.
  std::size_t bytes() const noexcept { return bytes_; }

  Mark mark() const noexcept { return changes_.empty() ? 0 : changes_.back().number; }
  /// Whether nothing before `mark` has been undone.
  bool has(Mark mark) const noexcept;
  /// Input: mark  one that it `has`
  void undo_to(Mark mark) noexcept;

  /// As the engines take it, in the order of the keys.
  ///
  /// Lifetime: of what is in it: until the set changes
  std::vector<engine::Operation> operations() const;

 private:
  /// What a key had before a change.
  struct Change {
    Mark number;
    Rows::iterator row;
    std::optional<PendingWrite> before;
  };

  Rows rows_;
  std::vector<Change> changes_;  // Ascending by number.
  Mark last_number_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace ashlar::txn
