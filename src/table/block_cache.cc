// Misses: who loads, who waits, and how all of them learn of the outcome. Where the memory comes
// from is in cache/room.cc.

#include "table/block_cache.h"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "os/wait_word.h"

namespace ashlar::table {

/// One load under way. Made by the first thread that misses; the slot leads the others to it. All
/// but `changed` is under the mutex of the cache, but for the loader, who reads what it stored.
struct BlockLoad::Shared {
  std::atomic<std::uint64_t>* slot = nullptr;
  std::uint64_t slot_word_before = kSlotEmpty;
  CacheEntry* entry = nullptr;
  std::size_t user_count = 0;  // The loader and those who wait: the last puts it away.
  bool is_over = false;
  const char* block = nullptr;  // The outcome: this,
  std::optional<Error> error;   // or that.
  os::WaitWord changed;
  std::unique_ptr<Shared> next_spare;
};

namespace {

// Blocks whose slots are emptied under one hold of the mutex when a table goes.
constexpr std::size_t kDropBatch = 256;

Error no_room() noexcept {
  return Error::of_literal(ErrorCode::kOutOfSpace,
                           "the memory budget has no room for a block of the block cache");
}

Error no_memory() noexcept {
  return Error::of_literal(ErrorCode::kOutOfSpace, "the allocator has no memory to load a block");
}

}  // namespace

BlockLoad::BlockLoad(BlockLoad&& other) noexcept
    : cache_(other.cache_),
      block_(other.block_),
      shared_(std::exchange(other.shared_, nullptr)),
      to_(std::exchange(other.to_, nullptr)),
      bytes_(other.bytes_) {}

BlockLoad::~BlockLoad() {
  if (is_ours()) finish(std::unexpected(no_memory()));
  if (shared_ == nullptr) return;
  const base::MutexLock lock(cache_.mutex_);
  cache_.leave(*shared_);
}

void BlockLoad::finish(Result<void> outcome) noexcept {
  ASHLAR_ASSERT(is_ours(), "a thread ends the loads that it has begun, once");
  to_ = nullptr;
  cache_.finish(*shared_, std::move(outcome));
}

Result<const char*> BlockLoad::wait() {
  ASHLAR_ASSERT(!is_ours(), "a load that is ours is finished first (W17)");
  return shared_ == nullptr ? block_ : cache_.wait_for(*shared_);
}

Result<CacheSlots> CacheSlots::make(BlockCache& cache, std::size_t block_count) {
  const std::size_t bytes = block_count * sizeof(std::atomic<std::uint64_t>);
  if (!cache.budget_.try_take(bytes)) {
    return std::unexpected(
        Error::of_literal(ErrorCode::kOutOfSpace,
                          "the memory budget has no room for a table's part of the block cache"));
  }
  try {
    return CacheSlots(cache, base::MappedVector<Word>(block_count));
  } catch (const std::bad_alloc&) {
    cache.budget_.give_back(bytes);
    return std::unexpected(
        Error::of_literal(ErrorCode::kOutOfSpace, "no memory for a table's part of the cache"));
  }
}

CacheSlots::~CacheSlots() {
  if (cache_ == nullptr) return;
  cache_->drop(words_);
  cache_->budget_.give_back(Words(words_).size_bytes());
}

Result<std::unique_ptr<BlockCache>> BlockCache::make(base::MemoryBudget& budget,
                                                     base::EpochDomain& domain,
                                                     std::size_t capacity_bytes) {
  auto room = CacheRoom::make(budget, domain);
  if (!room || !budget.try_take(sizeof(BlockCache))) {
    return std::unexpected(Error::of_literal(ErrorCode::kOutOfSpace,
                                             "the memory budget has no room for a block cache"));
  }
  std::unique_ptr<BlockCache> cache(new (std::nothrow)
                                        BlockCache(budget, domain, std::move(*room)));
  if (cache == nullptr) {
    budget.give_back(sizeof(BlockCache));
    return std::unexpected(Error::of_literal(ErrorCode::kOutOfSpace, "no memory for a cache"));
  }
  cache->set_capacity(capacity_bytes);
  return cache;
}

BlockCache::BlockCache(base::MemoryBudget& budget, base::EpochDomain& domain,
                       CacheRoom room) noexcept
    : budget_(budget), domain_(domain), map_(room.map()), room_(std::move(room)) {}

BlockCache::~BlockCache() {
  budget_.give_back(sizeof(BlockCache));
}

Pin BlockCache::pin(const char* block) const noexcept {
  ASHLAR_ASSERT(block != nullptr, "only a block that was found is pinned");
  ASHLAR_ASSERT(domain_.is_guarded(), "a pin is taken inside the guard that found the block (W12)");
  char* const bytes = const_cast<char*>(block);
  CacheEntry& entry = map_.contains(block) ? map_.entry_of(block) : own_entry_of(bytes);
  ASHLAR_ASSERT(entry.block == block, "a pin holds a block of this cache");
  return Pin(entry);
}

Result<const char*> BlockCache::load_slow(std::atomic<std::uint64_t>& slot, std::size_t block_bytes,
                                          const Loader& loader) {
  ASHLAR_TRY_ASSIGN(BlockLoad load, begin_load(slot, block_bytes));
  if (load.is_ours()) {
    Result<void> loaded;
    try {
      loaded = loader.call(loader.callable, load.to());
    } catch (const std::bad_alloc&) {
      loaded = std::unexpected(no_memory());
    }
    load.finish(std::move(loaded));
  }
  return load.wait();
}

Result<BlockLoad> BlockCache::begin_load(std::atomic<std::uint64_t>& slot,
                                         std::size_t block_bytes) {
  ASHLAR_ASSERT(block_bytes != 0, "a block has bytes");
  ASHLAR_ASSERT(domain_.is_guarded(), "a guard is open around what is loaded (W12)");
  const base::MutexLock lock(mutex_);
  ++miss_count_;
  // Relaxed: stored under the mutex only.
  const std::uint64_t word = slot.load(std::memory_order_relaxed);
  if (is_block_in(word)) return BlockLoad(*this, address_in<char>(word));  // Since `find`.
  const bool is_first = (word & kSlotKindMask) == kSlotEmpty;
  Loading* const loading = is_first ? add_loading(slot, block_bytes) : address_in<Loading>(word);
  if (loading == nullptr) return std::unexpected(no_room());
  ++loading->user_count;
  BlockLoad load(*this, *loading);
  if (is_first) {
    load.to_ = loading->entry->block;
    load.bytes_ = block_bytes;
  }
  return load;
}

// Marks the slot, so that everybody else waits (W15).
BlockCache::Loading* BlockCache::add_loading(std::atomic<std::uint64_t>& slot,
                                             std::size_t block_bytes) {
  std::unique_ptr<Loading> loading = std::move(spare_loadings_);
  if (loading != nullptr) {
    spare_loadings_ = std::move(loading->next_spare);
  } else {
    loading.reset(new (std::nothrow) Loading);
    if (loading == nullptr) return nullptr;
  }
  ASHLAR_ASSERT(loading->user_count == 0, "a load that is over has left nobody behind");
  loading->entry = room_.take(block_bytes);
  if (loading->entry == nullptr) {
    loading->next_spare = std::move(spare_loadings_);
    spare_loadings_ = std::move(loading);
    return nullptr;
  }
  loading->slot = &slot;
  loading->slot_word_before = slot.load(std::memory_order_relaxed);
  loading->is_over = false;
  // Relaxed: who follows it comes by the mutex.
  slot.store(slot_word_of(loading.get(), kSlotLoading), std::memory_order_relaxed);
  return loading.release();
}

void BlockCache::finish(Loading& loading, Result<void> outcome) noexcept {
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(
      loading.slot->load(std::memory_order_relaxed) == slot_word_of(&loading, kSlotLoading),
      "the slot leads to the load until it is over (W15)");
  if (outcome) {
    loading.block = loading.entry->block;
    room_.admit(*loading.entry, *loading.slot, loading.slot_word_before >> kSlotKindBits);
  } else {
    loading.slot->store(loading.slot_word_before, std::memory_order_relaxed);  // W16
    room_.give_back(*loading.entry);
    loading.error = std::move(outcome).error();
  }
  loading.is_over = true;
  loading.changed.wake_all();
}

// The block is there for those who waited as it is for the loader: their guards were open before it
// could be evicted.
Result<const char*> BlockCache::wait_for(Loading& loading) {
  while (true) {
    const os::WaitWord::Ticket ticket = loading.changed.ticket();
    {
      const base::MutexLock lock(mutex_);
      if (loading.is_over) {
        Result<const char*> outcome(loading.block);
        if (loading.error) outcome = std::unexpected(*loading.error);
        return outcome;
      }
    }
    loading.changed.wait(ticket);
  }
}

void BlockCache::leave(Loading& loading) noexcept {
  ASHLAR_ASSERT(loading.user_count != 0, "who leaves a load has come to it");
  if (--loading.user_count != 0) return;
  ASHLAR_ASSERT(loading.is_over, "the last to leave a load sees it over");
  loading.error.reset();
  loading.block = nullptr;
  loading.entry = nullptr;
  std::unique_ptr<Loading> spare(&loading);
  spare->next_spare = std::move(spare_loadings_);
  spare_loadings_ = std::move(spare);
}

void BlockCache::drop(CacheSlots::Words words) noexcept {
  while (!words.empty()) {
    const CacheSlots::Words batch = words.first(std::min(words.size(), kDropBatch));
    words = words.subspan(batch.size());
    const base::MutexLock lock(mutex_);
    for (const std::atomic<std::uint64_t>& slot : batch) {
      const std::uint64_t word = slot.load(std::memory_order_relaxed);
      ASHLAR_ASSERT((word & kSlotKindMask) != kSlotLoading, "a table goes after its loads");
      if (!is_block_in(word)) continue;
      char* const block = address_in<char>(word);
      room_.drop((word & kSlotKindMask) == kSlotFrame ? map_.entry_of(block) : own_entry_of(block));
    }
  }
}

void BlockCache::set_capacity(std::size_t bytes) noexcept {
  const base::MutexLock lock(mutex_);
  room_.set_capacity(bytes);
}

void BlockCache::set_return_window(std::size_t bytes) noexcept {
  const base::MutexLock lock(mutex_);
  room_.set_return_window(bytes);
}

void BlockCache::reclaim() noexcept {
  const base::MutexLock lock(mutex_);
  room_.reclaim();
}

CacheStats BlockCache::stats() const noexcept {
  CacheStats stats;
  for (const HitCount& hits : hits_) {
    stats.hit_count += hits.count.load(std::memory_order_relaxed);
  }
  const base::MutexLock lock(mutex_);
  stats.miss_count = miss_count_;
  stats.evicted_count = room_.evicted_count();
  stats.returned_count = room_.returned_count();
  stats.used_bytes = room_.used_bytes();
  stats.capacity_bytes = room_.capacity_bytes();
  return stats;
}

void BlockCache::check() const {
  const base::MutexLock lock(mutex_);
  room_.check();
}

}  // namespace ashlar::table
