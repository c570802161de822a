// A look: what has arrived becomes a run.

#include "lsm/memtable/ordered_side.h"

#include <algorithm>
#include <utility>

namespace ashlar::lsm {

std::shared_ptr<const RunSet> OrderedSide::current() const {
  const base::MutexLock lock(set_mutex_);
  return set_;
}

std::shared_ptr<const RunSet> OrderedSide::look() {
  // Acquire: partner of the release in `add`. Whoever may see a key has seen its commit published,
  // and so counts the key.
  const std::size_t key_count = key_count_.load(std::memory_order_acquire);
  auto last = current();
  if (last != nullptr && last->key_count >= key_count) return last;

  const base::MutexLock lock(look_mutex_);
  last = current();  // Another may have looked meanwhile.
  if (last != nullptr && last->key_count >= key_count) return last;
  auto next = last == nullptr ? std::make_shared<RunSet>() : std::make_shared<RunSet>(*last);
  if (next->key_count < key_count) {
    next->runs.reserve(next->runs.size() + 1);  // What follows cannot fail once it has sorted.
    next->runs.push_back(sort_arrivals(next->key_count, key_count));
    next->key_count = key_count;
    merge_last(next->runs);
  }
  const base::MutexLock publishing(set_mutex_);
  set_ = next;
  return next;
}

// The run refers to the arrivals themselves. They were published to us; the writer stores behind
// them only.
std::shared_ptr<const KeyRun> OrderedSide::sort_arrivals(std::size_t begin, std::size_t end) {
  auto* const arrivals = reinterpret_cast<RunEntry*>(arrivals_.begin());
  const std::span<RunEntry> entries(arrivals + begin, end - begin);
  try {
    const std::size_t prefix_bytes = sort_entries(entries, records_);
    return std::make_shared<const KeyRun>(entries, prefix_bytes, nullptr);
  } catch (...) {
    load_heads(entries, 0, records_);  // As they arrived, for the next look.
    throw;
  }
}

// Sizes fall by more than half from run to run, as long as the budget lets them: as many runs as
// the count of keys has bits, at most.
void OrderedSide::merge_last(std::vector<std::shared_ptr<const KeyRun>>& runs) const {
  while (runs.size() >= 2) {
    const KeyRun& last = *runs.back();
    const KeyRun& before = *runs[runs.size() - 2];
    if (before.entries().size() > 2 * last.entries().size()) return;
    auto merged = merge_runs(before, last, records_, budget_);
    if (merged == nullptr) return;
    runs.pop_back();
    runs.back() = std::move(merged);
  }
}

void OrderedSide::check() const {
  const auto set = current();
  if (set == nullptr) return;
  ASHLAR_ASSERT(set->key_count <= key_count(), "N8: a set has keys that have arrived");
  std::vector<Place> nodes;
  for (const auto& run : set->runs) {
    run->check(records_);
    for (const RunEntry& entry : run->entries()) {
      nodes.push_back(entry.node);
    }
  }
  std::ranges::sort(nodes);
  ASHLAR_ASSERT(std::ranges::adjacent_find(nodes) == nodes.end(), "N8: a key is in one run");
  ASHLAR_ASSERT(nodes.size() == set->key_count, "N8: the runs have every key of the set");
}

}  // namespace ashlar::lsm
