/// \file
/// When to look at which key: a timing wheel of queues.
///
/// Three levels of 256 buckets cover 256 ticks, 65 thousand and 16 million ticks of 16 ms (4 s, 17
/// min, 74 h); what is further off waits in one more queue that is looked at each time the top
/// level comes round. An entry is just the hash of a key. When its bucket comes up the caller looks
/// at the key and adds it again if it is not due yet. So neither erasing a key nor moving its
/// deadline costs anything here.
///
/// Invariants:
///   W1  An entry comes up no later than at its tick.
///   W2  An entry that was added for a tick within the first level comes up at that tick.
///
/// Source: "Hashed and hierarchical timing wheels", G. Varghese, T. Lauck, 1987.
#pragma once

#include <cstdint>
#include <vector>

#include "base/chunked_queue.h"
#include "base/memory/memory_budget.h"
#include "engine/operation.h"

namespace ashlar::memory {

/// How much later than its deadline a key may be reclaimed by design. No read depends on it: reads
/// judge deadlines to the millisecond.
inline constexpr engine::TimeMs kTickMs = 16;

/// The tick that a moment lies in.
constexpr std::uint64_t tick_at(engine::TimeMs now_ms) noexcept {
  return now_ms <= 0 ? 0 : static_cast<std::uint64_t>(now_ms) / kTickMs;
}

/// The tick at which a key with this deadline is looked at: the first that begins after it. Never
/// 0, which stands for no tick.
constexpr std::uint64_t tick_of(engine::TimeMs deadline_ms) noexcept {
  return tick_at(deadline_ms) + 1;
}

/// Threads: externally synchronised.
class ExpiryWheel {
 public:
  /// Lifetime: `budget` must outlive the wheel.
  ExpiryWheel(base::MemoryBudget& budget, std::uint64_t now_tick);

  /// Adds `hash` to come up at `tick`, or at once when that has passed.
  ///
  /// Returns: false when there is no memory for the entry; nothing is added then
  [[nodiscard]] bool add(std::uint64_t hash, std::uint64_t tick) noexcept;

  /// Moves on towards `now_tick`, up to the next bucket that holds anything, whose entries `due`
  /// takes. `due` must be empty.
  ///
  /// Returns: what `due` holds; kNothing when `now_tick` has been reached and nothing more comes up
  enum class CameUp : std::uint8_t {
    kNothing,
    kAtTick,   ///< Entries whose tick this is.
    kNearing,  ///< Entries from further off, to be added again by their own tick.
  };
  CameUp advance(std::uint64_t now_tick, base::ChunkedQueue& due);

  /// Takes the entries of one bucket out, whenever they are due. Returns false at the end; a caller
  /// that starts with `position` 0 and adds nothing meanwhile has then had every entry.
  bool take_bucket(std::size_t& position, base::ChunkedQueue& entries);

  /// The first tick that has not come up yet.
  std::uint64_t next_tick() const noexcept { return next_tick_; }

  /// The earliest tick at which something may come up; UINT64_MAX when nothing waits.
  std::uint64_t next_due_tick() const noexcept;

  std::size_t count() const noexcept { return count_; }

 private:
  static constexpr unsigned kLevelBits = 8;
  static constexpr std::uint64_t kLevelBuckets = std::uint64_t{1} << kLevelBits;
  static constexpr unsigned kLevelCount = 3;

  base::ChunkedQueue& bucket(unsigned level, std::uint64_t tick) noexcept {
    return queues_[level * kLevelBuckets + (tick >> kLevelBits * level) % kLevelBuckets];
  }
  base::ChunkedQueue& far() noexcept { return queues_.back(); }
  base::ChunkedQueue* bucket_coming_up() noexcept;
  std::uint64_t next_busy_tick(std::uint64_t tick) const noexcept;

  /// The first time, counted in turns of 2^`shift` ticks, that a level comes round at `tick` or
  /// later.
  static std::uint64_t first_turn(std::uint64_t tick, unsigned shift) noexcept {
    return (tick + (std::uint64_t{1} << shift) - 1) >> shift;
  }

  std::uint64_t next_tick_;
  unsigned turning_level_ = kLevelCount;  // Levels above have had their turn at `next_tick_`.
  std::size_t count_ = 0;
  std::vector<base::ChunkedQueue> queues_;  // Levels from the nearest up, then the far queue.
};

}  // namespace ashlar::memory
