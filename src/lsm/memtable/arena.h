/// \file
/// Memory that is handed out from front to back and freed as a whole, in huge pages.
///
///     begin()                 used_bytes()          taken_bytes()            address space
///     | handed out            | room                | not taken, not touched |
///
/// Invariants:
///   Q2  What is handed out stays where it is, and nobody else gets it, until the arena goes.
///   Q3  After `reserve(n)` has succeeded the next n bytes are handed out without failing.
///   M1 of memory_budget.h: every byte of room is taken before it is handed out.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/memory/memory_budget.h"
#include "base/memory/reservation.h"

namespace ashlar::lsm {

/// Threads:  one writer at a time; the figures may be asked for by anyone.
/// Lifetime: the budget must outlive the arena.
class Arena {
 public:
  /// Everything handed out begins at a multiple of this.
  static constexpr std::size_t kAlignmentBytes = 8;
  /// What is taken from the budget at a time: a huge page, which is what touching it costs but for
  /// the first.
  static constexpr std::size_t kStepBytes = base::kHugePageBytes;
  /// What is given back is whole pages of this size.
  static constexpr std::size_t kPageBytes = 4096;

  /// Input:   address_bytes  the most that the arena can ever hold
  /// Returns: nullopt when the system refuses the address space
  static std::optional<Arena> make(base::MemoryBudget& budget, std::size_t address_bytes) noexcept;

  Arena(Arena&& other) noexcept
      : region_(std::move(other.region_)),
        budget_(other.budget_),
        touched_bytes_(other.touched_bytes_),
        used_bytes_(other.used_bytes()),
        taken_bytes_(other.taken_bytes_.exchange(0, std::memory_order_relaxed)) {}
  Arena& operator=(Arena&&) = delete;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { budget_->give_back(taken_bytes()); }

  /// Makes room for `bytes` more.
  ///
  /// Returns: false, with nothing changed, when the budget or the address space is used up
  [[nodiscard]] bool reserve(std::size_t bytes) noexcept;

  /// Whether the address space has room for `bytes` more, whatever the budget says.
  bool has_addresses(std::size_t bytes) const noexcept {
    return bytes <= region_.bytes() - used_bytes();
  }

  /// Gives room back that was not handed out, down to `taken_bytes` in all.
  void give_back_down_to(std::size_t taken_bytes) noexcept;

  /// Gives all room back that was not handed out, to a page, and the memory under it: for one that
  /// is kept for long and filled no more. Where it is, more room is taken as before.
  ///
  /// Cost: a system call
  void give_back_unused() noexcept;

  /// Hands out `bytes`, rounded up to the alignment. There must be room for them (Q3).
  char* allocate(std::size_t bytes) noexcept {
    const std::size_t begin = used_bytes();
    const std::size_t end = begin + round_up(bytes);
    ASHLAR_ASSERT(end <= taken_bytes(), "Q3, M1: what is handed out was reserved");
    // Relaxed: the writer alone stores, and others only want a figure.
    used_bytes_.store(end, std::memory_order_relaxed);
    return region_.begin() + begin;
  }

  /// As `allocate`; all of it reads as zeroes.
  ///
  /// Cost: none for memory that nobody had before; what somebody had is written to
  char* allocate_zeroed(std::size_t bytes) noexcept;

  /// Whatever was handed out is nobody's any more. The memory stays, and stays taken.
  void begin_anew() noexcept;

  /// What `allocate(bytes)` uses up.
  static constexpr std::size_t round_up(std::size_t bytes) noexcept {
    return (bytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
  }

  char* begin() const noexcept { return region_.begin(); }
  std::size_t used_bytes() const noexcept { return used_bytes_.load(std::memory_order_relaxed); }
  std::size_t taken_bytes() const noexcept { return taken_bytes_.load(std::memory_order_relaxed); }

 private:
  Arena(base::Reservation region, base::MemoryBudget& budget) noexcept
      : region_(std::move(region)), budget_(&budget) {}

  base::Reservation region_;
  base::MemoryBudget* budget_;
  std::size_t touched_bytes_ = 0;  // Of an arena that was begun anew: what may not be zeroes.
  // Stored by the writer, in plain stores; atomic for those who ask how much there is.
  std::atomic<std::size_t> used_bytes_{0};
  std::atomic<std::size_t> taken_bytes_{0};
};

}  // namespace ashlar::lsm
