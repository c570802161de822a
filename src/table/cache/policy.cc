// The two queues. Everything here is a handful of stores: it runs under the mutex of the cache.

#include "table/cache/policy.h"

#include "base/assert.h"

namespace ashlar::table {
namespace {

// `small` gets one part in ten: enough to see whether a block is read again, and little to lose to
// those that are not.
constexpr std::size_t kSmallShare = 10;

// How many entries one choice may look at. Each look at a hot one cools it, so hot ones use up few
// on average; where nearly all are hot, the first that is not pinned goes after so many.
constexpr int kHotLooksMax = 256;
// Pinned ones stay whatever it takes: the caller has to do without then.
constexpr int kLooksMax = 512;

}  // namespace

void CachePolicy::admit(CacheEntry& entry, Ghost ghost) noexcept {
  ASHLAR_ASSERT(entry.place == Place::kLoading, "what is admitted was just loaded");
  // A number counts for as many evictions as there are blocks.
  if (ghost != 0 && evicted_count_ - ghost < return_window_) ++returned_count_;
  const bool is_back = ghost != 0 && evicted_count_ - ghost <= count();
  if (is_back) return put_in_main(entry);
  entry.place = Place::kSmall;
  small_.push_back(entry);
}

void CachePolicy::put_in_main(CacheEntry& entry) noexcept {
  entry.place = Place::kMain;
  main_.push_back(entry);
}

// `small` gives while it has more than its share.
bool CachePolicy::takes_small() const noexcept {
  return !small_.empty() && (main_.empty() || small_.bytes() * kSmallShare >= bytes());
}

// Relaxed: a reading that comes between counts for nothing, and is one of many.
bool CachePolicy::stays(CacheEntry& entry) noexcept {
  const std::uint8_t heat = entry.heat->load(std::memory_order_relaxed);
  if (entry.place == Place::kSmall) {
    if (heat < 2) return false;
    entry.heat->store(0, std::memory_order_relaxed);
  } else {
    if (heat == 0) return false;
    entry.heat->store(heat - 1, std::memory_order_relaxed);
  }
  return true;
}

CacheEntry* CachePolicy::pick() noexcept {
  for (int look = 0; look < kLooksMax; ++look) {
    CacheEntry* const entry = (takes_small() ? small_ : main_).pop_front();
    if (entry == nullptr) return nullptr;
    ASHLAR_ASSERT(entry->is_cached(), "the queues hold cached blocks");
    const bool is_kept = entry->is_pinned() || (look < kHotLooksMax && stays(*entry));
    if (!is_kept) return entry;
    put_in_main(*entry);
  }
  return nullptr;
}

CachePolicy::Ghost CachePolicy::remember(const CacheEntry& entry) noexcept {
  ASHLAR_ASSERT(entry.is_cached(), "only a cached block is evicted");
  ++evicted_count_;
  // One that leaves `main` has had its time.
  return entry.place == Place::kSmall ? evicted_count_ : 0;
}

CachePolicy::Ghost CachePolicy::force_out(CacheEntry& entry) noexcept {
  remove(entry);
  return ++evicted_count_;
}

void CachePolicy::remove(CacheEntry& entry) noexcept {
  ASHLAR_ASSERT(entry.is_cached(), "only cached blocks are in a queue");
  (entry.place == Place::kSmall ? small_ : main_).remove(entry);
}

}  // namespace ashlar::table
