// Taking and releasing snapshots. What writers and readers need of it are two loads in the header.

#include "memory/versions.h"

#include "base/assert.h"

namespace ashlar::memory {

std::optional<engine::View> Versions::acquire(const os::Clock& clock) {
  const base::MutexLock lock(mutex_);
  const TimeMs now_ms = clock.now_ms();
  const Sequence sequence = current_.load(std::memory_order_relaxed);
  // The sequence after this one has to fit a stamp too.
  if (sequence >= kStampMax) return std::nullopt;
  // The one step that can throw comes before the first store that others see.
  const bool is_new = live_.emplace(sequence, now_ms).second;
  ASHLAR_ASSERT(is_new, "C3: a sequence ends with its snapshot");
  ASHLAR_ASSERT(live_.rbegin()->first == sequence, "V1: the snapshot taken last is the newest");
  newest_live_.store(sequence, std::memory_order_seq_cst);  // V1: before the next line.
  current_.store(sequence + 1, std::memory_order_seq_cst);
  // The reads of this snapshot come after the store, also for loads that are not in its order.
#ifndef ASHLAR_RACY_PLAIN
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
  return engine::View{.sequence = sequence, .taken_at_ms = now_ms};
}

void Versions::release(Sequence sequence) noexcept {
  const base::MutexLock lock(mutex_);
  const std::size_t erased_count = live_.erase(sequence);
  ASHLAR_ASSERT(erased_count == 1, "only a held snapshot is released");
  // May fall: a writer that sees the older value keeps a version that nobody needs any more, which
  // the background finds. A snapshot that is being taken waits for the mutex, so its own value is
  // not overwritten (V1).
  newest_live_.store(live_.empty() ? 0 : live_.rbegin()->first, std::memory_order_seq_cst);
  // Relaxed: a reason to look. What is garbage the background decides by `live`, under the mutex.
  released_count_.fetch_add(1, std::memory_order_relaxed);
}

std::vector<Sequence> Versions::live() const {
  const base::MutexLock lock(mutex_);
  std::vector<Sequence> sequences;
  sequences.reserve(live_.size());
  for (const auto& [sequence, taken_at_ms] : live_) sequences.push_back(sequence);
  return sequences;
}

std::size_t Versions::live_count() const noexcept {
  const base::MutexLock lock(mutex_);
  return live_.size();
}

TimeMs Versions::oldest_taken_at_ms() const noexcept {
  const base::MutexLock lock(mutex_);
  return live_.empty() ? engine::kNever : live_.begin()->second;
}

}  // namespace ashlar::memory
