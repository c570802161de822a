/// \file
/// The order of the keys, kept up only while somebody scans.
///
/// Point operations need no order, so as long as nobody scans a write pays one load for it. The
/// first scan builds a tree from the hash index while writers go on. From then on a write that adds
/// or removes a key leaves a note in a queue, and scans apply the notes before they read. When the
/// notes since the last scan outnumber the keys, keeping the tree has cost as much as building it
/// anew: it is dropped (the ski-rental rule, at most twice the cost of knowing the future).
///
/// Invariants:
///   S1  While active, the keys of the tree, with all notes applied, include every key that has a
///       slot in the hash index.
///   S2  The note of a new key is in its queue before the key's commit draws its sequence; that of
///       a removed one after its slot is gone; both while the key's bucket is locked. So notes of
///       one key are in order, and a scan that applies the notes after it took its snapshot knows
///       every key that the snapshot sees.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <shared_mutex>
#include <span>
#include <string_view>

#include "base/memory/memory_budget.h"
#include "memory/hash_table.h"
#include "memory/local.h"
#include "memory/order/key_node.h"
#include "memory/order/key_tree.h"

namespace ashlar::memory {

/// Threads: thread-safe.
class OrderedSide {
 public:
  /// Lifetime: `heap`, which serves nothing else, and `table` must outlive the ordered side.
  OrderedSide(RecordHeap& heap, HashTable& table) noexcept
      : heap_(heap), table_(table), tree_(heap) {}

  // For writers.

  /// The era that notes are to be made for, or 0 while nobody scans.
  std::uint32_t era() const noexcept {
    // Sequentially consistent: a writer that locks a bucket after the builder has left it sees the
    // builder's era.
    const std::uint32_t state = state_.load(std::memory_order_seq_cst);
    return (state & kActiveBit) != 0 ? state : 0;
  }

  /// A note that can be left later without failing. Null when the budget is used up.
  KeyNode* make_note(Local& local, std::string_view key, std::uint64_t hash) noexcept {
    return make_key_node(heap_, local.nodes, key, hash);
  }
  void discard(Local& local, KeyNode* note) noexcept { free_key_node(heap_, local.nodes, note); }

  /// Leaves the note that a key was added. The key's bucket is locked (S2).
  void note_added(KeyNode* note, std::uint32_t era) noexcept { push(note, era, false); }

  /// Leaves the note that a key was removed. Where there is no memory for it the ordered side is
  /// given up, to be built again by the next scan: removing never fails for want of memory.
  void note_removed(Local& local, std::string_view key, std::uint64_t hash) noexcept;

  // For scans.

  /// Makes the tree active and up to date.
  ///
  /// Returns: false when the budget is used up; the tree is then dropped
  bool prepare(Local& local);

  /// As KeyTree::collect_from and collect_before. Returns false when `prepare` must be called
  /// first.
  bool collect_from(std::string_view from, std::size_t count_max, KeyList& out,
                    KeyTree::Position& position) const;
  bool collect_before(const std::string_view* before, std::size_t count_max, KeyList& out) const;

  // For the background.

  /// Applies waiting notes, and drops the tree when it no longer pays.
  void maintain(Local& local) noexcept;

  bool is_active() const noexcept { return era() != 0; }
  std::size_t charged_bytes() const noexcept;

  /// Frees everything; no other call may be active.
  void clear(Local& local) noexcept;

  /// Aborts when an invariant is broken. No writer may be active.
  void check(Local& local);

 private:
  static constexpr std::uint32_t kActiveBit = 1;
  static constexpr std::size_t kShardCount = 8;
  // Below so many notes the tree is never dropped.
  static constexpr std::uint64_t kNotesMin = 100'000;

  struct alignas(64) Shard {
    std::atomic<KeyNode*> newest{nullptr};
  };

  void push(KeyNode* note, std::uint32_t era, bool is_removal) noexcept;
  bool has_notes() const noexcept;
  bool build_locked(Local& local);
  void lay_out(Local& local, std::span<KeyNode*> nodes) noexcept;
  bool apply_notes_locked(Local& local) noexcept;
  bool apply_note_locked(Local& local, KeyNode* note) noexcept;
  void drop_locked(Local& local) noexcept;

  // Set at construction.
  RecordHeap& heap_;
  HashTable& table_;

  // Even while inactive. Read by every write, changed when the tree is built or dropped.
  alignas(64) std::atomic<std::uint32_t> state_{0};
  // Lines of their own: writers that add keys at the same time seldom meet at one.
  std::array<Shard, kShardCount> shards_;

  // Guards the tree: shared to read it. Taken before any bucket, never after one.
  mutable std::shared_mutex mutex_;
  KeyTree tree_;
  // Scans reset it while they hold mutex_ shared.
  std::atomic<std::uint64_t> notes_since_scan_{0};
};

}  // namespace ashlar::memory
