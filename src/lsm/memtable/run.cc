// Runs: their memory, searching and merging them.

#include "lsm/memtable/run.h"

#include <bit>
#include <new>
#include <utility>

namespace ashlar::lsm {
namespace {

// So many entries ahead a node is asked for: what a load from memory takes, 150 ns, is what some
// ten entries take.
constexpr std::size_t kPrefetchDistance = 12;

/// A run that is consumed from its front, with heads at a depth that may not be its own.
class Input {
 public:
  Input(const KeyRun& run, std::size_t depth, const Records& records) noexcept
      : entries_(run.entries()),
        depth_(depth),
        is_depth_of_run_(run.prefix_bytes() == depth),
        records_(records) {
    load();
  }

  bool is_at_end() const noexcept { return index_ == entries_.size(); }
  const RunEntry& front() const noexcept { return front_; }
  std::string_view key() const noexcept { return records_.node(front_.node).key(); }

  RunEntry take() noexcept {
    const RunEntry taken = front_;
    ++index_;
    load();
    return taken;
  }

 private:
  void load() noexcept {
    if (is_at_end()) return;
    front_ = entries_[index_];
    if (is_depth_of_run_) return;
    if (index_ + kPrefetchDistance < entries_.size()) {
      base::prefetch(&records_.node(entries_[index_ + kPrefetchDistance].node));
    }
    front_ = entry_at(key(), depth_, front_.node);
  }

  const std::span<const RunEntry> entries_;
  const std::size_t depth_;
  const bool is_depth_of_run_;
  const Records& records_;
  std::size_t index_ = 0;
  RunEntry front_{};
};

bool is_before(const Input& one, const Input& other) noexcept {
  if (one.front().has_head_of(other.front())) [[unlikely]]
    return one.key() < other.key();
  return one.front().is_before(other.front());
}

}  // namespace

std::size_t shared_bytes(std::string_view one, std::string_view other) noexcept {
  const std::size_t bytes = std::min(one.size(), other.size());
  std::size_t shared = 0;
  for (; shared + 8 <= bytes; shared += 8) {
    const auto difference = base::load_number<std::uint64_t>(one.data() + shared) ^
                            base::load_number<std::uint64_t>(other.data() + shared);
    // The lowest bit that differs is in the first byte that does.
    if (difference != 0) return shared + static_cast<unsigned>(std::countr_zero(difference)) / 8;
  }
  while (shared < bytes && one[shared] == other[shared]) ++shared;
  return shared;
}

RunMemory::RunMemory(Arena arena) noexcept : many_(std::move(arena)) {
  const std::size_t bytes = many_->taken_bytes();
  entries_ = {reinterpret_cast<RunEntry*>(many_->allocate(bytes)), bytes / sizeof(RunEntry)};
}

RunMemory::RunMemory(base::MemoryBudget& budget, std::unique_ptr<RunEntry[]> few,
                     std::size_t entry_count) noexcept
    : few_(std::move(few)), budget_(&budget), entries_(few_.get(), entry_count) {}

RunMemory::~RunMemory() {
  if (few_ != nullptr) budget_->give_back(entries_.size_bytes());
}

std::unique_ptr<RunMemory> RunMemory::make(base::MemoryBudget& budget,
                                           std::size_t entry_count) noexcept {
  const std::size_t bytes = entry_count * sizeof(RunEntry);
  if (bytes >= Arena::kStepBytes) {
    auto arena = Arena::make(budget, bytes);
    if (!arena || !arena->reserve(bytes)) return nullptr;
    return std::unique_ptr<RunMemory>(new (std::nothrow) RunMemory(*std::move(arena)));
  }
  if (!budget.try_take(bytes)) return nullptr;
  std::unique_ptr<RunEntry[]> few(new (std::nothrow) RunEntry[entry_count]);
  std::unique_ptr<RunMemory> made;
  if (few) made.reset(new (std::nothrow) RunMemory(budget, std::move(few), entry_count));
  if (!made) budget.give_back(bytes);
  return made;
}

std::size_t KeyRun::lower_bound(std::string_view key, const Records& records) const noexcept {
  const std::string_view start = prefix(records);
  // All keys are before one that is after their prefix, and after one that is before it.
  const int order = key.substr(0, start.size()).compare(start);
  if (order != 0) return order < 0 ? 0 : entries_.size();

  const RunEntry sought = entry_at(key, start.size(), kNowhere);
  const auto is_before = [&](const RunEntry& entry, const RunEntry& bound) {
    if (!entry.has_head_of(bound)) [[likely]]
      return entry.is_before(bound);
    return records.node(entry.node).key() < key;
  };
  const auto found = std::ranges::lower_bound(entries_, sought, is_before);
  return static_cast<std::size_t>(found - entries_.begin());
}

void KeyRun::check(const Records& records) const {
  const std::string_view start = prefix(records);
  std::string_view before;
  for (const RunEntry& entry : entries_) {
    const std::string_view key = records.node(entry.node).key();
    ASHLAR_ASSERT(before.empty() || before < key, "N6: the keys of a run ascend");
    ASHLAR_ASSERT(key.starts_with(start), "N7: the keys of a run share its prefix");
    ASHLAR_ASSERT(entry_at(key, start.size(), entry.node).has_head_of(entry),
                  "N7: a head is that of its key");
    before = key;
  }
}

std::shared_ptr<const KeyRun> merge_runs(const KeyRun& one, const KeyRun& other,
                                         const Records& records,
                                         base::MemoryBudget& budget) noexcept {
  const std::size_t count = one.entries().size() + other.entries().size();
  auto memory = RunMemory::make(budget, count);
  if (!memory) return nullptr;
  const std::span<RunEntry> merged = memory->entries().first(count);

  const std::size_t depth = shared_bytes(one.prefix(records), other.prefix(records));
  Input left(one, depth, records);
  Input right(other, depth, records);
  std::size_t index = 0;
  while (!left.is_at_end() && !right.is_at_end()) {
    merged[index++] = is_before(left, right) ? left.take() : right.take();
  }
  for (Input* input : {&left, &right}) {
    while (!input->is_at_end()) merged[index++] = input->take();
  }
  ASHLAR_ASSERT(index == count, "N6: a merge has every key of both runs");
  try {
    return std::make_shared<const KeyRun>(merged, depth, std::move(memory));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace ashlar::lsm
