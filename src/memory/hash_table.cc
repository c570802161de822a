#include "memory/hash_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "base/hints.h"

namespace ashlar::memory {
namespace {

constexpr std::uint64_t kBucketCountMin = 512;
constexpr std::size_t kSmallStepBytes = std::size_t{64} << 10U;

// Slots per hundred buckets above which the index grows, below which it shrinks. 4.6 of 7 slots
// leave few chains and cost 14 bytes a key; the gap keeps a steady load from splitting and merging.
constexpr std::uint64_t kGrowPercent = 460;
constexpr std::uint64_t kShrinkPercent = 200;

// So many splits or merges at most in one call, at some 150 ns each.
constexpr int kResizeStepsMax = 16;

std::size_t step_after(std::size_t committed_bytes) noexcept {
  return committed_bytes < base::kHugePageBytes ? kSmallStepBytes : base::kHugePageBytes;
}

std::size_t step_before(std::size_t committed_bytes) noexcept {
  return committed_bytes <= base::kHugePageBytes ? kSmallStepBytes : base::kHugePageBytes;
}

}  // namespace

std::unique_ptr<HashTable> HashTable::make(base::MemoryBudget& budget, std::uint64_t hash_seed) {
  auto region = base::Reservation::make(budget.limit_bytes());
  auto overflow = OverflowPool::make(budget);
  if (!region || !overflow || !budget.try_take(kSmallStepBytes)) return nullptr;
  return std::unique_ptr<HashTable>(
      new HashTable(std::move(*region), std::move(overflow), budget, hash_seed));
}

HashTable::HashTable(base::Reservation region, std::unique_ptr<OverflowPool> overflow,
                     base::MemoryBudget& budget, std::uint64_t hash_seed) noexcept
    : region_(std::move(region)),
      buckets_(reinterpret_cast<Bucket*>(region_.begin())),
      overflow_owner_(std::move(overflow)),
      overflow_(*overflow_owner_),
      budget_(budget),
      hash_seed_(hash_seed),
      bucket_count_(kBucketCountMin),
      committed_bytes_(kSmallStepBytes) {}

Bucket* HashTable::try_lock(std::uint64_t hash) noexcept {
  Bucket& root = root_of(hash);
  if (!try_set_lock(root)) return nullptr;
  if (&root_of(hash) == &root) return &root;
  unlock_unchanged(root);
  return nullptr;
}

void HashTable::set_overflow(Bucket& bucket, std::uint32_t number) noexcept {
  const std::uint64_t head = bucket.head.load(std::memory_order_relaxed);
  // Release: a reader that follows the number finds the bucket initialised.
  bucket.head.store((head & ~kOverflowMask) | number, std::memory_order_release);
}

unsigned HashTable::room_locked(const Bucket& root) const noexcept {
  const Bucket* last = &root;
  for (const Bucket* next = next_locked(root); next != nullptr; next = next_locked(*next)) {
    last = next;
  }
  unsigned room = 0;
  while (room < kSlotsPerBucket &&
         last->slots[kSlotsPerBucket - 1 - room].load(std::memory_order_relaxed) == 0) {
    ++room;
  }
  return room;
}

void HashTable::insert_in_overflow(Bucket& last, std::uint64_t slot) noexcept {
  const std::uint32_t number = overflow_.take_reserved();
  overflow_.bucket(number).slots[0].store(slot, std::memory_order_relaxed);
  set_overflow(last, number);
}

void HashTable::erase_locked(Bucket& root, SlotPlace place) noexcept {
  Bucket* before_last = nullptr;
  Bucket* last = &root;
  while (Bucket* next = next_locked(*last)) {
    before_last = last;
    last = next;
  }
  unsigned end = kSlotsPerBucket;
  while (last->slots[end - 1].load(std::memory_order_relaxed) == 0) --end;
  place.set(last->slots[end - 1].load(std::memory_order_relaxed));
  last->slots[end - 1].store(0, std::memory_order_relaxed);
  if (end > 1 || before_last == nullptr) return;
  const std::uint64_t head = before_last->head.load(std::memory_order_relaxed);
  set_overflow(*before_last, 0);
  overflow_.give_back(static_cast<std::uint32_t>(head & kOverflowMask));
}

void HashTable::follow(std::int64_t added_count) noexcept {
  // Relaxed: a hint for the size of the index.
  const std::uint64_t count =
      slot_count_.fetch_add(static_cast<std::uint64_t>(added_count), std::memory_order_relaxed) +
      static_cast<std::uint64_t>(added_count);
  std::uint64_t buckets = bucket_count_.load(std::memory_order_relaxed);
  const auto is_small = [&] { return count * 100 > buckets * kGrowPercent; };
  const auto is_large = [&] {
    return buckets > kBucketCountMin && count * 100 < buckets * kShrinkPercent;
  };
  if (!is_small() && !is_large()) return;
  if (!resize_mutex_.try_lock()) return;  // Someone else is at it.
  for (int step = 0; step < kResizeStepsMax; ++step) {
    buckets = bucket_count_.load(std::memory_order_relaxed);
    const bool is_done = is_small() ? !split_one() : (is_large() ? !merge_one() : true);
    if (is_done) break;
  }
  resize_mutex_.unlock();
}

void HashTable::publish_count(std::uint64_t bucket_count) noexcept {
  // Release: partner of the acquire in `root_of` (H4).
  bucket_count_.store(bucket_count, std::memory_order_release);
}

bool HashTable::commit_for(std::uint64_t bucket_count) noexcept {
  const std::size_t committed = committed_bytes_.load(std::memory_order_relaxed);
  if (bucket_count * sizeof(Bucket) <= committed) return true;
  const std::size_t step = step_after(committed);
  if (committed + step > region_.bytes() || !budget_.try_take(step)) return false;
  if (step == base::kHugePageBytes) region_.prefer_huge_pages(committed, step);
  committed_bytes_.store(committed + step, std::memory_order_relaxed);
  return true;
}

void HashTable::uncommit_after(std::uint64_t bucket_count) noexcept {
  const std::size_t committed = committed_bytes_.load(std::memory_order_relaxed);
  const std::size_t step = step_before(committed);
  // Half a step of slack, so that a size that swings around the edge does not clear it each time.
  if (bucket_count * sizeof(Bucket) + step + step / 2 > committed) return;
  region_.give_back(committed - step, step);
  committed_bytes_.store(committed - step, std::memory_order_relaxed);
  budget_.give_back(step);
}

std::size_t HashTable::chain_slot_count(Bucket& root) const noexcept {
  std::size_t count = 0;
  for_each_locked(root, [&](SlotPlace) { ++count; });
  return count;
}

/// Fills a chain from its front, in the buckets that it has and then in reserved ones.
class HashTable::Filler {
 public:
  Filler(HashTable& table, Bucket& root) noexcept : table_(table), last_(&root) {}

  void append(std::uint64_t slot) noexcept {
    if (index_ == kSlotsPerBucket) {
      Bucket* next = table_.next_locked(*last_);
      if (next == nullptr) {
        const std::uint32_t number = table_.overflow_.take_reserved();
        set_overflow(*last_, number);
        next = &table_.overflow_.bucket(number);
        ++taken_count_;
      }
      last_ = next;
      index_ = 0;
    }
    last_->slots[index_++].store(slot, std::memory_order_relaxed);
    ++count_;
  }

  /// Gives back the buckets behind the last slot.
  void cut() noexcept {
    const std::uint64_t head = last_->head.load(std::memory_order_relaxed);
    auto number = static_cast<std::uint32_t>(head & kOverflowMask);
    if (number != 0) set_overflow(*last_, 0);
    while (number != 0) {
      const std::uint64_t next = table_.overflow_.bucket(number).head.load();
      table_.overflow_.give_back(number);
      number = static_cast<std::uint32_t>(next & kOverflowMask);
    }
  }

  std::size_t count() const noexcept { return count_; }
  std::size_t taken_count() const noexcept { return taken_count_; }

 private:
  HashTable& table_;
  Bucket* last_;
  unsigned index_ = 0;
  std::size_t count_ = 0;
  std::size_t taken_count_ = 0;  // Reserved buckets.
};

bool HashTable::split_one() noexcept {
  const std::uint64_t count = bucket_count_.load(std::memory_order_relaxed);
  if (!commit_for(count + 1)) return false;
  const std::uint64_t bit = std::bit_floor(count);
  Bucket& from = buckets_[count - bit];
  Bucket& to = buckets_[count];
  set_lock(from);
  set_lock(to);  // Nobody's yet, but a writer with an old count may be about to find that out.
  const std::size_t moving_max = chain_slot_count(from);
  const std::size_t reserve_count = moving_max == 0 ? 0 : (moving_max - 1) / kSlotsPerBucket;
  const bool has_room = reserve_count == 0 || overflow_.reserve(reserve_count);
  if (has_room) {
    const std::size_t taken =
        move_upper_half(from, to, static_cast<unsigned>(std::countr_zero(bit)));
    if (reserve_count != 0) overflow_.unreserve(reserve_count - taken);
    publish_count(count + 1);
  }
  unlock_changed(to);
  unlock_changed(from);
  return has_room;
}

bool HashTable::is_hash_bit_set(std::uint64_t slot, unsigned bit) const noexcept {
  if (is_bit_in_slot(bit)) [[likely]]
    return hash_bit_of_slot(slot, bit);
  const Record record = record_of(slot);
  return (base::hash_key(record.key(record.shape()), hash_seed_) >> bit & 1U) != 0;
}

/// Moves the slots of which the hash has `bit` from one chain to another, which is empty. Returns
/// how many reserved buckets that took.
std::size_t HashTable::move_upper_half(Bucket& from, Bucket& to, unsigned bit) noexcept {
  Filler staying(*this, from);
  Filler moving(*this, to);
  std::size_t met_count = 0;
  for (Bucket* bucket = &from; bucket != nullptr; bucket = next_locked(*bucket)) {
    for (auto& place : bucket->slots) {
      const std::uint64_t slot = place.load(std::memory_order_relaxed);
      if (slot == 0) break;
      place.store(0, std::memory_order_relaxed);  // `staying` is never ahead of this place.
      ++met_count;
      (is_hash_bit_set(slot, bit) ? moving : staying).append(slot);
    }
  }
  staying.cut();
  ASHLAR_ASSERT(staying.count() + moving.count() == met_count, "a split loses nothing");
  return moving.taken_count();
}

bool HashTable::merge_one() noexcept {
  if (walker_count_.load(std::memory_order_relaxed) != 0) return false;
  const std::uint64_t count = bucket_count_.load(std::memory_order_relaxed);
  const std::uint64_t last = count - 1;
  Bucket& to = buckets_[last - std::bit_floor(last)];
  Bucket& from = buckets_[last];
  set_lock(to);
  set_lock(from);
  const std::size_t moving = chain_slot_count(from);
  const std::size_t reserve_count = moving / kSlotsPerBucket + 1;
  const bool has_room = overflow_.reserve(reserve_count);
  if (has_room) {
    const std::size_t before = chain_slot_count(to);
    std::size_t taken = 0;
    while (from.slots[0].load(std::memory_order_relaxed) != 0) {
      if (room_locked(to) == 0) ++taken;
      const SlotPlace place{.bucket = &from, .index = 0};
      insert_locked(to, place.slot());
      erase_locked(from, place);
    }
    ASHLAR_ASSERT(chain_slot_count(to) == before + moving, "a merge loses nothing");
    overflow_.unreserve(reserve_count - taken);
    publish_count(last);
  }
  unlock_changed(from);
  unlock_changed(to);
  if (has_room) uncommit_after(last);
  return has_room;
}

std::size_t HashTable::taken_bytes() const noexcept {
  return committed_bytes_.load(std::memory_order_relaxed) + overflow_.taken_bytes();
}

void HashTable::check() const {
  const std::uint64_t count = bucket_count_.load(std::memory_order_relaxed);
  for (std::uint64_t i = 0; i < count; ++i) {
    Bucket& root = buckets_[i];
    ASHLAR_ASSERT((root.head.load() & kLockBit) == 0, "H1: nobody holds a bucket while at rest");
    for (Bucket* bucket = &root; bucket != nullptr; bucket = next_locked(*bucket)) {
      const bool is_last = next_locked(*bucket) == nullptr;
      bool is_empty_seen = false;
      for (const auto& slot : bucket->slots) {
        const std::uint64_t word = slot.load();
        ASHLAR_ASSERT(word == 0 || !is_empty_seen, "H2: empty slots come last");
        ASHLAR_ASSERT(word != 0 || is_last, "H2: only the last bucket has room");
        is_empty_seen = is_empty_seen || word == 0;
        if (word == 0) continue;
        const Record record = record_of(word);
        const std::uint64_t hash = base::hash_key(record.key(record.shape()), hash_seed_);
        ASHLAR_ASSERT(index_of(hash, count) == i, "H3: a record lies where its hash says");
        ASHLAR_ASSERT(tag_of(hash) == tag_of_slot(word), "a slot carries the tag of its key");
      }
      ASHLAR_ASSERT(bucket == &root || bucket->slots[0].load() != 0, "H2: no empty overflow");
    }
  }
}

}  // namespace ashlar::memory
