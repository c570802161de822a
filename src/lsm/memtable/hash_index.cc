// How the hash index grows.

#include "lsm/memtable/hash_index.h"

#include <algorithm>
#include <new>

namespace ashlar::lsm {
namespace {

constexpr std::size_t kLineBytes = 64;

// Buckets that an insert copies while a generation is being filled. More would end sooner the time
// in which a key that is not there costs two misses; four make it one insert in twenty.
constexpr unsigned kCopiesPerAdd = 4;

}  // namespace

unsigned HashIndex::level_for(std::uint64_t key_count) const noexcept {
  const std::uint64_t bucket_count = (key_count + kKeysPerBucketMax - 1) / kKeysPerBucketMax;
  const unsigned level =
      bucket_count <= 1 ? 0 : static_cast<unsigned>(64 - std::countl_zero(bucket_count - 1));
  ASHLAR_ASSERT(level <= kLevelMax, "a memtable has at most five thousand million keys");
  return std::max(level, kLevelMin);
}

std::size_t HashIndex::growth_bytes(std::uint64_t key_count) const noexcept {
  const unsigned level = level_for(key_count);
  if (generation_count_ > 0 && generations_[generation_count_ - 1].level >= level) return 0;
  return (std::size_t{1} << level) * sizeof(Bucket) + kLineBytes;
}

void HashIndex::grow(std::uint64_t key_count) noexcept {
  if (growth_bytes(key_count) == 0) return;
  while (is_copying()) copy_bucket();

  Generation& next = generations_[generation_count_];
  next.level = level_for(key_count);
  char* memory = arena_.allocate_zeroed(next.bucket_count() * sizeof(Bucket) + kLineBytes);
  memory += (kLineBytes - reinterpret_cast<std::uintptr_t>(memory) % kLineBytes) % kLineBytes;
  // Zeroes, which are empty slots; a constructor would touch them all at once.
  next.buckets = reinterpret_cast<Bucket*>(memory);
  if (generation_count_ > 0) {
    next.before.store(&generations_[generation_count_ - 1], std::memory_order_relaxed);
  }
  ++generation_count_;
  copied_count_ = 0;
  // Release: partner of the acquire in `find`.
  last_.store(&next, std::memory_order_release);
}

void HashIndex::add(std::uint64_t hash, Place node) noexcept {
  ASHLAR_ASSERT(generation_count_ > 0, "N4: the index has grown before a key is added");
  ASHLAR_ASSERT(node != kNowhere, "a key that is added lies somewhere");
  Generation& last = generations_[generation_count_ - 1];
  put_slot(last, std::uint64_t{tag_of(hash)} << 32U | node);
  for (unsigned i = 0; i < kCopiesPerAdd && is_copying(); ++i) copy_bucket();
}

bool HashIndex::is_copying() const noexcept {
  if (generation_count_ == 0) return false;
  return generations_[generation_count_ - 1].before.load(std::memory_order_relaxed) != nullptr;
}

void HashIndex::put_slot(Generation& generation, std::uint64_t slot) noexcept {
  std::uint64_t index = generation.home_of(tag_of_slot(slot));
  while (true) {
    for (auto& place : generation.buckets[index].slots) {
      if (place.load(std::memory_order_relaxed) != 0) continue;
      // Release: partner of the acquire in `find_in`.
      place.store(slot, std::memory_order_release);
      return;
    }
    index = generation.after(index);  // Full: the next one (N3). There is an empty slot (N4).
  }
}

void HashIndex::copy_bucket() noexcept {
  Generation& last = generations_[generation_count_ - 1];
  const Generation& before = generations_[generation_count_ - 2];
  ASHLAR_ASSERT(copied_count_ < before.bucket_count(), "N5: each bucket is copied once");
  for (const auto& slot : before.buckets[copied_count_].slots) {
    const std::uint64_t found = slot.load(std::memory_order_relaxed);
    if (found == 0) break;
    put_slot(last, found);
  }
  ++copied_count_;
  if (copied_count_ < before.bucket_count()) return;
  // Release: who sees that there is none before sees all that was copied (N5).
  last.before.store(nullptr, std::memory_order_release);
}

void HashIndex::check(std::uint64_t key_count) const {
  if (generation_count_ == 0) {
    ASHLAR_ASSERT(key_count == 0, "an index without buckets has no keys");
    return;
  }
  const Generation& last = generations_[generation_count_ - 1];
  ASHLAR_ASSERT(key_count <= last.bucket_count() * kKeysPerBucketMax,
                "N4: a generation has buckets enough");
  std::uint64_t slot_count = 0;
  for (std::uint64_t index = 0; index < last.bucket_count(); ++index) {
    bool has_ended = false;
    for (const auto& place : last.buckets[index].slots) {
      const std::uint64_t slot = place.load(std::memory_order_relaxed);
      if (slot == 0) {
        has_ended = true;
        continue;
      }
      ASHLAR_ASSERT(!has_ended, "N3: a bucket is filled from its first slot on");
      ++slot_count;
      std::uint64_t between = last.home_of(tag_of_slot(slot));
      for (; between != index; between = last.after(between)) {
        const auto& end = last.buckets[between].slots[kSlotCount - 1];
        ASHLAR_ASSERT(end.load(std::memory_order_relaxed) != 0,
                      "N3: only full buckets lie between a key and its home");
      }
    }
  }
  ASHLAR_ASSERT(slot_count <= key_count, "N3: a key has one slot in a generation");
  if (last.before.load(std::memory_order_relaxed) == nullptr) {
    ASHLAR_ASSERT(slot_count == key_count, "N5: a generation that stands alone has every key");
  }
}

}  // namespace ashlar::lsm
