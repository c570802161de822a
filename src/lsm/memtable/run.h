/// \file
/// Keys in order, as an array of heads: what the ordered side of a memtable is made of.
///
///     entry   head, rest: the key from its run's prefix on, see `RunEntry`; node: where it lies
///
/// All keys of a run share its prefix, and the heads are what follows it: a search compares numbers
/// that lie in a row, and looks at a key itself only where those are equal.
///
/// Invariants:
///   N6  The keys of a run ascend strictly.
///   N7  Every head is that of its key at the end of the prefix, which all keys of the run share.
///   M1 of memory_budget.h: a run that owns its entries has taken them, and gives them back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/memory/memory_budget.h"
#include "lsm/memtable/arena.h"
#include "lsm/memtable/record.h"

namespace ashlar::lsm {

/// One key of a run. Where two keys differ within the eight bytes of their heads, or one ends
/// there, comparing head and rest tells which is first; where both are equal and `rest` is
/// kGoesOn, what follows decides.
struct RunEntry {
  std::uint64_t head;  ///< The next eight bytes of the key, the first as the highest, then zeroes.
  std::uint32_t rest;  ///< How many bytes the key has from there on; kGoesOn for all above eight.
  Place node;

  static constexpr std::size_t kHeadBytes = 8;
  static constexpr std::uint32_t kGoesOn = kHeadBytes + 1;

  /// Whether the heads alone put this entry before `other`.
  bool is_before(const RunEntry& other) const noexcept {
    return head != other.head ? head < other.head : rest < other.rest;
  }
  bool has_head_of(const RunEntry& other) const noexcept {
    return head == other.head && rest == other.rest;
  }
};
static_assert(sizeof(RunEntry) == 16);

/// The entry for `key` with the head at `depth`, which is at most its length.
inline RunEntry entry_at(std::string_view key, std::size_t depth, Place node) noexcept {
  const std::size_t rest = key.size() - depth;
  std::uint64_t head = 0;
  if (rest >= RunEntry::kHeadBytes) [[likely]] {
    head = base::load_number<std::uint64_t>(key.data() + depth);
  } else if (rest != 0) {
    std::memcpy(&head, key.data() + depth, rest);
  }
  return {.head = __builtin_bswap64(head),
          .rest = static_cast<std::uint32_t>(std::min<std::size_t>(rest, RunEntry::kGoesOn)),
          .node = node};
}

/// How many bytes two keys have in common at their beginnings.
std::size_t shared_bytes(std::string_view one, std::string_view other) noexcept;

/// Entries of a run that was merged: whole huge pages where there are many.
class RunMemory {
 public:
  /// Returns: null when the budget, or the memory of the machine, is used up
  static std::unique_ptr<RunMemory> make(base::MemoryBudget& budget,
                                         std::size_t entry_count) noexcept;

  RunMemory(const RunMemory&) = delete;
  RunMemory& operator=(const RunMemory&) = delete;
  ~RunMemory();

  std::span<RunEntry> entries() const noexcept { return entries_; }

 private:
  explicit RunMemory(Arena arena) noexcept;  // For many,
  RunMemory(base::MemoryBudget& budget, std::unique_ptr<RunEntry[]> few,
            std::size_t entry_count) noexcept;  // and for few, already taken from the budget.

  std::optional<Arena> many_;
  std::unique_ptr<RunEntry[]> few_;
  base::MemoryBudget* budget_ = nullptr;  // Of `few_`.
  std::span<RunEntry> entries_;
};

/// Threads:  immutable.
/// Lifetime: the entries of a run that does not own them, and the records, must outlive it.
class KeyRun {
 public:
  KeyRun(std::span<const RunEntry> entries, std::size_t prefix_bytes,
         std::unique_ptr<RunMemory> owned) noexcept
      : entries_(entries), prefix_bytes_(prefix_bytes), owned_(std::move(owned)) {
    ASHLAR_ASSERT(!entries.empty(), "a run has at least one key");
  }

  std::span<const RunEntry> entries() const noexcept { return entries_; }
  std::size_t prefix_bytes() const noexcept { return prefix_bytes_; }

  /// What all keys begin with.
  std::string_view prefix(const Records& records) const noexcept {
    return records.node(entries_.front().node).key().substr(0, prefix_bytes_);
  }

  /// The index of the first key at or after `key`; the count of keys where there is none.
  ///
  /// Cost: a binary search over 16 bytes a key
  std::size_t lower_bound(std::string_view key, const Records& records) const noexcept;

  /// Aborts when an invariant is broken.
  void check(const Records& records) const;

 private:
  const std::span<const RunEntry> entries_;
  const std::size_t prefix_bytes_;
  const std::unique_ptr<RunMemory> owned_;  // Null where the entries are somebody else's.
};

/// Sets the heads of entries, whose keys are no shorter than `depth`.
void load_heads(std::span<RunEntry> entries, std::size_t depth, const Records& records) noexcept;

/// Sorts keys, whose heads are at depth 0, and leaves their heads at the end of what all of them
/// share.
///
/// Returns: how many bytes that is
/// Errors:  throws bad_alloc; the same entries are then there in some order, with any heads
/// Cost:    keys that differ in their heads are not looked at more than once
std::size_t sort_entries(std::span<RunEntry> entries, const Records& records);

/// Merges two runs that have no key in common.
///
/// Returns: null when there is no memory for it
std::shared_ptr<const KeyRun> merge_runs(const KeyRun& one, const KeyRun& other,
                                         const Records& records,
                                         base::MemoryBudget& budget) noexcept;

}  // namespace ashlar::lsm
