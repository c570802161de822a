/// \file
/// From the hash of a key to its node: buckets of one cache line, twice as many when they fill up,
/// filled by one writer and read without locks.
///
///     bucket   eight slots, filled from the first on
///     slot     bits 0-31 place of the key's node, 32-63 the hash's bits 0-31; 0: empty
///
/// A key's home is the bucket that the upper bits of those 32 name; where it is full, the key is in
/// the next that is not. The buckets of one power of two are a generation. One twice as large
/// starts empty: new keys go to it alone, and each insert copies a few buckets of the generation
/// before, whose slots go to two neighbouring buckets, so that a copy costs two streams and no
/// miss. Nothing is ever removed, so that readers need no versions; the memory of all generations
/// before the last is together less than that of the last.
///
/// Invariants:
///   N3  A key's slot is in its home bucket, or in a later one with only full buckets between them.
///   N4  A generation keeps at most five keys a bucket on average: a search ends at a slot that is
///       empty.
///   N5  While a generation before the last one exists for readers, it has every key that the last
///       one lacks. Who asks for the one before and then searches the last misses none.
///
/// Source: the bucket of one line as in FASTER (2018); linear probing, W. W. Peterson, 1957.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/hints.h"
#include "lsm/memtable/arena.h"
#include "lsm/memtable/record.h"

namespace ashlar::lsm {

/// Threads: `reserve_bytes`, `grow` and `add` by the one writer; all else by anyone.
class HashIndex {
 public:
  /// Lifetime: the arena must outlive the index.
  explicit HashIndex(Arena& arena) noexcept : arena_(arena) {}
  HashIndex(const HashIndex&) = delete;
  HashIndex& operator=(const HashIndex&) = delete;

  /// What `grow(key_count)` uses up of the arena: nothing while there are buckets enough.
  std::size_t growth_bytes(std::uint64_t key_count) const noexcept;

  /// Makes the buckets suffice for `key_count` keys. The room has been reserved.
  ///
  /// Cost: the memory of new buckets is not touched, unless somebody had it before. Where the
  ///       copying of an earlier growth has not come to its end, it is brought there: fewer buckets
  ///       than keys are about to be added.
  void grow(std::uint64_t key_count) noexcept;

  /// Adds a key that is not there, after `grow` for it.
  void add(std::uint64_t hash, Place node) noexcept;

  /// The place of the node for which `is_key` holds, among those with `hash`; kNowhere without one.
  ///
  /// Cost: one miss for the bucket, two while a generation is being filled; no store
  template <typename IsKey>
  Place find(std::uint64_t hash, IsKey is_key) const noexcept {
    // Acquire: partner of the release in `grow`; the generation is set up.
    const Generation* const last = last_.load(std::memory_order_acquire);
    if (last == nullptr) return kNowhere;
    // Acquire, and before the search: partner of the release in `copy_bucket`. Where there is none
    // before any more, the last one had everything copied to it by then (N5).
    const Generation* const before = last->before.load(std::memory_order_acquire);
    const Place place = find_in(*last, hash, is_key);
    if (place != kNowhere || before == nullptr) [[likely]]
      return place;
    return find_in(*before, hash, is_key);
  }

  /// Starts loading the bucket of `hash`.
  void prefetch(std::uint64_t hash) const noexcept {
    const Generation* const last = last_.load(std::memory_order_acquire);
    if (last != nullptr) base::prefetch(&last->buckets[last->home_of(tag_of(hash))]);
  }

  /// Aborts when an invariant is broken. No writer may be active.
  void check(std::uint64_t key_count) const;

 private:
  static constexpr unsigned kSlotCount = 8;
  static constexpr std::uint64_t kKeysPerBucketMax = 5;
  static constexpr unsigned kLevelMin = 10;  // 64 KiB of buckets, for 5,120 keys.
  static constexpr unsigned kLevelMax = 30;

  struct alignas(64) Bucket {
    std::array<std::atomic<std::uint64_t>, kSlotCount> slots;
  };
  static_assert(sizeof(Bucket) == 64, "a bucket is one cache line");

  struct Generation {
    Bucket* buckets = nullptr;
    unsigned level = 0;  // 2^level buckets.
    std::atomic<const Generation*> before{nullptr};

    std::uint64_t bucket_count() const noexcept { return std::uint64_t{1} << level; }
    std::uint64_t home_of(std::uint32_t tag) const noexcept { return tag >> (32 - level); }
    std::uint64_t after(std::uint64_t index) const noexcept {
      return (index + 1) & (bucket_count() - 1);
    }
  };

  static std::uint32_t tag_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash);
  }
  static std::uint32_t tag_of_slot(std::uint64_t slot) noexcept {
    return static_cast<std::uint32_t>(slot >> 32U);
  }
  static Place place_of_slot(std::uint64_t slot) noexcept { return static_cast<Place>(slot); }

  /// The slots of `bucket` with `tag`: bit i for slot i. One that is empty may be among them.
  static unsigned match(const Bucket& bucket, std::uint32_t tag) noexcept {
    unsigned found = 0;
    for (unsigned i = 0; i < kSlotCount; ++i) {
      // Relaxed: a slot that matches is loaded again.
      const std::uint64_t slot = bucket.slots[i].load(std::memory_order_relaxed);
      found |= static_cast<unsigned>(tag_of_slot(slot) == tag) << i;
    }
    return found;
  }

  template <typename IsKey>
  static Place find_in(const Generation& generation, std::uint64_t hash, IsKey is_key) noexcept {
    const std::uint32_t tag = tag_of(hash);
    for (std::uint64_t index = generation.home_of(tag);; index = generation.after(index)) {
      const Bucket& bucket = generation.buckets[index];
      for (unsigned found = match(bucket, tag); found != 0; found &= found - 1) {
        const auto i = static_cast<unsigned>(std::countr_zero(found));
        // Acquire: partner of the release in `put_slot`; the node is complete (N1).
        const Place place = place_of_slot(bucket.slots[i].load(std::memory_order_acquire));
        if (place != kNowhere && is_key(place)) return place;
      }
      // A key that the caller may see was added before it came: then so was what filled the bucket.
      if (bucket.slots[kSlotCount - 1].load(std::memory_order_relaxed) == 0) [[likely]]
        return kNowhere;
    }
  }

  unsigned level_for(std::uint64_t key_count) const noexcept;
  static void put_slot(Generation& generation, std::uint64_t slot) noexcept;
  bool is_copying() const noexcept;
  void copy_bucket() noexcept;

  Arena& arena_;
  // As many as there can be levels: what `last_` and `before` point to stays where it is.
  std::array<Generation, kLevelMax - kLevelMin + 1> generations_;
  std::size_t generation_count_ = 0;
  std::uint64_t copied_count_ = 0;  // Buckets of the generation before the last.
  std::atomic<const Generation*> last_{nullptr};
};

}  // namespace ashlar::lsm
