// What a write tells those who work behind it: the index how it grew, the wheel which deadlines
// there are, the background what can be reclaimed and by when to look. All of it is left in the
// thread's own `Local`, and the background is woken only where it would come too late by itself.

#include <utility>

#include "base/assert.h"
#include "memory/engine_core.h"

namespace ashlar::memory {
namespace {

// Words that wait in a thread's inbox and new keys before it tells the evictor: each bounds how far
// the shared picture is behind.
constexpr std::size_t kInboxWordsMax = 16'384;
constexpr std::size_t kUnreportedNotesMax = 4096;

// How long after an erase the background may take to give pages that fell empty back.
constexpr TimeMs kFlushDelayMs = 100;

}  // namespace

/// Tells the index how many slots this thread has added or removed lately, and the background that
/// records will soon need another huge page.
void MemoryEngine::pass_on_slots(Local& local) noexcept {
  parts_.table->follow(std::exchange(local.unreported_slot_count, 0));
  if (parts_.records->is_growing()) [[unlikely]]
    wake_by(0);
}

/// Tells the background that there is something for it in `local`. Sequentially consistent, as what
/// `wake_by` reads next and what `next_maintenance` does: either it sees the news before it sleeps,
/// or the writer sees for how long it is going to, and wakes it.
void MemoryEngine::set_news(Local& local) noexcept {
  if (!local.has_news.load(std::memory_order_relaxed)) local.has_news.store(true);
}

/// Has the background look for pages that fell empty: the free objects of this thread may be all
/// that keeps some of them. Once a round, and not at once, as more erases are likely to follow.
void MemoryEngine::announce_free(Local& local) noexcept {
  set_news(local);
  wake_by(clock_.now_ms() + kFlushDelayMs);
}

/// Has the wheel look at `record` by its deadline. An entry that comes up early enough, at the tick
/// `scheduled`, is used again: a key that is set over and over has one entry.
void MemoryEngine::schedule(Local& local, std::uint64_t hash, Record record,
                            std::uint64_t scheduled) noexcept {
  const Shape shape = record.shape();
  const std::uint64_t tick = tick_of(record.deadline_ms(shape));
  if (scheduled != 0 && (scheduled & ~kSweepMark) <= tick) {
    record.set_scheduled_tick(shape, scheduled);
    return;
  }
  record.set_scheduled_tick(shape, tick | sweep_mark_.load(std::memory_order_relaxed));
  // Two words, for which the caller has reserved the room (Q1): no failing under a bucket's lock.
  local.expiry_inbox.push(hash);
  local.expiry_inbox.push(tick);
  set_news(local);
  if (local.expiry_inbox.count() >= kInboxWordsMax) wake_by(0);
}

/// Has the background look at a key whose older versions can go one day.
void MemoryEngine::keep_version(Local& local, std::uint64_t hash) noexcept {
  local.garbage.push(hash);
  set_news(local);
  if (!has_garbage_.load(std::memory_order_relaxed)) has_garbage_.store(true);
}

/// Has the background apply the notes before a scan would find too many of them waiting.
void MemoryEngine::report_notes(Local& local) noexcept {
  if (local.unreported_node_count < kUnreportedNotesMax) return;
  local.unreported_node_count = 0;
  wake_by(0);
}

/// Makes sure that the background looks again by `deadline_ms`; 0: now. Two writers may overwrite
/// each other's moment: both have woken the background by then, and it works out the next itself.
void MemoryEngine::wake_by(TimeMs deadline_ms) noexcept {
  // What is stored is a hint, so relaxed: the background looks at the queues themselves.
  if (deadline_ms >= next_maintenance_ms_.load(std::memory_order_seq_cst)) return;
  next_maintenance_ms_.store(deadline_ms, std::memory_order_relaxed);
  if (wake_ != nullptr) wake_(wake_context_);
}

}  // namespace ashlar::memory
