/// \file
/// What a commit has to say to transactions before it is shown, and what it has to ask when it is
/// one itself.
#pragma once

#include <span>
#include <vector>

#include "engine/operation.h"
#include "txn/conflicts.h"
#include "txn/read_set.h"

namespace ashlar::txn {

/// The commit of a transaction: announces what it writes and finds out whether what it has read
/// still stands.
///
/// Threads:  externally synchronised.
/// Lifetime: what it is made of outlives it.
class Validation {
 public:
  /// Whether other commits of what is written count as well as those of what was read.
  enum class Writes : std::uint8_t { kFree, kFirstCommitterWins };

  struct World {
    const Conflicts& conflicts;
    const Conflicts::Entered& entered;
    const ReadSet& reads;
    Sequence snapshot = 0;
    Writes writes = Writes::kFree;
  };

  /// May throw std::bad_alloc.
  Validation(const World& world, std::span<const engine::Operation> operations);

  /// See engine::Commit::announce.
  void announce(Sequence stamp) noexcept;

  /// Whether the transaction may commit. Between the last `announce` and the showing.
  ///
  /// Cost: a miss for each key that was read, all of them at once; and for scanned ranges a look at
  ///       every key that was written since the snapshot
  bool is_good() noexcept;

  /// What `is_good` has said; true before it was asked.
  bool was_good() const noexcept { return was_good_; }

 private:
  /// A slot of the table that this writes, and what its word is now.
  struct Own {
    std::size_t slot;
    bool counts;  // Whether others must not have written it since the snapshot.
    ConflictTable::Word word = 0;
    bool is_announced = false;
  };

  Own* find_own(std::size_t slot) noexcept;
  bool is_unchanged(std::size_t slot) noexcept;
  bool are_ranges_unchanged() const noexcept;
  bool is_in_a_range(const CommitRing::Written& written) const noexcept;

  const World world_;
  const std::span<const engine::Operation> operations_;
  std::vector<Own> own_;  // By slot, each once.
  bool was_overtaken_ = false;
  bool was_good_ = true;
};

/// What any commit does: one of a transaction by its validation.
///
/// Threads:  externally synchronised.
/// Lifetime: what it is made of outlives it.
class Announcement {
 public:
  Announcement(Conflicts& conflicts, std::span<const engine::Operation> operations,
               Validation* validation) noexcept
      : conflicts_(conflicts), operations_(operations), validation_(validation) {}

  void announce(Sequence stamp) noexcept {
    if (validation_ != nullptr) return validation_->announce(stamp);
    conflicts_.announce(operations_, stamp);
  }
  bool is_good() noexcept { return validation_ == nullptr || validation_->is_good(); }

 private:
  Conflicts& conflicts_;
  const std::span<const engine::Operation> operations_;
  Validation* const validation_;  // Null for a commit of no transaction.
};

}  // namespace ashlar::txn
