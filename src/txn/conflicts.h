/// \file
/// What all transactions and all other writes of a database have in common: who writes what, told
/// as long as a transaction is under way that might have to know.
///
/// Invariants:
///   X3  A transaction that finds `generation` as it was when it entered has been told of every
///       commit that X1 of conflict_table.h speaks of.
///   M1 of memory_budget.h: the tables are in the budget.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "ashlar/result.h"
#include "base/thread_safety.h"
#include "engine/operation.h"
#include "engine/storage_engine.h"
#include "txn/commit_ring.h"
#include "txn/conflict_table.h"

namespace ashlar::txn {

/// Threads:  thread-safe.
/// Lifetime: the engine outlives it.
class Conflicts {
 public:
  struct Tables {
    Tables(std::size_t slot_count, std::size_t entry_count, std::uint64_t seed)
        : keys(slot_count, seed), ring(entry_count) {}
    std::size_t bytes() const noexcept { return sizeof(*this) + keys.bytes() + ring.bytes(); }

    ConflictTable keys;
    CommitRing ring;
  };

  /// Input: budget_bytes  that of the engine
  Conflicts(engine::StorageEngine& engine, std::size_t budget_bytes, std::uint64_t seed) noexcept
      : engine_(engine), budget_bytes_(budget_bytes), seed_(seed) {}
  ~Conflicts();
  Conflicts(const Conflicts&) = delete;
  Conflicts& operator=(const Conflicts&) = delete;

  /// What a transaction is told when it begins. Kept until `leave`.
  struct Entered {
    Tables* tables = nullptr;
    std::uint64_t generation = 0;
    std::uint64_t ring_head = 0;
    CommitRing::Owner owner = 0;
  };

  /// Leaves at the end of a scope, by an exception too, unless `stay` was called.
  class Leaver {
   public:
    explicit Leaver(Conflicts& conflicts) noexcept : conflicts_(&conflicts) {}
    Leaver(const Leaver&) = delete;
    Leaver& operator=(const Leaver&) = delete;
    ~Leaver() {
      if (conflicts_ != nullptr) conflicts_->leave();
    }
    void stay() noexcept { conflicts_ = nullptr; }

   private:
    Conflicts* conflicts_;  // Null once it is to stay.
  };

  /// A transaction begins. Before it takes its snapshot. May throw std::bad_alloc, and then has not
  /// entered.
  ///
  /// Errors: kOutOfSpace  the budget has no room for the tables, up to 12 MiB once
  /// Cost:   two shared counters; where nobody has been for a while, also what
  ///         `StorageEngine::wait_for_commits` costs
  Result<Entered> enter();
  void leave() noexcept { under_way_count_.fetch_sub(1, std::memory_order_seq_cst); }

  /// Whether all was told since `entered` (X3).
  bool is_told_all(const Entered& entered) const noexcept {
    return generation_.load(std::memory_order_seq_cst) == entered.generation;
  }

  /// `operations` are about to be shown with `stamp`, by no transaction. Their keys are locked; see
  /// conflict_table.h for when.
  ///
  /// Cost: a load while no transaction is under way; else some two misses a key
  void announce(std::span<const engine::Operation> operations, Sequence stamp) noexcept {
    if (Tables* const tables = tables_told_.load(std::memory_order_seq_cst)) [[unlikely]]
      announce_to(*tables, operations, stamp);
  }

 private:
  Result<void> make_tables() ASHLAR_REQUIRES(mutex_);
  Result<void> start_telling() ASHLAR_REQUIRES(mutex_);
  void announce_to(Tables& tables, std::span<const engine::Operation> operations,
                   Sequence stamp) noexcept;
  void stop_telling() noexcept;

  engine::StorageEngine& engine_;
  const std::size_t budget_bytes_;
  const std::uint64_t seed_;

  std::atomic<Tables*> tables_told_{nullptr};  // Null while nobody has to be told.
  std::atomic<bool> do_all_tell_{false};       // No commit is on its way that found null there.
  std::atomic<std::uint64_t> generation_{0};   // Odd while `stop_telling` is at work.
  std::atomic<std::uint64_t> under_way_count_{0};
  std::atomic<CommitRing::Owner> last_owner_{0};

  base::Mutex mutex_;
  std::unique_ptr<Tables> tables_ ASHLAR_GUARDED_BY(mutex_);  // Kept once made.
};

}  // namespace ashlar::txn
