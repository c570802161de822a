#include "table/rows/row_cache.h"

#include <algorithm>
#include <new>
#include <utility>

namespace ashlar::table {
namespace {

constexpr std::size_t kBucketCountMin = 64;
// The index grows by half when more than five of eight slots lead to rows: beyond that many buckets
// are full, and each row that comes there takes another's place.
constexpr std::size_t kLoadTimes = 8;
constexpr std::size_t kLoadOf = 5;

// Evictions are told apart by steps of so many bytes.
constexpr std::uint64_t kMomentBytes = 64;

// So much of a segment may go round again: the rest is room that was to be made.
constexpr std::size_t kSurvivorBytesMax = RowRing::kSegmentBytes / 2;

}  // namespace

Result<std::unique_ptr<RowCache>> RowCache::make(base::MemoryBudget& budget,
                                                 base::EpochDomain& domain) {
  auto ring = RowRing::make(budget, domain);
  std::unique_ptr<RowCache> cache;
  if (ring && budget.try_take(sizeof(RowCache))) {
    cache.reset(new (std::nothrow) RowCache(budget, domain, std::move(*ring)));
    if (cache == nullptr) budget.give_back(sizeof(RowCache));
  }
  if (cache == nullptr) {
    return std::unexpected(Error::of_literal(ErrorCode::kOutOfSpace,
                                             "the memory budget has no room for a cache of rows"));
  }
  return cache;
}

RowCache::RowCache(base::MemoryBudget& budget, base::EpochDomain& domain, RowRing ring) noexcept
    : budget_(budget), domain_(domain), rows_(ring.at(0)), ring_(std::move(ring)) {}

RowCache::~RowCache() {
  // Nobody reads any more.
  delete index_.load(std::memory_order_relaxed);
  budget_.give_back(sizeof(RowCache));
}

bool RowCache::is_it(std::uint64_t offset, const RowKey& wanted) const noexcept {
  const RowRecord record(rows_ + offset);
  return record.identity() == wanted.identity() && record.key() == wanted.key;
}

std::optional<CachedRow> RowCache::find_in(const RowIndex& index,
                                           const RowKey& wanted) const noexcept {
  ASHLAR_DEBUG_ASSERT(domain_.is_guarded(), "W20: a guard is open around what is found");
  const auto offset = index.find(wanted.identity(),
                                 [&](std::uint64_t candidate) { return is_it(candidate, wanted); });
  if (!offset) return std::nullopt;
  const RowRecord record(rows_ + *offset);
  touch(record.heat());
  count_hit();
  return record.row();
}

void RowCache::offer(const RowKey& key, const CachedRow& row) noexcept {
  ASHLAR_DEBUG_ASSERT(domain_.is_guarded(), "a guard is open around what is offered");
  const std::size_t bytes = RowRecord::bytes_of(key.key, row);
  if (bytes > RowRecord::kBytesMax) return;
  const base::MutexLock lock(mutex_);
  ++miss_count_;
  if (ring_.capacity() == 0) return;
  if (index_.load(std::memory_order_relaxed) == nullptr && !grow_index()) return;
  const auto offset = room_for(bytes);  // First: it may move rows about.
  if (!offset) return;
  RowIndex& index = *index_.load(std::memory_order_relaxed);
  // Two may have read it at a time. The room is lost then, until its segment comes round.
  const bool is_here =
      index.find(key.identity(), [&](std::uint64_t other) { return is_it(other, key); })
          .has_value();
  RowRecord::write(rows_ + *offset, key, row);
  if (is_here) return;
  note_return(key);
  (void)index.insert(key.identity(), *offset, heat_of());
  if (index.row_count() * kLoadTimes > index.slot_count() * kLoadOf) (void)grow_index();
}

RowIndex::Moment RowCache::moment() const noexcept {
  return 1 + evicted_bytes_ / kMomentBytes;
}

void RowCache::note_return(const RowKey& key) noexcept {
  const auto evicted_at = index_.load(std::memory_order_relaxed)->take_ghost(key.identity());
  if (!evicted_at) return;
  const std::uint64_t bytes_since = (moment() - *evicted_at) * kMomentBytes;
  if (bytes_since <= return_window_bytes_) ++returned_count_;
}

/// An offset with room for a row, once others have made room for it.
std::optional<std::uint64_t> RowCache::room_for(std::size_t bytes) noexcept {
  if (const auto offset = ring_.append(bytes)) return offset;
  if (!ring_.open_next()) {
    // Guards hold all that leaves, or the budget has no chunk: this row is not kept.
    if (!ring_.has_leaving()) evict_oldest(Survivors::kNone);
    return std::nullopt;
  }
  if (ring_.is_short()) evict_oldest(Survivors::kHot);
  return ring_.append(bytes);
}

/// Gives the oldest segment up. Rows that were read since they came go round again.
void RowCache::evict_oldest(Survivors survivors) noexcept {
  const auto taken = ring_.take_oldest();
  if (!taken) return;
  RowIndex& index = *index_.load(std::memory_order_relaxed);
  std::size_t survivor_bytes = 0;
  for (std::uint64_t offset = taken->begin; offset < taken->end;) {
    const RowRecord record(rows_ + offset);
    const std::uint64_t here = offset;
    const std::size_t bytes = record.bytes();
    offset += bytes;
    if (!index.has(record.identity(), here)) continue;
    const bool may_stay =
        survivors == Survivors::kHot && survivor_bytes + bytes <= kSurvivorBytesMax;
    std::optional<std::uint64_t> to;
    if (may_stay && stays(record)) to = ring_.append(bytes);
    if (to) {
      survivor_bytes += bytes;
      RowRecord::copy(rows_ + *to, record);
      index.move(record.identity(), here, *to);
    } else {
      evicted_bytes_ += bytes;
      index.evict(record.identity(), here, moment());
    }
  }
  ring_.retire(*taken);
}

/// Whether a row has been read since it came here, and may be again.
bool RowCache::stays(const RowRecord& record) noexcept {
  // Relaxed: a reading that comes between counts for nothing, and is one of many.
  return tables_[record.table()] && record.heat().load(std::memory_order_relaxed) > 0;
}

/// Makes the next index, half as large again, with all rows of the one before.
bool RowCache::grow_index() noexcept {
  const RowIndex* const before = index_.load(std::memory_order_relaxed);
  std::size_t bucket_count = kBucketCountMin;
  if (before != nullptr) {
    bucket_count = before->slot_count() / RowIndex::kSlotsPerBucket;
    bucket_count += bucket_count / 2;
  }
  auto next = RowIndex::make(budget_, bucket_count);
  if (next == nullptr) return false;
  if (before != nullptr) {
    before->for_each([&](std::uint64_t offset) {
      (void)next->insert(RowRecord(rows_ + offset).identity(), offset, heat_of());
    });
  }
  publish(std::move(next));
  return true;
}

void RowCache::publish(std::unique_ptr<RowIndex> next) noexcept {
  // Release: partner of the acquire in `find`.
  RowIndex* const before = index_.exchange(next.release(), std::memory_order_acq_rel);
  if (before == nullptr) return;
  before->retired_at = domain_.stamp();
  before->older = std::move(leaving_);
  leaving_.reset(before);
}

void RowCache::reclaim_locked() noexcept {
  const base::Epoch settled = domain_.settle();
  ring_.reclaim(settled);
  std::unique_ptr<RowIndex>* last = &leaving_;
  while (*last != nullptr && (*last)->retired_at >= settled) last = &(*last)->older;
  last->reset();  // And with it those that went before.
}

void RowCache::note_table(std::uint64_t number) noexcept {
  const base::MutexLock lock(mutex_);
  tables_.set(static_cast<std::uint16_t>(number));
}

void RowCache::forget_table(std::uint64_t number) noexcept {
  const base::MutexLock lock(mutex_);
  tables_.reset(static_cast<std::uint16_t>(number));
}

void RowCache::set_capacity(std::size_t chunk_count) noexcept {
  const base::MutexLock lock(mutex_);
  ring_.set_capacity(chunk_count);
  while (ring_.is_too_large()) evict_oldest(Survivors::kNone);
  if (chunk_count == 0) publish(nullptr);
  reclaim_locked();
}

std::size_t RowCache::capacity() const noexcept {
  const base::MutexLock lock(mutex_);
  return ring_.capacity();
}

void RowCache::set_return_window(std::size_t bytes) noexcept {
  const base::MutexLock lock(mutex_);
  return_window_bytes_ = bytes;
}

void RowCache::reclaim() noexcept {
  const base::MutexLock lock(mutex_);
  reclaim_locked();
}

RowCacheStats RowCache::stats() const noexcept {
  RowCacheStats stats;
  for (const HitCount& hits : hits_) stats.hit_count += hits.count.load(std::memory_order_relaxed);
  const base::MutexLock lock(mutex_);
  stats.miss_count = miss_count_;
  stats.returned_count = returned_count_;
  stats.used_bytes = ring_.bytes();
  if (const RowIndex* const index = index_.load(std::memory_order_relaxed)) {
    stats.row_count = index->row_count();
    stats.index_bytes = index->bytes();
  }
  for (const RowIndex* old = leaving_.get(); old != nullptr; old = old->older.get()) {
    stats.index_bytes += old->bytes();
  }
  stats.used_bytes += stats.index_bytes;
  return stats;
}

void RowCache::check() const {
  const base::MutexLock lock(mutex_);
  ring_.check();
  const RowIndex* const index = index_.load(std::memory_order_relaxed);
  if (index == nullptr) return;
  std::size_t row_count = 0;
  index->for_each([&](std::uint64_t offset) {
    const RowRecord record(rows_ + offset);
    ASHLAR_ASSERT(index->has(record.identity(), offset), "W19: a word leads to a row of its own");
    ++row_count;
  });
  ASHLAR_ASSERT(row_count == index->row_count(), "W19: rows are counted");
}

}  // namespace ashlar::table
