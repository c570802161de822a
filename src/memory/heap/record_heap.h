/// \file
/// Where records get their memory: slabs by size class, extents above.
///
/// Invariants:
///   P3  A slab page holds objects of one size class; when its last one is freed the page can serve
///       another class.
///   P4  Memory is type-stable as far as readers need it: what was ever a record can be read for as
///       long as the heap lives, whatever it holds by then.
///
/// Each thread keeps a magazine of free objects a class, so that most calls touch nothing shared.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/assert.h"
#include "base/memory/memory_budget.h"
#include "base/memory/reservation.h"
#include "base/thread_safety.h"
#include "memory/heap/extent_store.h"
#include "memory/heap/page_store.h"
#include "memory/heap/size_class.h"

namespace ashlar::memory {

/// The free objects that one thread has at hand.
///
/// Threads: confined to the holder of the thread's `Local`.
class Magazines {
 public:
  static constexpr std::size_t kItemsMax = 32;
  static constexpr std::size_t kBytesMax = std::size_t{16} << 10U;  // Of one class.

  /// Last in, first out: what was freed last is most likely still in the cache.
  struct Magazine {
    std::uint32_t count = 0;
    std::uint32_t count_max = 0;  // Fewer of a large class: a thread keeps no more than kBytesMax.
    std::array<char*, kItemsMax> items;
  };

  Magazines() noexcept {
    for (std::size_t size_class = 0; size_class < kSizeClassCount; ++size_class) {
      const std::size_t count_max = kBytesMax / size_of_class(size_class);
      magazines_[size_class].count_max =
          static_cast<std::uint32_t>(std::clamp<std::size_t>(count_max, 2, kItemsMax));
    }
  }

  Magazine& of_class(std::size_t size_class) noexcept { return magazines_[size_class]; }

 private:
  std::array<Magazine, kSizeClassCount> magazines_;
};

/// Threads: thread-safe, each caller with magazines of its own.
class RecordHeap {
 public:
  /// Reserves address space for records of `budget.limit_bytes()` in all.
  ///
  /// Returns: null when the system refuses it
  static std::unique_ptr<RecordHeap> make(base::MemoryBudget& budget);

  /// Returns: 16-byte aligned memory, or null when the budget is used up
  /// Cost:    a few instructions as a rule; a lock once in some 30 calls
  char* allocate(Magazines& magazines, std::size_t bytes) noexcept {
    ASHLAR_DEBUG_ASSERT(bytes > 0, "an object has at least one byte");
    if (bytes > kSlabBytesMax) [[unlikely]]
      return extents_.take(bytes);
    const std::size_t size_class = size_class_of(bytes);
    Magazines::Magazine& magazine = magazines.of_class(size_class);
    if (magazine.count == 0 && !refill(magazine, size_class)) [[unlikely]]
      return nullptr;
    return magazine.items[--magazine.count];
  }

  /// Frees what `allocate` gave for the same `bytes`.
  void free(Magazines& magazines, char* address, std::size_t bytes) noexcept {
    ASHLAR_DEBUG_ASSERT(offset_of(address) < region_.bytes(), "what is freed lies in the region");
    if (bytes > kSlabBytesMax) [[unlikely]]
      return extents_.give_back(address, bytes);
    const std::size_t size_class = size_class_of(bytes);
    Magazines::Magazine& magazine = magazines.of_class(size_class);
    if (magazine.count == magazine.count_max) [[unlikely]]
      drain(magazine, size_class, magazine.count_max / 2);
    magazine.items[magazine.count++] = address;
  }

  /// Gives everything in `magazines` back to the pages.
  void flush(Magazines& magazines) noexcept;

  /// As those of PageStore, for slabs; extents are taken whole and touched by their one owner.
  bool is_growing() const noexcept { return pages_.is_growing(); }
  bool open_ahead() noexcept { return pages_.open_ahead(); }

  /// How many bytes an allocation of `bytes` really takes.
  static std::size_t charged_bytes(std::size_t bytes) noexcept;

  std::size_t taken_bytes() const noexcept;

  /// Where an address lies in the region, for tables with an entry per 64 bytes of it.
  std::size_t offset_of(const char* address) const noexcept {
    return static_cast<std::size_t>(address - region_.begin());
  }
  std::size_t region_bytes() const noexcept { return region_.bytes(); }

  /// Aborts when an invariant is broken. No other call may be active.
  void check() const;

 private:
  // A bit for each object of the smallest class; larger classes leave the upper words empty.
  static constexpr std::size_t kMapWords = kPageBytes / kSlabBytesMin / 64;

  /// What the heap keeps about a page.
  struct PageInfo {
    std::uint32_t size_class;  // Good while the page is out; the next owner writes its own.
    std::uint32_t free_count;  // The bits set in `free_map` (P3).
    std::uint32_t next;        // In the list of pages of the class that have room.
    std::uint32_t previous;
    std::array<std::uint64_t, kMapWords> free_map;  // A bit an object.
  };

  /// The pages of one class that have room.
  struct alignas(64) ClassPages {
    mutable base::Mutex mutex;
    std::uint32_t first ASHLAR_GUARDED_BY(mutex) = kNoPage;
  };

  RecordHeap(base::Reservation region, base::Reservation page_infos, base::Reservation extent_map,
             std::size_t slab_bytes, base::MemoryBudget& budget);

  PageInfo& info(std::uint32_t page) const noexcept {
    return reinterpret_cast<PageInfo*>(page_infos_.begin())[page];
  }
  static std::uint32_t objects_per_page(std::size_t size_class) noexcept {
    return static_cast<std::uint32_t>(kPageBytes / size_of_class(size_class));
  }
  /// Takes objects from pages of the class. Returns false when there is none to be had.
  bool refill(Magazines::Magazine& magazine, std::size_t size_class) noexcept;
  /// Gives objects back to their pages until `keep` are left.
  void drain(Magazines::Magazine& magazine, std::size_t size_class, std::size_t keep) noexcept;
  std::uint32_t page_with_room_locked(ClassPages& pages, std::size_t size_class) noexcept
      ASHLAR_REQUIRES(pages.mutex);
  void take_objects_locked(ClassPages& pages, std::uint32_t page, Magazines::Magazine& magazine,
                           std::size_t count_max) noexcept ASHLAR_REQUIRES(pages.mutex);
  void free_object_locked(ClassPages& pages, char* address) noexcept ASHLAR_REQUIRES(pages.mutex);
  void link_locked(ClassPages& pages, std::uint32_t page) noexcept ASHLAR_REQUIRES(pages.mutex);
  void unlink_locked(ClassPages& pages, std::uint32_t page) noexcept ASHLAR_REQUIRES(pages.mutex);

  // Set at construction.
  base::Reservation region_;      // Slab pages, then extents, then what a reader may overrun.
  base::Reservation page_infos_;  // A PageInfo a slab page.

  // Thread-safe by themselves.
  PageStore pages_;
  ExtentStore extents_;
  std::array<ClassPages, kSizeClassCount> classes_;
};

}  // namespace ashlar::memory
