// Of the three steps in conflict_table.h the first and the second are here; the engine has the
// third, and repeats the first as long as it must.

#include "txn/announcement.h"

#include <algorithm>

#include "base/assert.h"

namespace ashlar::txn {

Validation::Validation(const World& world, std::span<const engine::Operation> operations)
    : world_(world), operations_(operations) {
  const ConflictTable& keys = world_.entered.tables->keys;
  const bool counts = world_.writes == Writes::kFirstCommitterWins;
  own_.reserve(operations.size());
  for (const engine::Operation& operation : operations) {
    own_.push_back({.slot = keys.slot_of(operation.key), .counts = counts});
    keys.prefetch(own_.back().slot);
  }
  std::ranges::sort(own_, {}, &Own::slot);
  const auto repeated = std::ranges::unique(own_, {}, &Own::slot);
  own_.erase(repeated.begin(), repeated.end());
  for (const std::size_t slot : world_.reads.slots()) {
    if (Own* const own = find_own(slot)) own->counts = true;
  }
}

/// Returns: null when nothing that is written has this slot
Validation::Own* Validation::find_own(std::size_t slot) noexcept {
  const auto found = std::ranges::lower_bound(own_, slot, {}, &Own::slot);
  return found != own_.end() && found->slot == slot ? &*found : nullptr;
}

/// A word that has been announced here before must be as it was left; else somebody who shares it
/// came between. Found the first time, it is held against the snapshot as what was read is.
void Validation::announce(Sequence stamp) noexcept {
  Conflicts::Tables& tables = *world_.entered.tables;
  for (Own& own : own_) {
    const auto [before, now] = tables.keys.announce(own.slot, stamp);
    const bool is_mine = own.is_announced && before == own.word;
    if (!is_mine && own.counts && ConflictTable::stamp_in(before) > world_.snapshot) {
      was_overtaken_ = true;
    }
    own.word = now;
    own.is_announced = true;
  }
  for (const engine::Operation& operation : operations_) {
    tables.ring.announce(operation.key, stamp, world_.entered.owner);
  }
}

bool Validation::is_unchanged(std::size_t slot) noexcept {
  const ConflictTable::Word word = world_.entered.tables->keys.word(slot);
  if (ConflictTable::stamp_in(word) <= world_.snapshot) return true;
  const Own* const own = find_own(slot);
  return own != nullptr && own->word == word;
}

bool Validation::is_good() noexcept {
  for (const std::size_t slot : world_.reads.slots()) world_.entered.tables->keys.prefetch(slot);
  was_good_ = !was_overtaken_ && world_.conflicts.is_told_all(world_.entered) &&
              std::ranges::all_of(world_.reads.slots(),
                                  [this](std::size_t slot) { return is_unchanged(slot); }) &&
              are_ranges_unchanged();
  return was_good_;
}

bool Validation::is_in_a_range(const CommitRing::Written& written) const noexcept {
  return std::ranges::any_of(world_.reads.ranges(),
                             [&](const PassedRange& range) { return range.may_have(written); });
}

/// Entries from before the transaction count as well where their stamps are above the snapshot: a
/// commit may have announced its keys by then and be shown later.
bool Validation::are_ranges_unchanged() const noexcept {
  if (world_.reads.ranges().empty()) return true;
  const CommitRing& ring = world_.entered.tables->ring;
  const auto is_harmless = [&](const CommitRing::Written& written) {
    return written.stamp <= world_.snapshot || written.owner == world_.entered.owner ||
           !is_in_a_range(written);
  };
  for (std::uint64_t at = world_.entered.ring_head; at > 0; --at) {
    const auto written = ring.read(at - 1);
    if (!written) return false;
    if (written->stamp <= world_.snapshot) break;
    if (!is_harmless(*written)) return false;
  }
  const std::uint64_t end = ring.head();
  for (std::uint64_t at = world_.entered.ring_head; at < end; ++at) {
    const auto written = ring.read(at);
    if (!written || !is_harmless(*written)) return false;
  }
  return true;
}

}  // namespace ashlar::txn
