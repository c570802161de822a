// Memory of the cache on its way round: taken, cached, evicted, out of sight, free.

#include "table/cache/room.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/assert.h"

namespace ashlar::table {
namespace {

// Frames kept free, and evicted at a time by half of that: so many threads can miss at once without
// waiting for one another's guards, and one barrier serves many misses.
constexpr std::size_t kReserveShare = 32;
constexpr std::size_t kReserveMin = 4;
constexpr std::size_t kReserveMax = 64;
// A block that is larger than this part of the capacity would cost more than it can bring.
constexpr std::size_t kBlockShareMax = 8;
// How many pinned entries one `reclaim` asks whether they still are.
constexpr std::size_t kHeldLooksMax = 64;

// How much of retired blocks with memory of their own may pile up before a barrier is worth it.
constexpr std::size_t kUnsettledOwnMax = 16;
constexpr std::size_t kLeavingOwnBytesMax = std::size_t{1} << 20U;

// An entry is a line, and the block behind it begins one.
constexpr std::align_val_t kOwnAlignment{64};

}  // namespace

std::optional<CacheRoom> CacheRoom::make(base::MemoryBudget& budget, base::EpochDomain& domain) {
  auto arena = FrameArena::make(budget);
  if (!arena) return std::nullopt;
  return CacheRoom(std::move(*arena), budget, domain);
}

CacheRoom::~CacheRoom() {
  ASHLAR_ASSERT(policy_.count() == 0, "the tables have dropped their blocks before the cache goes");
  for (EntryList* const list : {&retired_, &held_}) {
    while (CacheEntry* const entry = list->pop_front()) {
      ASHLAR_ASSERT(!entry->is_pinned(), "a cache outlives its pins (W12)");
      // Frames go with the arena.
      if (!entry->is_frame()) release(*entry);
    }
  }
  ASHLAR_ASSERT(own_bytes_ == 0, "nobody is loading when the cache goes");
}

CacheEntry* CacheRoom::take(std::size_t block_bytes) noexcept {
  if (staying_bytes() > capacity_bytes_) shrink_to(capacity_bytes_);
  if (block_bytes <= kFrameBytes) {
    if (CacheEntry* const frame = take_frame()) return frame;
  }
  return take_own(block_bytes);
}

std::size_t CacheRoom::reserve_count() const noexcept {
  return std::clamp(arena_.frame_count() / kReserveShare, kReserveMin, kReserveMax);
}

CacheEntry* CacheRoom::take_frame() noexcept {
  const std::size_t reserve = reserve_count();
  if (spare_count() <= reserve) refill();
  // The barrier is worth it when there is something new to gain, or nothing left.
  const bool is_low = arena_.free_count() <= reserve / 2 && unsettled_count_ >= reserve / 2;
  if (is_low || arena_.free_count() == 0) reclaim();
  return arena_.take();
}

// One chunk more as long as there is room, then half a reserve of the others' frames.
void CacheRoom::refill() noexcept {
  const std::size_t with_chunk_bytes = staying_bytes() + FrameArena::kChunkCost;
  if (with_chunk_bytes <= capacity_bytes_ && arena_.grow()) return;
  const std::size_t batch = std::min(reserve_count() / 2, arena_.frame_count());
  for (std::size_t i = 0; i < batch; ++i) {
    if (!evict_one()) return;
  }
}

CacheEntry* CacheRoom::take_own(std::size_t block_bytes) noexcept {
  const std::size_t bytes = sizeof(CacheEntry) + block_bytes;
  // A block that should have had a frame makes no others go: it is gone again itself soon.
  const bool is_stopgap = block_bytes <= kFrameBytes && arena_.frame_count() != 0;
  if (!is_stopgap && is_worth_keeping(bytes)) shrink_to(capacity_bytes_ - bytes);
  if (leaving_own_bytes_ > kLeavingOwnBytesMax || unsettled_count_ >= kUnsettledOwnMax) reclaim();
  if (!budget_->try_take(bytes)) {
    // The budget is nearer than the capacity: others have taken what the cache could have had.
    shrink_to(staying_bytes() - std::min(bytes, staying_bytes()));
    reclaim();
    if (!budget_->try_take(bytes)) return nullptr;
  }
  void* const memory = ::operator new(bytes, kOwnAlignment, std::nothrow);
  if (memory == nullptr) {
    budget_->give_back(bytes);
    return nullptr;
  }
  auto* const entry = new (memory) CacheEntry;
  entry->block = static_cast<char*>(memory) + sizeof(CacheEntry);
  entry->heat = &entry->own_heat;
  entry->bytes = bytes;
  entry->slot_kind = kSlotOwn;
  entry->place = Place::kLoading;
  own_bytes_ += bytes;
  return entry;
}

bool CacheRoom::is_worth_keeping(std::size_t bytes) const noexcept {
  return bytes <= capacity_bytes_ / kBlockShareMax;
}

bool CacheRoom::can_keep(const CacheEntry& entry) const noexcept {
  if (entry.is_frame()) return !arena_.is_emptying(entry);
  return is_worth_keeping(entry.bytes) && staying_bytes() <= capacity_bytes_;
}

void CacheRoom::admit(CacheEntry& entry, std::atomic<std::uint64_t>& slot,
                      CachePolicy::Ghost ghost) noexcept {
  ASHLAR_ASSERT(entry.place == Place::kLoading, "what is admitted was just loaded");
  if (!can_keep(entry)) {
    slot.store(kSlotEmpty, std::memory_order_relaxed);
    return retire_unseen(entry);
  }
  entry.slot = &slot;
  policy_.admit(entry, ghost);
  // Release: partner of the acquire in `BlockCache::find`; publishes the bytes of the block.
  slot.store(slot_word_of(entry.block, entry.slot_kind), std::memory_order_release);
}

void CacheRoom::give_back(CacheEntry& entry) noexcept {
  ASHLAR_ASSERT(entry.place == Place::kLoading, "what is given back was not published");
  release(entry);
}

void CacheRoom::drop(CacheEntry& entry) noexcept {
  policy_.remove(entry);
  retire(entry, kSlotEmpty);
}

bool CacheRoom::evict_one() noexcept {
  CacheEntry* const entry = policy_.pick();
  if (entry == nullptr) return false;
  retire(*entry, policy_.remember(*entry) << kSlotKindBits | kSlotEmpty);
  return true;
}

void CacheRoom::retire(CacheEntry& entry, std::uint64_t slot_word) noexcept {
  const std::uint64_t was = entry.slot->load(std::memory_order_relaxed);
  ASHLAR_ASSERT(was == slot_word_of(entry.block, entry.slot_kind),
                "the slot of a cached block leads to it (W13)");
  // Relaxed: it publishes nothing, and the mutex in `stamp` orders it before the epoch.
  entry.slot->store(slot_word, std::memory_order_relaxed);
  retire_unseen(entry);
}

// The slot leads to it no more, or never did; those who have its address are inside guards.
void CacheRoom::retire_unseen(CacheEntry& entry) noexcept {
  entry.slot = nullptr;
  entry.place = Place::kRetired;
  entry.retired_at = domain_->stamp();
  retired_.push_back(entry);
  ++unsettled_count_;
  if (!entry.is_frame()) leaving_own_bytes_ += entry.bytes;
  if (is_coming_free(entry)) ++leaving_frame_count_;
}

bool CacheRoom::is_coming_free(const CacheEntry& entry) const noexcept {
  return entry.place == Place::kRetired && entry.is_frame() && !arena_.is_emptying(entry);
}

// A pin is taken inside a guard that has seen the block, so those that `settle` leaves are all that
// there will ever be.
void CacheRoom::reclaim() noexcept {
  if (!retired_.empty()) {
    const base::Epoch oldest = domain_->settle();
    unsettled_count_ = 0;
    while (!retired_.empty() && retired_.front()->retired_at < oldest) {
      CacheEntry& entry = *retired_.pop_front();
      if (is_coming_free(entry)) --leaving_frame_count_;
      entry.place = Place::kHeld;
      release_or_hold(entry);
    }
  }
  for (std::size_t look = std::min(held_.count(), kHeldLooksMax); look != 0; --look) {
    release_or_hold(*held_.pop_front());
  }
}

void CacheRoom::release_or_hold(CacheEntry& entry) noexcept {
  if (entry.is_pinned()) {
    held_.push_back(entry);
  } else {
    release(entry);
  }
}

void CacheRoom::release(CacheEntry& entry) noexcept {
  ASHLAR_ASSERT(entry.slot == nullptr, "what is freed has no slot (W13)");
  if (entry.is_frame()) {
#ifdef ASHLAR_CHECKED
    std::memset(entry.block, 0xdd, kFrameBytes);  // Who still looks shall see it.
#endif
    return arena_.put(entry);
  }
  const std::size_t bytes = entry.bytes;
  if (entry.place != Place::kLoading) leaving_own_bytes_ -= bytes;
  own_bytes_ -= bytes;
  entry.~CacheEntry();
  ::operator delete(&entry, kOwnAlignment);
  budget_->give_back(bytes);
}

void CacheRoom::set_capacity(std::size_t bytes) noexcept {
  capacity_bytes_ = bytes;
  shrink_to(bytes);
  reclaim();
}

// Blocks with memory of their own go one by one, as the policy picks; frames that it picks come
// free for others. Once those are as many as a chunk has, a chunk goes.
void CacheRoom::shrink_to(std::size_t bytes) noexcept {
  while (staying_bytes() > bytes) {
    const bool has_own = own_bytes_ > leaving_own_bytes_;
    const bool evicts = has_own && spare_count() < kFramesPerChunk;
    if (evicts ? !evict_one() : !empty_coldest()) return;
  }
}

bool CacheRoom::empty_coldest() noexcept {
  const std::optional<std::size_t> chunk = arena_.coldest_chunk();
  if (!chunk) return false;
  arena_.for_each_in_use(*chunk, [this](CacheEntry& entry) {
    if (entry.is_cached()) {
      retire(entry, policy_.force_out(entry) << kSlotKindBits | kSlotEmpty);
    }
    // Retired ones come free for the chunk from here on, not for others.
    if (is_coming_free(entry)) --leaving_frame_count_;
  });
  arena_.empty_chunk(*chunk);
  return true;
}

void CacheRoom::check() const {
  arena_.check();
  std::size_t own_bytes = 0;
  policy_.for_each([&](const CacheEntry& entry) {
    const std::uint64_t word = entry.slot->load(std::memory_order_relaxed);
    ASHLAR_ASSERT(entry.is_cached(), "the queues hold cached blocks (W13)");
    ASHLAR_ASSERT(word == slot_word_of(entry.block, entry.slot_kind),
                  "the slot of a cached block leads to it (W13)");
    if (!entry.is_frame()) own_bytes += entry.bytes;
  });
  ASHLAR_ASSERT(own_bytes + leaving_own_bytes_ <= own_bytes_,
                "what is cached or leaves has been taken");
  ASHLAR_ASSERT(budget_->used_bytes() >= used_bytes(), "what is held is in the budget (W11)");
}

}  // namespace ashlar::table
