/// \file
/// Where the rows of the row cache are: a word each, in buckets of a cache line.
///
///     word of a row     tag 16 | offset / 8, 47 bits | 1       tag: the low bits of the identity
///     word of a ghost   tag 16 | moment,     47 bits | 0       of a row that was evicted
///     0                 nothing
///
/// A bucket that is full loses a row: there is no overflow to follow, and it is a cache. Ghosts
/// stand where rows leave room, and give way to them.
///
/// Invariants:
///   W19  A word leads to a row that is whole and of the identity that the word was stored under.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/epoch.h"
#include "base/memory/memory_budget.h"

namespace ashlar::table {

/// Threads:  `find` is for anyone inside a guard; all else is externally synchronised.
/// Lifetime: the budget outlives it, and it its readers.
class RowIndex {
 public:
  /// When a row was evicted, in a measure of the caller's: above 0, below 2^47.
  using Moment = std::uint64_t;
  static constexpr std::size_t kSlotsPerBucket = 8;

  /// Returns: null when the budget or the allocator has no room
  static std::unique_ptr<RowIndex> make(base::MemoryBudget& budget,
                                        std::size_t bucket_count) noexcept;
  ~RowIndex();
  RowIndex(const RowIndex&) = delete;
  RowIndex& operator=(const RowIndex&) = delete;

  /// The offset of the first row with the tag of `identity` of which `is_it(offset)` is true.
  ///
  /// Cost: one line
  template <typename IsIt>
  std::optional<std::uint64_t> find(std::uint64_t identity, IsIt is_it) const noexcept {
    for (const Slot& slot : bucket_of(identity)) {
      // Acquire: partner of the releases in `insert` and `move`; the row is whole (W19).
      const std::uint64_t word = slot.load(std::memory_order_acquire);
      if (!is_row(word) || !has_tag(word, identity)) continue;
      if (is_it(offset_in(word))) return offset_in(word);
    }
    return std::nullopt;
  }

  /// Stores the word of a row that is whole. Where its bucket is full the row of the least
  /// `heat_of(offset)` goes: to take any would lose hot rows, one in fifteen with each round of the
  /// cache.
  ///
  /// Returns: the offset of a row that had to go for it
  template <typename HeatOf>
  std::optional<std::uint64_t> insert(std::uint64_t identity, std::uint64_t offset,
                                      HeatOf heat_of) noexcept {
    Slot* slot = free_slot(identity);
    std::optional<std::uint64_t> replaced;
    if (slot != nullptr) {
      ++row_count_;
    } else {
      slot = &*std::ranges::min_element(bucket_of(identity), {}, [&](const Slot& at) {
        return heat_of(offset_in(at.load(std::memory_order_relaxed)));
      });
      replaced = offset_in(slot->load(std::memory_order_relaxed));
    }
    // Release: partner of the acquire in `find` (W19).
    slot->store(row_word(identity, offset), std::memory_order_release);
    return replaced;
  }

  /// Whether the word of that row is here.
  bool has(std::uint64_t identity, std::uint64_t offset) const noexcept {
    return slot_of(identity, offset) != nullptr;
  }
  /// The row that `has` is whole at another place now.
  void move(std::uint64_t identity, std::uint64_t from, std::uint64_t to) noexcept;
  /// Takes out the row that `has`, and leaves a ghost.
  void evict(std::uint64_t identity, std::uint64_t offset, Moment now) noexcept;

  /// Takes out the ghost of a row. Returns: when the row was evicted, if it is known
  std::optional<Moment> take_ghost(std::uint64_t identity) noexcept;

  std::size_t slot_count() const noexcept { return buckets_.size() * kSlotsPerBucket; }
  std::size_t bytes() const noexcept { return sizeof(*this) + buckets_.size_bytes(); }
  std::size_t row_count() const noexcept { return row_count_; }

  // For the owner, of one that readers may still see.
  std::unique_ptr<RowIndex> older;
  base::Epoch retired_at = 0;

  /// Calls `visit(offset)` for every row.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Bucket& bucket : buckets_) {
      for (const Slot& slot : bucket.slots) {
        const std::uint64_t word = slot.load(std::memory_order_relaxed);
        if (is_row(word)) visit(offset_in(word));
      }
    }
  }

 private:
  using Slot = std::atomic<std::uint64_t>;
  struct alignas(64) Bucket {
    std::array<Slot, kSlotsPerBucket> slots{};
  };
  static_assert(sizeof(Bucket) == 64);

  static constexpr unsigned kTagBits = 16;
  static constexpr std::uint64_t kMiddleMask = (std::uint64_t{1} << 47U) - 1;
  static constexpr unsigned kOffsetShift = 3;

  static constexpr bool is_row(std::uint64_t word) noexcept { return (word & 1U) != 0; }
  static constexpr bool is_ghost(std::uint64_t word) noexcept { return word != 0 && !is_row(word); }
  static constexpr bool has_tag(std::uint64_t word, std::uint64_t identity) noexcept {
    return (word ^ identity << (64 - kTagBits)) >> (64 - kTagBits) == 0;
  }
  static constexpr std::uint64_t middle_of(std::uint64_t word) noexcept {
    return (word >> 1U) & kMiddleMask;
  }
  static constexpr std::uint64_t offset_in(std::uint64_t word) noexcept {
    return middle_of(word) << kOffsetShift;
  }
  static constexpr std::uint64_t word_of(std::uint64_t identity, std::uint64_t middle,
                                         std::uint64_t low_bit) noexcept {
    return identity << (64 - kTagBits) | (middle & kMiddleMask) << 1U | low_bit;
  }
  static constexpr std::uint64_t row_word(std::uint64_t identity, std::uint64_t offset) noexcept {
    return word_of(identity, offset >> kOffsetShift, 1);
  }

  RowIndex(base::MemoryBudget& budget, std::span<Bucket> buckets) noexcept
      : budget_(budget), buckets_(buckets) {}

  // The high bits say which bucket, the low ones are the tag.
  std::size_t bucket_number(std::uint64_t identity) const noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::size_t>(Wide{identity} * buckets_.size() >> 64U);
  }
  const std::array<Slot, kSlotsPerBucket>& bucket_of(std::uint64_t identity) const noexcept {
    return buckets_[bucket_number(identity)].slots;
  }
  std::array<Slot, kSlotsPerBucket>& bucket_of(std::uint64_t identity) noexcept {
    return buckets_[bucket_number(identity)].slots;
  }
  const Slot* slot_of(std::uint64_t identity, std::uint64_t offset) const noexcept;
  Slot* free_slot(std::uint64_t identity) noexcept;
  Slot& own_slot_of(std::uint64_t identity, std::uint64_t offset) noexcept;

  base::MemoryBudget& budget_;
  std::span<Bucket> buckets_;  // Owned.
  std::size_t row_count_ = 0;
};

}  // namespace ashlar::table
