// How the hash index changes: one slot at a time, and one bucket at a time.
//
//     erase_locked, insert_in_overflow   keep a chain compact (H2)
//     follow                             decides whether to grow or shrink, a few steps a call
//     split_one, merge_one               make two buckets of one, and one of two
//     commit_for, uncommit_after         keep the memory under the buckets inside the budget (M1)
//
//     buckets_   0 ... bucket_count     ... committed         ... end of the region
//                in use                 empty, on the budget  address space only

#include "memory/hash_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "base/hints.h"

namespace ashlar::memory {
namespace {

// 32 KiB of buckets, so that an empty index fits into its first step of memory.
constexpr std::uint64_t kBucketCountMin = 512;
constexpr std::size_t kSmallStepBytes = std::size_t{64} << 10U;
static_assert(kBucketCountMin * sizeof(Bucket) <= kSmallStepBytes, "make takes one step");

// Slots per hundred buckets above which the index grows, below which it shrinks. 4.6 of 7 slots
// leave few chains and cost 14 bytes a key; the gap keeps a steady load from splitting and merging.
constexpr std::uint64_t kGrowPercent = 460;
constexpr std::uint64_t kShrinkPercent = 200;
static_assert(2 * kShrinkPercent < kGrowPercent, "what has just doubled is not shrunk again");

// So many splits or merges at most in one call, at some 150 ns each.
constexpr int kResizeStepsMax = 16;

// A small index takes memory in small steps. A large one takes huge pages whole: a part of one
// could not be given back. `step_before` is the step that led to so much.
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
  // The budget comes last, so that a refusal by the system leaves nothing to give back.
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

// A key that has moved meanwhile counts as held by someone: the one who moves it.
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

// By H2 all room is at the end of the last bucket: it is counted from there back.
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

// The slot is stored before the bucket is linked: a reader that follows the link, whose store is a
// release, finds either the whole bucket or a head that has changed.
void HashTable::insert_in_overflow(Bucket& last, std::uint64_t slot) noexcept {
  ASHLAR_DEBUG_ASSERT(slot != 0, "a slot that is added leads to a record");
  const std::uint32_t number = overflow_.take_reserved();
  overflow_.bucket(number).slots[0].store(slot, std::memory_order_relaxed);
  set_overflow(last, number);
}

// The last slot of the chain moves into the gap (H2), and a bucket that falls empty by that is
// unlinked. A reader in the midst of the chain may meet the moved slot twice or never; the lock in
// the root's head tells it (H1). It may even follow the link to the freed bucket, which stays
// readable and whose content it then discards.
void HashTable::erase_locked(Bucket& root, SlotPlace place) noexcept {
  ASHLAR_DEBUG_ASSERT(place.slot() != 0, "only a slot that is in use is removed");
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

// The caller holds no bucket, since a split waits for the locks of two, whose holders may be about
// to call this. When budget or address space are refused the index stays as it is and its chains
// grow: slower, never wrong.
void HashTable::follow(std::int64_t added_count) noexcept {
  // Relaxed: a hint for the size of the index.
  const auto added = static_cast<std::uint64_t>(added_count);
  const std::uint64_t sum = slot_count_.fetch_add(added, std::memory_order_relaxed) + added;
  // Threads report late, so one that erases may be heard before the one that has added: the sum is
  // below zero then, and must not be taken for a great number of slots.
  const std::uint64_t count = static_cast<std::int64_t>(sum) < 0 ? 0 : sum;
  std::uint64_t buckets = bucket_count_.load(std::memory_order_relaxed);
  const auto is_small = [&] { return count * 100 > buckets * kGrowPercent; };
  const auto is_large = [&] {
    return buckets > kBucketCountMin && count * 100 < buckets * kShrinkPercent;
  };
  if (!is_small() && !is_large()) return;
  if (!resize_mutex_.try_lock()) return;  // Someone else is at it.
  // `count` is not read again: what others report meanwhile they follow themselves.
  for (int step = 0; step < kResizeStepsMax; ++step) {
    buckets = bucket_count_.load(std::memory_order_relaxed);
    const bool is_done = is_small() ? !split_one() : (is_large() ? !merge_one() : true);
    if (is_done) break;
  }
  resize_mutex_.unlock();
}

void HashTable::publish_count(std::uint64_t bucket_count) noexcept {
  ASHLAR_ASSERT(bucket_count >= kBucketCountMin, "an index keeps the buckets it was made with");
  // Release: partner of the acquire in `root_of` (H4).
  bucket_count_.store(bucket_count, std::memory_order_release);
}

// M1: the budget is asked first; the memory comes when it is touched. It reads as zero, which is an
// empty bucket that nobody holds, so new buckets need no initialising.
bool HashTable::commit_for(std::uint64_t bucket_count) noexcept {
  const std::size_t committed = committed_bytes_.load(std::memory_order_relaxed);
  if (bucket_count * sizeof(Bucket) <= committed) return true;
  const std::size_t step = step_after(committed);
  if (committed + step > region_.bytes() || !budget_.try_take(step)) return false;
  if (step == base::kHugePageBytes) region_.prefer_huge_pages(committed, step);
  committed_bytes_.store(committed + step, std::memory_order_relaxed);
  return true;
}

// Called when the buckets behind are merged and unlocked. A reader or writer with an old count may
// still come by: it meets zeros, looks at the count again and goes where the key is now (H4).
void HashTable::uncommit_after(std::uint64_t bucket_count) noexcept {
  const std::size_t committed = committed_bytes_.load(std::memory_order_relaxed);
  const std::size_t step = step_before(committed);
  // Half a step of slack, so that a size that swings around the edge does not clear it each time.
  if (bucket_count * sizeof(Bucket) + step + step / 2 > committed) return;
  ASHLAR_ASSERT(step < committed, "the first step of memory stays");
  // The system has its memory back before the budget can promise it to others (M1).
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

/// Splits the bucket whose turn it is. `bit` is the highest bit of the bucket count: the keys of
/// bucket count - bit that have it in their hash go to the new bucket, number count.
///
///     before   [count - bit: a b c d]
///     after    [count - bit: a c]   ...   [count: b d]
///
/// Both chains are locked from before the first slot moves (H3) until the new count is published
/// (H4). The overflow buckets of the worst case, in which all keys move, are reserved first, so
/// that nothing fails half way. Returns false, with nothing changed, when there is no memory.
bool HashTable::split_one() noexcept {
  const std::uint64_t count = bucket_count_.load(std::memory_order_relaxed);
  if (!commit_for(count + 1)) return false;
  const std::uint64_t bit = std::bit_floor(count);
  Bucket& from = buckets_[count - bit];
  Bucket& to = buckets_[count];
  set_lock(from);
  set_lock(to);  // Nobody's yet, but a writer with an old count may be about to find that out.
  ASHLAR_ASSERT(chain_slot_count(to) == 0, "H3: no key belongs to a bucket beyond the count");
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

// Slots keep the bits that choose among 2^12 to 2^32 buckets. In an index smaller than that the
// record itself is asked; it is locked with its bucket.
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

/// Undoes the last split: empties the last bucket into the one that it came from. Slots go one by
/// one, since the chain that takes them in has some already. As in a split all overflow buckets are
/// reserved first, both chains stay locked and the count is published before they are released.
/// Declines while `walk_beside_writers` is under way: what moves to a lower bucket would escape it.
bool HashTable::merge_one() noexcept {
  if (walker_count_.load(std::memory_order_relaxed) != 0) return false;
  const std::uint64_t count = bucket_count_.load(std::memory_order_relaxed);
  const std::uint64_t last = count - 1;
  Bucket& to = buckets_[last - std::bit_floor(last)];
  Bucket& from = buckets_[last];
  set_lock(to);
  set_lock(from);
  const std::size_t moving = chain_slot_count(from);
  // However full the last bucket of `to` is: what moves fills so many more, rounded up.
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
    ASHLAR_ASSERT(next_locked(from) == nullptr, "H2: a chain without slots has no overflow");
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
