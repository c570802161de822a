// Making an engine of its parts, and what is neither read nor write: snapshots, figures, the check.

#include "memory/memory_engine.h"

#include <algorithm>
#include <string>
#include <utility>

#include "memory/engine_core.h"

namespace ashlar::memory {

Result<std::unique_ptr<engine::StorageEngine>> make_memory_engine(const Options& options,
                                                                  const os::Clock& clock,
                                                                  std::uint64_t hash_seed) {
  MemoryEngine::Parts parts;
  parts.budget = std::make_unique<base::MemoryBudget>(options.memory_budget_bytes);
  parts.records = RecordHeap::make(*parts.budget);
  parts.nodes = RecordHeap::make(*parts.budget);
  // A heap of their own for notes and tree, so that dropping the tree empties whole pages.
  parts.table = HashTable::make(*parts.budget, hash_seed);
  bool has_space = parts.records && parts.nodes && parts.table;
  // Heat is address space only: a byte for 64 of record memory, and pages come as they are touched.
  if (has_space && options.memory_policy == MemoryPolicy::kEvict) {
    auto heat = base::Reservation::make(Heat::bytes_for(parts.records->region_bytes()));
    has_space = heat.has_value();
    if (has_space) parts.heat = std::make_unique<Heat>(std::move(*heat));
    parts.evictor = std::make_unique<Evictor>(*parts.budget);
  }
  if (!has_space) {
    return std::unexpected(
        Error(ErrorCode::kUnavailable, "the system refuses address space for a memory budget of " +
                                           std::to_string(options.memory_budget_bytes) + " bytes"));
  }
  return std::make_unique<MemoryEngine>(std::move(parts), clock);
}

MemoryEngine::MemoryEngine(Parts parts, const os::Clock& clock)
    : parts_(std::move(parts)),
      clock_(clock),
      locals_(*parts_.budget),
      ordered_(*parts_.nodes, *parts_.table),
      wheel_(*parts_.budget, tick_at(clock.now_ms())),
      garbage_(*parts_.budget),
      untold_(*parts_.budget) {}

// Nothing is freed one by one: records, nodes and buckets go with their regions.
MemoryEngine::~MemoryEngine() = default;

Result<engine::View> MemoryEngine::acquire_snapshot() {
  const std::optional<engine::View> view = versions_.acquire(clock_);
  if (view) return *view;
  return std::unexpected(Error::of_literal(ErrorCode::kUnavailable,
                                           "no sequence is left for another snapshot: reopen"));
}

// What it held on to is reclaimed by the background, a tick later: snapshots tend to go in numbers.
void MemoryEngine::release_snapshot(Sequence sequence) noexcept {
  versions_.release(sequence);
  if (has_garbage_.load(std::memory_order_relaxed)) wake_by(clock_.now_ms() + kTickMs);
}

void MemoryEngine::on_work(void (*wake)(void*), void* context) noexcept {
  wake_context_ = context;
  wake_ = wake;
}

// The counts of all threads are read one after the other, while they go on: a sum may be of no one
// moment, and for an instant below zero, when a key was added here and erased there.
std::int64_t MemoryEngine::sum(OwnedCounter Counters::* counter) const noexcept {
  std::int64_t total = 0;
  locals_.for_each([&](const Local& local) { total += (local.counters.*counter).value(); });
  return total;
}

bool MemoryEngine::take_memory(std::size_t bytes) {
  while (!parts_.budget->try_take(bytes)) {
    const Locals::Hold local(locals_);
    if (!make_room(*local)) return false;
  }
  return true;
}

Stats MemoryEngine::stats() const {
  // No locks but short ones, so that asking for figures holds up no writer.
  const auto count = [this](OwnedCounter Counters::* counter) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, sum(counter)));
  };
  Stats stats;
  stats.key_count = count(&Counters::keys);
  stats.expiring_key_count = count(&Counters::expiring_keys);
  stats.put_count = count(&Counters::puts);
  stats.erase_count = count(&Counters::erases);
  stats.expired_count = count(&Counters::expired);
  stats.evicted_count = count(&Counters::evicted);
  stats.refused_write_count = count(&Counters::refused);

  stats.memory_bytes = parts_.budget->used_bytes();
  stats.memory_budget_bytes = parts_.budget->limit_bytes();
  stats.index_bytes = parts_.table->taken_bytes();
  stats.ordered_bytes = ordered_.charged_bytes();
  stats.record_bytes = parts_.records->taken_bytes() + parts_.nodes->taken_bytes();
  const std::uint64_t known_bytes = stats.index_bytes + stats.record_bytes;
  // The rest of the budget: queues of the threads, of the wheel and of the evictor. The parts were
  // read after the whole, and may have grown beyond it.
  stats.bookkeeping_bytes = stats.memory_bytes - std::min(stats.memory_bytes, known_bytes);

  stats.pending_expiry_count = pending_expiry_count_.load(std::memory_order_relaxed);
  const TimeMs now_ms = clock_.now_ms();
  const TimeMs next_ms = next_maintenance_ms_.load(std::memory_order_relaxed);
  // A background that does not get to run shows here, though it reports nothing itself.
  const bool is_late = stats.pending_expiry_count != 0 && next_ms != 0 && next_ms < now_ms;
  stats.expiry_lag_ms = std::max(expiry_lag_ms_.load(std::memory_order_relaxed),
                                 is_late ? static_cast<std::uint64_t>(now_ms - next_ms) : 0);
  stats.expiry_lag_ms_max =
      std::max(expiry_lag_ms_max_.load(std::memory_order_relaxed), stats.expiry_lag_ms);

  // Each of these takes the mutex of the snapshots for itself: the three may be of three moments.
  stats.sequence = versions_.current();
  stats.snapshot_count = versions_.live_count();
  const TimeMs oldest_ms = versions_.oldest_taken_at_ms();
  if (oldest_ms != engine::kNever) {
    stats.oldest_snapshot_ms = static_cast<std::uint64_t>(now_ms - std::min(now_ms, oldest_ms));
  }
  stats.kept_version_count = kept_version_count_.load(std::memory_order_relaxed);
  return stats;
}

std::size_t MemoryEngine::memory_bytes() const noexcept {
  return parts_.budget->used_bytes();
}

std::size_t MemoryEngine::snapshot_count() const noexcept {
  return versions_.live_count();
}

// Each part checks its own invariants; what is checked here spans several of them.
void MemoryEngine::check() const {
  parts_.table->check();
  parts_.records->check();
  parts_.nodes->check();
  ASHLAR_ASSERT(memory_bytes() <= parts_.budget->limit_bytes(), "M1: the budget holds");
  std::int64_t key_count = 0;
  parts_.table->walk([&](Bucket& root) {
    parts_.table->for_each_locked(root, [&](SlotPlace place) {
      Record record = place.record();
      if (!record.shape().is_tombstone()) ++key_count;
      while (const Record older = record.previous(record.shape())) {
        const bool falls = older.stamp(older.shape()) < record.stamp(record.shape());
        ASHLAR_ASSERT(falls, "R2: stamps fall along a chain");
        record = older;
      }
    });
  });
  ASHLAR_ASSERT(key_count == sum(&Counters::keys), "the count of keys is that of the index");
  const Locals::Hold local(locals_);
  ordered_.check(*local);
}

}  // namespace ashlar::memory
