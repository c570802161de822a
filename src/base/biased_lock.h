/// \file
/// A lock that costs its one frequent user next to nothing and its rare other users a system call.
///
/// Invariants:
///   Z1  At most one of owner and visitor is inside.
///
/// The owner announces itself with a plain store and then looks for a visitor; a visitor announces
/// itself, makes every core pass a barrier (membarrier), and then looks for the owner. At least one
/// of them sees the other. Without the barrier the owner would need a full fence in
/// each call.
///
/// Source: "Asymmetric Dekker synchronization", D. Dice, H. Huang, M. Yang, 2001; membarrier(2).
#pragma once

#include <atomic>

#include "base/spin_wait.h"

namespace ashlar::base {

/// Whether the system can make every running thread pass a barrier. Asked once; constant
/// afterwards.
bool has_global_barrier() noexcept;

/// Makes every running thread of the process pass a full memory barrier. Cost: some microseconds.
void global_barrier() noexcept;

/// Threads: one owner and one visitor at a time; the callers see to both.
class BiasedLock {
 public:
  BiasedLock() noexcept : is_light_(has_global_barrier()) {}

  void lock_owner() noexcept {
    // Takes the announcement back while a visitor is about: it waits for the owner to be out, so
    // two who both stood by theirs would wait for each other.
    for (SpinWait wait;; wait.pause()) {
      announce();
      // Pairs with the release in `unlock_visitor`, which publishes what the visitor did.
      if (!is_visited_.load(std::memory_order_seq_cst)) [[likely]]
        return;
      is_owner_in_.store(false, std::memory_order_release);
    }
  }

  // Release: partner of the load in `wait_for_owner`.
  void unlock_owner() noexcept { is_owner_in_.store(false, std::memory_order_release); }

  /// First of two steps: announces the visit. Between the steps of one or of many locks the visitor
  /// calls `global_barrier` once.
  void announce_visitor() noexcept { is_visited_.store(true, std::memory_order_seq_cst); }

  /// Second step: waits until the owner is out.
  void wait_for_owner() noexcept {
    // Pairs with the release in `unlock_owner`.
    for (SpinWait wait; is_owner_in_.load(std::memory_order_seq_cst);) wait.pause();
  }

  // Release: partner of the load in `lock_owner`.
  void unlock_visitor() noexcept { is_visited_.store(false, std::memory_order_release); }

 private:
  void announce() noexcept {
    if (is_light_) [[likely]] {
      is_owner_in_.store(true, std::memory_order_relaxed);
      // Keeps the compiler from moving the load up; `global_barrier` does so for the processor.
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      is_owner_in_.store(true, std::memory_order_seq_cst);
    }
  }

  std::atomic<bool> is_owner_in_{false};
  std::atomic<bool> is_visited_{false};
  // Whether visitors impose the barrier: settled before the first lock is made, and for good.
  const bool is_light_;
};

}  // namespace ashlar::base
