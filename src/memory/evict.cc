// Making room at the memory budget.

#include "memory/engine_core.h"

namespace ashlar::memory {
namespace {

// New keys that a thread collects before it hands them to the evictor.
constexpr std::size_t kAdmissionsMax = 256;

// Evictions after which the free records at hand go back to their pages, so that a page that has
// fallen empty can serve the size that is asked for.
constexpr int kEvictionsPerFlush = 64;

}  // namespace

/// Registers a version that was just installed, for `old` or for a new key.
void MemoryEngine::admit(Local& local, std::uint64_t hash, Record old, Record now) noexcept {
  if (!parts_.evictor) return;
  const std::size_t offset = parts_.records->offset_of(now.address());
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

void MemoryEngine::take_admissions_locked(Local& local) noexcept {
  while (!local.admissions.empty()) parts_.evictor->admit(Handle(local.admissions.pop()));
}

/// Finds the key of a candidate and tells how warm it is; removes it when it is cold.
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
    const bool is_pinned =
        newest_live >= record.stamp(shape) || (newest_live != 0 && record.previous(shape));
    result = heat == 0   ? Evictor::Found::kCold
             : heat == 1 ? Evictor::Found::kWarm
                         : Evictor::Found::kHot;
    if (is_pinned) result = Evictor::Found::kPinned;
    if (candidate.is_in_main && heat != 0) parts_.heat->set(offset, heat - 1);
    const bool is_cold = result == Evictor::Found::kCold ||
                         (result == Evictor::Found::kWarm && !candidate.is_in_main);
    if (is_cold) {
      remove_slot_locked(local, *root, found,
                         base::hash_key(record.key(shape), parts_.table->hash_seed()));
      local.counters.evicted.add(1);
      is_removed = true;
    }
  }
  if (is_removed) {
    HashTable::unlock_changed(*root);
  } else {
    HashTable::unlock_unchanged(*root);
  }
  return result;
}

/// Evicts until something was freed. Returns false when nothing can be.
bool MemoryEngine::make_room(Local& local) noexcept {
  if (!parts_.evictor) return false;
  const base::MutexLock lock(evictor_mutex_);
  take_admissions_locked(local);
  // Each key may be met warm three times and busy now and then; after that nothing can go.
  std::size_t looks_left = 8 * parts_.evictor->count() + 1;
  for (; looks_left > 0; --looks_left) {
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
