/// \file
/// What the cache knows of one block in memory, and the lists in which such entries stand.
///
///     slot of a block in its table: one word, kind in the low bits
///
///       kind 0  no block   the rest: which eviction took it (see policy.h), or 0
///       kind 1  a frame    the rest: address of the block, in an arena of frames
///       kind 2  loading    the rest: address of the load that others wait for
///       kind 3  its own    the rest: address of the block, right behind its entry
///
/// A reader needs the slot and the block alone. Of the rest it stores to `heat` only, which for
/// frames lies apart, a byte each: those of a gigabyte fill 128 KiB and stay in a core's own cache.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/epoch.h"

namespace ashlar::table {

inline constexpr std::uint64_t kSlotEmpty = 0;
inline constexpr std::uint64_t kSlotFrame = 1;
inline constexpr std::uint64_t kSlotLoading = 2;
inline constexpr std::uint64_t kSlotOwn = 3;
inline constexpr std::uint64_t kSlotKindMask = 3;
inline constexpr unsigned kSlotKindBits = 2;

constexpr bool is_block_in(std::uint64_t slot_word) noexcept {
  return (slot_word & 1U) != 0;
}
/// The address in a slot whose kind is not empty.
template <typename T>
T* address_in(std::uint64_t slot_word) noexcept {
  return reinterpret_cast<T*>(slot_word & ~kSlotKindMask);
}
inline std::uint64_t slot_word_of(const void* address, std::uint64_t kind) noexcept {
  return reinterpret_cast<std::uint64_t>(address) | kind;
}

/// How often a block has been read lately, up to `kHeatMax`.
using Heat = std::atomic<std::uint8_t>;
inline constexpr std::uint8_t kHeatMax = 3;

/// Counts one reading.
inline void touch(Heat& heat) noexcept {
  // Relaxed, and not one step: of two readings at a time one may be lost, and the line stays with
  // the readers once the block is as hot as it gets.
  const std::uint8_t before = heat.load(std::memory_order_relaxed);
  if (before < kHeatMax) heat.store(before + 1, std::memory_order_relaxed);
}

/// Where an entry stands.
enum class Place : std::uint8_t {
  kFree,     // In the list of free frames, or in none while its chunk is being emptied.
  kLoading,  // With the one who loads it; in no list.
  kSmall,    // In the queue of new blocks,
  kMain,     // or in that of the others: cached, its slot leads to it.
  kRetired,  // No slot leads to it any more; a guard or a pin may.
  kHeld,     // No guard does either; a pin may.
};

/// Threads: externally synchronised, `pin_count` and the heat apart.
struct CacheEntry {
  CacheEntry* next = nullptr;
  CacheEntry* previous = nullptr;
  std::atomic<std::uint64_t>* slot = nullptr;  // Of the table's; null unless cached.
  char* block = nullptr;
  Heat* heat = nullptr;
  base::Epoch retired_at = 0;
  std::size_t bytes = 0;  // What the block costs in memory.
  std::atomic<std::uint32_t> pin_count{0};
  Place place = Place::kFree;
  std::uint8_t slot_kind = kSlotEmpty;  // kSlotFrame or kSlotOwn, for good.
  Heat own_heat{0};                     // For a block of its own, right behind.

  bool is_cached() const noexcept { return place == Place::kSmall || place == Place::kMain; }
  bool is_frame() const noexcept { return slot_kind == kSlotFrame; }
  // Acquire: partner of the release in `~Pin`; what a pin read was read before the block goes.
  bool is_pinned() const noexcept { return pin_count.load(std::memory_order_acquire) != 0; }
};

// A line each: the last byte of an entry is next to the first of a block of its own.
static_assert(sizeof(CacheEntry) == 64);

/// A list through the entries themselves.
///
/// Threads: externally synchronised.
class EntryList {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  CacheEntry* front() const noexcept { return first_; }
  std::size_t count() const noexcept { return count_; }
  std::size_t bytes() const noexcept { return bytes_; }

  void push_back(CacheEntry& entry) noexcept {
    entry.next = nullptr;
    entry.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &entry;
    last_ = &entry;
    ++count_;
    bytes_ += entry.bytes;
  }

  void remove(CacheEntry& entry) noexcept {
    ASHLAR_ASSERT(count_ != 0, "an entry is removed from the list that it is in");
    ASHLAR_ASSERT(bytes_ >= entry.bytes, "an entry leaves a list as large as it came in");
    (entry.previous != nullptr ? entry.previous->next : first_) = entry.next;
    (entry.next != nullptr ? entry.next->previous : last_) = entry.previous;
    --count_;
    bytes_ -= entry.bytes;
  }

  /// Null when there is none.
  CacheEntry* pop_front() noexcept {
    CacheEntry* const entry = first_;
    if (entry != nullptr) remove(*entry);
    return entry;
  }

 private:
  CacheEntry* first_ = nullptr;
  CacheEntry* last_ = nullptr;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace ashlar::table
