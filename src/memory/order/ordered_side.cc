// Notes, and the tree that they are applied to.
//
//     state_   idle, even --build_locked--> active, odd --drop_locked--> idle, even and greater
//
// Each turn is an era with a number of its own. A note says for which it was made, so one that was
// left late, by a writer that had asked for the era before a drop, is told from those that count.
//
//     writers --push--> shards_[hash % 8] --apply_notes_locked, mutex_ held--> tree_
//
// All notes of a key go through one shard and so stay in the order in which they were left (S2);
// those of different keys need no order.

#include "memory/order/ordered_side.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"

namespace ashlar::memory {

/// Leaves a note in front of its shard's list. Lists are only pushed to and emptied whole, so a
/// head that went and came back does no harm: the note goes before whatever is in front now.
void OrderedSide::push(KeyNode* note, std::uint32_t era, bool is_removal) noexcept {
  ASHLAR_ASSERT((era & kActiveBit) != 0, "a note is left while somebody scans");
  note->era = era;
  note->is_removal = is_removal;
  auto& newest = shards_[note->hash % kShardCount].newest;
  // Relaxed: the exchange below checks it, and nothing behind it is looked at here.
  note->next = newest.load(std::memory_order_relaxed);
  // Release: partner of the acquire in `apply_notes_locked`.
  while (!newest.compare_exchange_weak(note->next, note, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
}

void OrderedSide::note_removed(Local& local, std::string_view key, std::uint64_t hash) noexcept {
  const std::uint32_t current_era = era();
  if (current_era == 0) return;
  if (KeyNode* const note = make_note(local, key, hash)) {
    push(note, current_era, true);
    return;
  }
  // The tree itself goes with the next scan or look of the background.
  // A drop from under a bucket's lock, without the mutex, which stands before the buckets. It may
  // fail for one reason only: somebody else has ended this era.
  std::uint32_t expected = current_era;
  state_.compare_exchange_strong(expected, (current_era & ~kActiveBit) + 2);
}

bool OrderedSide::has_notes() const noexcept {
  return std::ranges::any_of(shards_, [](const Shard& shard) {
    return shard.newest.load(std::memory_order_acquire) != nullptr;
  });
}

// A scan that finds all in order, as most do, holds the mutex only shared and applies no notes:
// there are none that its snapshot could need (S2).
bool OrderedSide::prepare(Local& local) {
  {
    const std::shared_lock lock(mutex_);
    if (is_active() && !has_notes()) {
      notes_since_scan_.store(0, std::memory_order_relaxed);
      return true;
    }
  }
  // Asked again, since another scan may have built the tree between the two locks.
  const std::unique_lock lock(mutex_);
  notes_since_scan_.store(0, std::memory_order_relaxed);
  const bool is_ready = is_active() ? apply_notes_locked(local) : build_locked(local);
  if (!is_ready) drop_locked(local);
  return is_ready;
}

/// Builds the tree while writers go on: the era begins, the keys are collected bucket by bucket,
/// sorted, laid out and added, and last the notes that came meanwhile are applied. Returns false
/// when there is no memory; the caller drops what there is.
bool OrderedSide::build_locked(Local& local) {
  drop_locked(local);
  ASHLAR_ASSERT(tree_.count() == 0, "S1: a tree is built from what the index holds alone");
  const std::uint32_t new_era = (state_.load(std::memory_order_relaxed) + 2) | kActiveBit;
  state_.store(new_era, std::memory_order_seq_cst);
  // From here on writers leave notes. A bucket that is walked below holds all that they did to it
  // before; what they did after, or both, is in the notes, and applying a note twice is harmless.
  KeyNode* first = nullptr;
  std::size_t count = 0;
  bool has_memory = true;
  table_.walk([&](Bucket& root) {
    table_.for_each_locked(root, [&](SlotPlace place) {
      const Record record = place.record();
      const std::string_view key = record.key(record.shape());
      KeyNode* const node =
          has_memory ? make_note(local, key, base::hash_key(key, table_.hash_seed())) : nullptr;
      has_memory = node != nullptr;
      if (node == nullptr) return;
      node->next = first;
      first = node;
      ++count;
    });
  });

  std::vector<KeyNode*> nodes;
  try {
    nodes.reserve(count);
  } catch (...) {
    while (first != nullptr) discard(local, std::exchange(first, first->next));
    drop_locked(local);
    throw;
  }
  for (; first != nullptr; first = first->next) nodes.push_back(first);
  std::ranges::sort(nodes, {}, [](const KeyNode* node) { return node->key(); });
  lay_out(local, nodes);
  // In ascending order: each leaf is filled before the next one begins.
  for (KeyNode* node : nodes) {
    if (has_memory && tree_.add(local.nodes, node) == KeyTree::Added::kYes) continue;
    discard(local, node);
    has_memory = false;
  }
  return has_memory && apply_notes_locked(local);
}

/// Moves nodes, which come in order, to new memory in that order: a scan then reads them one after
/// the other. Where the budget has no room for two of each they stay where they are.
void OrderedSide::lay_out(Local& local, std::span<KeyNode*> nodes) noexcept {
  KeyNode* first = nullptr;  // Of the old ones, which go once all are copied.
  for (KeyNode*& node : nodes) {
    KeyNode* const copy = make_note(local, node->key(), node->hash);
    if (copy == nullptr) break;
    node->next = first;
    first = std::exchange(node, copy);
  }
  while (first != nullptr) discard(local, std::exchange(first, first->next));
}

/// Applies what waits. A shard's list is the newest first and is turned round: an addition and a
/// removal of the same key must take effect in their order. Returns false when a key could not be
/// added, which ends the era: the tree would lack it (S1).
bool OrderedSide::apply_notes_locked(Local& local) noexcept {
  bool has_memory = true;
  for (Shard& shard : shards_) {
    // Acquire: partner of the release in `push`.
    KeyNode* newest = shard.newest.exchange(nullptr, std::memory_order_acquire);
    KeyNode* oldest = nullptr;
    while (newest != nullptr) {
      KeyNode* const rest = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = rest;
    }
    while (oldest != nullptr) {
      KeyNode* const note = oldest;
      oldest = oldest->next;
      has_memory = apply_note_locked(local, note) && has_memory;
      notes_since_scan_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  return has_memory;
}

/// Applies one note, which then belongs to the tree or is freed. A key may be there already, noted
/// by a writer and collected by the builder.
bool OrderedSide::apply_note_locked(Local& local, KeyNode* note) noexcept {
  const bool is_current = note->era == state_.load(std::memory_order_relaxed);
  if (is_current && !note->is_removal) {
    const KeyTree::Added added = tree_.add(local.nodes, note);
    if (added == KeyTree::Added::kYes) return true;
    discard(local, note);
    return added == KeyTree::Added::kWasThere;
  }
  if (is_current) tree_.remove(local.nodes, note->key());
  discard(local, note);
  return true;
}

/// Ends the era and frees everything. Notes left after this are of an old era; the next round of
/// the background frees them.
void OrderedSide::drop_locked(Local& local) noexcept {
  const std::uint32_t state = state_.load(std::memory_order_relaxed);
  if ((state & kActiveBit) != 0) state_.store((state & ~kActiveBit) + 2, std::memory_order_seq_cst);
  apply_notes_locked(local);  // Of no era that counts: this frees them.
  tree_.clear(local.nodes);
}

bool OrderedSide::collect_from(std::string_view from, std::size_t count_max, KeyList& out,
                               KeyTree::Position& position) const {
  const std::shared_lock lock(mutex_);
  if (!is_active()) return false;
  tree_.collect_from(from, count_max, out, position);
  return true;
}

bool OrderedSide::collect_before(const std::string_view* before, std::size_t count_max,
                                 KeyList& out) const {
  const std::shared_lock lock(mutex_);
  if (!is_active()) return false;
  tree_.collect_before(before, count_max, out);
  return true;
}

// Notes are applied here too: so scans find few waiting, and where nobody scans any more they do
// not pile up until the tree is given up.
void OrderedSide::maintain(Local& local) noexcept {
  const std::unique_lock lock(mutex_);
  if (!is_active()) {
    if (tree_.count() != 0 || has_notes()) drop_locked(local);
    return;
  }
  const bool has_memory = apply_notes_locked(local);
  const std::uint64_t notes = notes_since_scan_.load(std::memory_order_relaxed);
  if (!has_memory || notes > std::max<std::uint64_t>(tree_.count(), kNotesMin)) drop_locked(local);
}

std::size_t OrderedSide::charged_bytes() const noexcept {
  const std::shared_lock lock(mutex_);
  return tree_.charged_bytes();
}

void OrderedSide::clear(Local& local) noexcept {
  const std::unique_lock lock(mutex_);
  drop_locked(local);
}

void OrderedSide::check(Local& local) {
  const std::unique_lock lock(mutex_);
  if (!is_active()) return;
  if (!apply_notes_locked(local)) return drop_locked(local);
  tree_.check();
  table_.walk([&](Bucket& root) {
    table_.for_each_locked(root, [&](SlotPlace place) {
      const Record record = place.record();
      ASHLAR_ASSERT(tree_.contains(record.key(record.shape())), "S1: the tree has every key");
    });
  });
}

}  // namespace ashlar::memory
