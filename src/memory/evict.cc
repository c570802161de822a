// Making room at the memory budget. The evictor knows hashes and an order among them; here stands
// what ties that to keys: which of them come in, how warm they are, and how one is removed.
//
// Who makes room holds its `Local` and takes the evictor, then buckets one at a time, and those
// only by trying: a key that someone has locked at this moment is not cold. Who holds a bucket
// already only tries the evictor, since it stands before the buckets in the order of locks.

#include "base/assert.h"
#include "memory/engine_core.h"

namespace ashlar::memory {
namespace {

// New keys that a thread collects before it hands them to the evictor.
constexpr std::size_t kAdmissionsMax = 256;

// Evictions after which the free records at hand go back to their pages, so that a page that has
// fallen empty can serve the size that is asked for.
constexpr int kEvictionsPerFlush = 64;

}  // namespace

/// Registers a version that was just installed, for `old` or for a new key. The bucket is locked,
/// so the evictor is only tried: when someone is making room the new keys wait in the thread's
/// queue. The heat of a key is kept by address: a new version inherits that of the one it replaces.
void MemoryEngine::admit(Local& local, std::uint64_t hash, Record old, Record now) noexcept {
  if (!parts_.evictor) return;
  const std::size_t offset = parts_.records->offset_of(now.address());
  ASHLAR_DEBUG_ASSERT(offset < parts_.records->region_bytes(), "a record lies in its heap");
  if (old && !old.shape().is_tombstone()) {
    parts_.heat->set(offset, parts_.heat->of(parts_.records->offset_of(old.address())));
    parts_.heat->touch(offset);
    return;
  }
  parts_.heat->set(offset, 0);
  local.admissions.push(Handle::of(hash, now.shape().record_bytes()).word());
  if (local.admissions.count() < kAdmissionsMax || !evictor_mutex_.try_lock()) return;
  take_admissions_locked(local);
  evictor_mutex_.unlock();
}

// In the order in which the keys came: the queues of the evictor are queues by age.
void MemoryEngine::take_admissions_locked(Local& local) noexcept {
  while (!local.admissions.empty()) parts_.evictor->admit(Handle(local.admissions.pop()));
}

/// Finds the key of a candidate and tells how warm it is; removes it when it is cold. Which of them
/// count as cold is the rule of `Evictor::judge`, which says after the fact what was done here.
///
/// A handle has the bits of the hash that choose bucket and tag, and not all of them: of two keys
/// that agree in those the wrong one may be met. Which of the two is evicted matters to nobody.
Evictor::Found MemoryEngine::look_at(Local& local, const Evictor::Candidate& candidate) noexcept {
  const std::uint64_t hash = candidate.handle.hash();
  Bucket* const root = parts_.table->try_lock(hash);
  if (root == nullptr) return Evictor::Found::kHot;  // Someone is at it this moment.
  SlotPlace found;
  parts_.table->for_each_locked(*root, [&](SlotPlace place) {
    if (tag_of_slot(place.slot()) == tag_of(hash)) found = place;
  });
  Evictor::Found result = Evictor::Found::kGone;
  bool is_removed = false;
  if (found && !found.record().shape().is_tombstone()) {
    const Record record = found.record();
    const Shape shape = record.shape();
    const std::size_t offset = parts_.records->offset_of(record.address());
    const std::uint8_t heat = parts_.heat->of(offset);
    const Sequence newest_live = versions_.newest_live();
    // Nothing that a snapshot sees may go, neither this version nor one behind it.
    const bool is_pinned =
        newest_live >= record.stamp(shape) || (newest_live != 0 && record.previous(shape));
    result = heat == 0   ? Evictor::Found::kCold
             : heat == 1 ? Evictor::Found::kWarm
                         : Evictor::Found::kHot;
    if (is_pinned) result = Evictor::Found::kPinned;
    // Each round through `main` takes one reading off, so what is no longer read cools down.
    if (candidate.is_in_main && heat != 0) parts_.heat->set(offset, heat - 1);
    const bool is_cold = result == Evictor::Found::kCold ||
                         (result == Evictor::Found::kWarm && !candidate.is_in_main);
    is_removed = is_cold && evict_locked(local, *root, found);
    if (is_cold && !is_removed) result = Evictor::Found::kPinned;
  }
  if (is_removed) {
    HashTable::unlock_changed(*root);
  } else {
    HashTable::unlock_unchanged(*root);
  }
  return result;
}

/// Removes a key that no snapshot sees, unless the log is to hear of it and does not take it now.
/// No transaction is told: one that has seen the key pins it, and to others it may go at any time.
bool MemoryEngine::evict_locked(Local& local, Bucket& root, SlotPlace place) noexcept {
  const Record record = place.record();
  const Shape shape = record.shape();
  const std::string_view key = record.key(shape);
  const bool is_past = is_expired(record.deadline_ms(shape), engine::kLatest);
  if (!may_go(is_past ? engine::Reclaimed::kExpired : engine::Reclaimed::kEvicted, key)) {
    local.is_log_full = true;
    return false;
  }
  // The full hash, for the note to the ordered side: the handle has lost some of its bits.
  remove_slot_locked(local, root, place, base::hash_key(key, parts_.table->hash_seed()));
  local.counters.evicted.add(1);
  return true;
}

/// Evicts until something was freed. Returns false when nothing can be. The caller holds its own
/// `Local` and no bucket. What is freed lands in the thread's magazine of that size class, so a
/// caller that wants another size comes again until a page falls empty. A log that has to hear of
/// it first may have to wait for the disk, which is done with neither evictor nor bucket held.
bool MemoryEngine::make_room(Local& local) noexcept {
  if (!parts_.evictor) return false;
  while (true) {
    local.is_log_full = false;
    if (evict_one(local)) return true;
    if (!local.is_log_full || !reclaims_->make_room()) return false;
  }
}

bool MemoryEngine::evict_one(Local& local) noexcept {
  const base::MutexLock lock(evictor_mutex_);
  take_admissions_locked(local);
  // Each key may be met warm three times and busy now and then; after that nothing can go.
  std::size_t looks_left = 8 * parts_.evictor->count() + 1;
  for (; looks_left > 0 && !local.is_log_full; --looks_left) {
    const auto candidate = parts_.evictor->pick();
    if (!candidate) return false;
    const Evictor::Found found = look_at(local, *candidate);
    if (!parts_.evictor->judge(*candidate, found)) continue;
    parts_.evictor->remember(*candidate);
    if (local.counters.evicted.value() % kEvictionsPerFlush == 0) {
      parts_.records->flush(local.records);
    }
    return true;
  }
  return false;
}

}  // namespace ashlar::memory
