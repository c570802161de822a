// The wheel. A bucket is named by the level and by eight bits of the tick that it is for:
//
//     tick   ... | level 2: bits 16-23 | level 1: bits 8-15 | level 0: bits 0-7
//
// An entry goes to the lowest level that reaches as far as its tick. An upper bucket comes up when
// the first tick of its 2^8 or 2^16 begins, and the caller adds its entries again, which are nearer
// now and land in a lower one. So every entry is moved three times at most, and once more for each
// 74 hours that it lies ahead.

#include "memory/expiry_wheel.h"

#include <algorithm>

#include "base/assert.h"

namespace ashlar::memory {

ExpiryWheel::ExpiryWheel(base::MemoryBudget& budget, std::uint64_t now_tick)
    : next_tick_(now_tick) {
  // An empty queue has no memory of its own: the whole wheel is some 50 KiB before the first entry.
  queues_.reserve(kLevelCount * kLevelBuckets + 1);
  for (std::size_t i = 0; i <= kLevelCount * kLevelBuckets; ++i) queues_.emplace_back(budget);
}

// What has passed counts as the tick that comes up next (W1).
bool ExpiryWheel::add(std::uint64_t hash, std::uint64_t tick) noexcept {
  const std::uint64_t at = std::max(tick, next_tick_);
  const std::uint64_t distance = at - next_tick_;
  base::ChunkedQueue* queue = &far();
  for (unsigned level = 0; level < kLevelCount; ++level) {
    if (distance >= std::uint64_t{1} << kLevelBits * (level + 1)) continue;
    queue = &bucket(level, at);
    break;
  }
  try {
    if (!queue->reserve(1)) return false;
  } catch (const std::bad_alloc&) {
    return false;
  }
  queue->push(hash);
  ++count_;
  return true;
}

/// What comes up at `next_tick_`: a bucket of an upper level when the level below has come round,
/// each once, whatever is added to it meanwhile.
base::ChunkedQueue* ExpiryWheel::bucket_coming_up() noexcept {
  // From the furthest level down: what comes down is there when the nearer one has its turn.
  while (turning_level_ > 0) {
    const unsigned level = turning_level_--;
    const bool has_come_round = next_tick_ % (std::uint64_t{1} << kLevelBits * level) == 0;
    if (!has_come_round) continue;
    base::ChunkedQueue& queue = level == kLevelCount ? far() : bucket(level, next_tick_);
    if (!queue.empty()) return &queue;
  }
  base::ChunkedQueue& nearest = bucket(0, next_tick_);
  return nearest.empty() ? nullptr : &nearest;
}

ExpiryWheel::CameUp ExpiryWheel::advance(std::uint64_t now_tick, base::ChunkedQueue& due) {
  ASHLAR_ASSERT(due.empty(), "what came up before has been dealt with");
  while (next_tick_ <= now_tick) {
    if (count_ == 0) {
      next_tick_ = now_tick + 1;
      turning_level_ = kLevelCount;
      return CameUp::kNothing;
    }
    // Handed out whole: what the caller adds meanwhile, be it to this very bucket, comes up after.
    if (base::ChunkedQueue* queue = bucket_coming_up()) {
      due.clear();
      due.take(*queue);
      count_ -= due.count();
      return queue == &bucket(0, next_tick_) ? CameUp::kAtTick : CameUp::kNearing;
    }
    // Past all ticks at which nothing comes up, at the cost of a look at each bucket.
    const std::uint64_t next = std::min(next_busy_tick(next_tick_ + 1), now_tick + 1);
    ASHLAR_ASSERT(next > next_tick_, "W1: the wheel goes on, and passes over nothing that waits");
    next_tick_ = next;
    turning_level_ = kLevelCount;
  }
  return CameUp::kNothing;
}

// For the sweep of the background, which files what is still of use in a new wheel.
bool ExpiryWheel::take_bucket(std::size_t& position, base::ChunkedQueue& entries) {
  ASHLAR_ASSERT(entries.empty(), "what was taken before has been dealt with");
  while (position < queues_.size()) {
    base::ChunkedQueue& queue = queues_[position++];
    if (queue.empty()) continue;
    entries.clear();
    entries.take(queue);
    count_ -= entries.count();
    return true;
  }
  return false;
}

/// The first tick at or after `tick`, which comes after all that has come up, at which some bucket
/// that holds anything comes up.
std::uint64_t ExpiryWheel::next_busy_tick(std::uint64_t tick) const noexcept {
  std::uint64_t busy = UINT64_MAX;
  for (unsigned level = 0; level < kLevelCount; ++level) {
    const unsigned shift = kLevelBits * level;
    // An upper bucket comes up when its first tick does.
    const std::uint64_t first = first_turn(tick, shift);
    for (std::uint64_t turn = first; turn < first + kLevelBuckets; ++turn) {
      if (queues_[level * kLevelBuckets + turn % kLevelBuckets].empty()) continue;
      busy = std::min(busy, turn << shift);
      break;
    }
  }
  constexpr unsigned kFarShift = kLevelBits * kLevelCount;
  if (!queues_.back().empty()) busy = std::min(busy, first_turn(tick, kFarShift) << kFarShift);
  return busy;
}

std::uint64_t ExpiryWheel::next_due_tick() const noexcept {
  // In the midst of a tick the rest of it is still to come.
  return turning_level_ == kLevelCount ? next_busy_tick(next_tick_) : next_tick_;
}

}  // namespace ashlar::memory
