// How objects travel between a thread's magazine and the pages.
//
//     region_     [ slab pages of 64 KiB | extents in blocks of 4 KiB | overrun ]
//     page_infos_ [ one for each slab page: class, count of free objects, a bit an object ]
//
//     magazine --drain--> page --empty--> PageStore     (another class may have it then)
//              <-refill--      <--take---
//
// A page is in the list of its class while it has a free object and an object that is out (P3).
// Locks: that of the class, and under it the page store's; the budget is atomic.

#include "memory/heap/record_heap.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "ashlar/options.h"
#include "base/assert.h"

namespace ashlar::memory {
namespace {

// A reader that follows a stale pointer compares a key before it knows better: so far past the end.
constexpr std::size_t kOverrunBytes = 2 * (kKeyBytesHardMax + 1);

// Extents of many sizes leave gaps in address space, not in memory: four times the budget is ample.
constexpr std::size_t kExtentSpaceFactor = 4;

}  // namespace

std::unique_ptr<RecordHeap> RecordHeap::make(base::MemoryBudget& budget) {
  // Beside what the budget can fill: chunk 0, which goes by pages, and what the division drops.
  const std::size_t chunk_count = budget.limit_bytes() / base::kHugePageBytes + 2;
  const std::size_t slab_bytes = chunk_count * base::kHugePageBytes;
  const std::size_t extent_bytes = kExtentSpaceFactor * slab_bytes;
  auto region = base::Reservation::make(slab_bytes + extent_bytes + kOverrunBytes);
  auto infos = base::Reservation::make(slab_bytes / kPageBytes * sizeof(PageInfo));
  auto extent_map = base::Reservation::make(extent_bytes / ExtentStore::kBlockBytes / 8 + 64);
  if (!region || !infos || !extent_map) return nullptr;
  ASHLAR_ASSERT(slab_bytes / kPageBytes < kNoPage, "the number of a page is not that of none");
  return std::unique_ptr<RecordHeap>(new RecordHeap(std::move(*region), std::move(*infos),
                                                    std::move(*extent_map), slab_bytes, budget));
}

RecordHeap::RecordHeap(base::Reservation region, base::Reservation page_infos,
                       base::Reservation extent_map, std::size_t slab_bytes,
                       base::MemoryBudget& budget)
    : region_(std::move(region)),
      page_infos_(std::move(page_infos)),
      pages_(region_, slab_bytes / base::kHugePageBytes, sizeof(PageInfo), budget),
      extents_(region_, slab_bytes, kExtentSpaceFactor * slab_bytes, std::move(extent_map),
               budget) {}

std::size_t RecordHeap::charged_bytes(std::size_t bytes) noexcept {
  if (bytes > kSlabBytesMax) return ExtentStore::rounded_bytes(bytes);
  return size_of_class(size_class_of(bytes));
}

std::size_t RecordHeap::taken_bytes() const noexcept {
  return pages_.taken_bytes() + extents_.taken_bytes();
}

void RecordHeap::flush(Magazines& magazines) noexcept {
  for (std::size_t size_class = 0; size_class < kSizeClassCount; ++size_class) {
    Magazines::Magazine& magazine = magazines.of_class(size_class);
    if (magazine.count != 0) drain(magazine, size_class, 0);
  }
}

// Half of what the magazine holds, as a drain leaves half: a thread that frees and allocates in
// turn comes here neither for the one nor for the other.
bool RecordHeap::refill(Magazines::Magazine& magazine, std::size_t size_class) noexcept {
  ClassPages& pages = classes_[size_class];
  const base::MutexLock lock(pages.mutex);
  const std::size_t wanted = (magazine.count_max + 1) / 2;
  while (magazine.count < wanted) {
    const std::uint32_t page = page_with_room_locked(pages, size_class);
    if (page == kNoPage) break;
    take_objects_locked(pages, page, magazine, wanted);
  }
  // Handed out from the lowest address up: neighbours in time become neighbours in memory.
  std::reverse(magazine.items.begin(), magazine.items.begin() + magazine.count);
  return magazine.count != 0;
}

// The first page of the list, or a fresh one when all pages of the class are full.
std::uint32_t RecordHeap::page_with_room_locked(ClassPages& pages,
                                                std::size_t size_class) noexcept {
  if (pages.first != kNoPage) return pages.first;
  const std::uint32_t page = pages_.take();
  if (page == kNoPage) return kNoPage;

  PageInfo& page_info = info(page);
  const std::uint32_t object_count = objects_per_page(size_class);
  page_info.size_class = static_cast<std::uint32_t>(size_class);
  page_info.free_count = object_count;
  for (std::size_t word = 0; word < kMapWords; ++word) {
    const std::size_t first = word * 64;
    // Bits beyond the last object stay clear: such an object is never free.
    const std::size_t left = object_count > first ? object_count - first : 0;
    page_info.free_map[word] = left >= 64 ? UINT64_MAX : (std::uint64_t{1} << left) - 1;
  }
  link_locked(pages, page);
  return page;
}

void RecordHeap::take_objects_locked(ClassPages& pages, std::uint32_t page,
                                     Magazines::Magazine& magazine,
                                     std::size_t count_max) noexcept {
  PageInfo& page_info = info(page);
  char* const page_begin = region_.begin() + std::size_t{page} * kPageBytes;
  ASHLAR_ASSERT(page_info.free_count > 0, "P3: a listed page has room");
  const std::size_t object_bytes = size_of_class(page_info.size_class);
  for (std::size_t word = 0; word < kMapWords; ++word) {
    std::uint64_t& map = page_info.free_map[word];
    while (map != 0 && magazine.count < count_max) {
      const auto object = word * 64 + static_cast<std::size_t>(std::countr_zero(map));
      map &= map - 1;
      --page_info.free_count;
      magazine.items[magazine.count++] = page_begin + object * object_bytes;
    }
  }
  if (page_info.free_count == 0) unlink_locked(pages, page);
}

void RecordHeap::drain(Magazines::Magazine& magazine, std::size_t size_class,
                       std::size_t keep) noexcept {
  ClassPages& pages = classes_[size_class];
  const base::MutexLock lock(pages.mutex);
  ASHLAR_ASSERT(keep <= magazine.count, "a drain keeps no more than there is");
  // The oldest go; the newest are the ones that are still in the cache.
  const std::size_t drop = magazine.count - keep;
  for (std::size_t i = 0; i < drop; ++i) free_object_locked(pages, magazine.items[i]);
  std::copy(magazine.items.begin() + drop, magazine.items.begin() + magazine.count,
            magazine.items.begin());
  magazine.count = static_cast<std::uint32_t>(keep);
}

// A page that was full enters the list with its first free object; one that has them all again
// leaves it and goes back, which may give a whole chunk to the system.
void RecordHeap::free_object_locked(ClassPages& pages, char* address) noexcept {
  const std::size_t offset = offset_of(address);
  const auto page = static_cast<std::uint32_t>(offset / kPageBytes);
  PageInfo& page_info = info(page);
  const std::size_t object = offset % kPageBytes / size_of_class(page_info.size_class);
  const std::uint64_t bit = std::uint64_t{1} << object % 64;
  ASHLAR_ASSERT(&pages == &classes_[page_info.size_class], "P3: an object goes back to its class");
  ASHLAR_DEBUG_ASSERT(offset % kPageBytes == object * size_of_class(page_info.size_class),
                      "what is freed is the address of an object");
  ASHLAR_ASSERT((page_info.free_map[object / 64] & bit) == 0, "an object is freed once");
  page_info.free_map[object / 64] |= bit;
  ++page_info.free_count;
  if (page_info.free_count == 1) link_locked(pages, page);
  if (page_info.free_count == objects_per_page(page_info.size_class)) {
    unlink_locked(pages, page);
    pages_.give_back(page);
  }
}

// The list is in no order: the front is the cheapest place.
void RecordHeap::link_locked(ClassPages& pages, std::uint32_t page) noexcept {
  info(page).previous = kNoPage;
  info(page).next = pages.first;
  if (pages.first != kNoPage) info(pages.first).previous = page;
  pages.first = page;
}

void RecordHeap::unlink_locked(ClassPages& pages, std::uint32_t page) noexcept {
  const PageInfo& page_info = info(page);
  if (page_info.previous != kNoPage) info(page_info.previous).next = page_info.next;
  if (page_info.next != kNoPage) info(page_info.next).previous = page_info.previous;
  if (pages.first == page) pages.first = page_info.next;
}

void RecordHeap::check() const {
  for (std::size_t size_class = 0; size_class < kSizeClassCount; ++size_class) {
    const ClassPages& pages = classes_[size_class];
    const base::MutexLock lock(pages.mutex);
    for (std::uint32_t page = pages.first; page != kNoPage; page = info(page).next) {
      const PageInfo& page_info = info(page);
      std::uint32_t free_count = 0;
      for (const std::uint64_t word : page_info.free_map) {
        free_count += static_cast<std::uint32_t>(std::popcount(word));
      }
      ASHLAR_ASSERT(page_info.size_class == size_class, "P3: a page is in the list of its class");
      ASHLAR_ASSERT(page_info.free_count == free_count, "P3: the count is that of the map");
      ASHLAR_ASSERT(free_count != 0, "P3: a listed page has room");
      ASHLAR_ASSERT(free_count < objects_per_page(size_class), "P3: an empty page goes back");
    }
  }
}

}  // namespace ashlar::memory
