/// \file
/// Which block makes room for another: S3-FIFO.
///
///     admit --> small ----- heat 0, 1 --> evicted, the eviction's number left in the slot
///       |         +-------- heat 2, 3 --> main, heat 0
///       |         +-------- pinned -----> main
///       |                                 main ----- heat 0 --> evicted
///       +-- number still known ---------> main <---- any other, round again with one less
///
/// New blocks queue in `small`, a tenth of the bytes, so a scan passes through it and leaves `main`
/// alone. Whom this took too early is told by the ghost: the slot of an evicted block is an unused
/// word, so it keeps the number of the eviction. No table of fingerprints has to be held, none is
/// mistaken for another, and there are as many as the tables have blocks.
///
/// Source: "FIFO queues are all you need for cache eviction", J. Yang et al., SOSP 2023.
#pragma once

#include <cstddef>
#include <cstdint>

#include "table/cache/entry.h"

namespace ashlar::table {

/// Threads: externally synchronised.
class CachePolicy {
 public:
  /// Number of an eviction; 0 is none.
  using Ghost = std::uint64_t;

  /// Takes `entry` into a queue. `ghost` is what its slot kept.
  void admit(CacheEntry& entry, Ghost ghost) noexcept;

  /// Picks an entry to evict and takes it out of its queue; its place still says which.
  ///
  /// Returns: null when there is none, or when as many as the effort allows were all pinned
  CacheEntry* pick() noexcept;

  /// Counts the eviction of an entry that `pick` has named.
  ///
  /// Returns: what its slot is to keep
  Ghost remember(const CacheEntry& entry) noexcept;

  /// Takes a cached entry out of its queue though it is not its turn, and counts it as evicted.
  ///
  /// Returns: what its slot is to keep, whichever queue it was in
  Ghost force_out(CacheEntry& entry) noexcept;

  /// Takes a cached entry out of its queue for good.
  void remove(CacheEntry& entry) noexcept;

  std::size_t count() const noexcept { return small_.count() + main_.count(); }
  std::size_t bytes() const noexcept { return small_.bytes() + main_.bytes(); }
  std::uint64_t evicted_count() const noexcept { return evicted_count_; }

  /// Blocks that came back before so many others had been evicted.
  void set_return_window(std::size_t block_count) noexcept { return_window_ = block_count; }
  std::uint64_t returned_count() const noexcept { return returned_count_; }

  /// Calls `visit(entry)` for every entry in a queue.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const EntryList* const queue : {&small_, &main_}) {
      for (const CacheEntry* at = queue->front(); at != nullptr; at = at->next) visit(*at);
    }
  }

 private:
  bool takes_small() const noexcept;
  bool stays(CacheEntry& entry) noexcept;
  void put_in_main(CacheEntry& entry) noexcept;

  EntryList small_;
  EntryList main_;
  std::uint64_t evicted_count_ = 0;
  std::uint64_t return_window_ = 0;
  std::uint64_t returned_count_ = 0;
};

}  // namespace ashlar::table
