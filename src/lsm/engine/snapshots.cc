#include "lsm/engine/snapshots.h"

#include <utility>

#include "base/assert.h"

namespace ashlar::lsm {

void Snapshots::add(const engine::View& view, base::Ref<const State> state) {
  ASHLAR_ASSERT(!view.is_latest(), "a snapshot stands at a commit");
  const base::MutexLock lock(mutex_);
  const auto [at, is_new] = held_.try_emplace(view.sequence);
  if (is_new) {
    at->second.state = std::move(state);
    at->second.taken_at_ms = view.taken_at_ms;
  }
  ++at->second.count;
  ++snapshot_count_;
}

const State& Snapshots::state_at(Sequence sequence) const {
  const base::MutexLock lock(mutex_);
  const auto at = held_.find(sequence);
  ASHLAR_ASSERT(at != held_.end(), "only a snapshot that is held is read at");
  return *at->second.state;
}

void Snapshots::remove(Sequence sequence) noexcept {
  base::Ref<const State> last;  // Goes without the lock: tables may go with it.
  {
    const base::MutexLock lock(mutex_);
    const auto at = held_.find(sequence);
    ASHLAR_ASSERT(at != held_.end(), "a snapshot is released once");
    --snapshot_count_;
    if (--at->second.count > 0) return;
    last = std::move(at->second.state);
    held_.erase(at);
  }
}

void Snapshots::begin_walk() {
  const base::MutexLock lock(mutex_);
  ++walk_count_;
}

void Snapshots::end_walk() noexcept {
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(walk_count_ > 0, "a walk that ends was begun");
  --walk_count_;
}

std::size_t Snapshots::count() const noexcept {
  const base::MutexLock lock(mutex_);
  return snapshot_count_ + walk_count_;
}

std::optional<engine::TimeMs> Snapshots::oldest_ms() const noexcept {
  const base::MutexLock lock(mutex_);
  if (held_.empty()) return std::nullopt;
  return held_.begin()->second.taken_at_ms;
}

}  // namespace ashlar::lsm
