/// \file
/// What a reader sees: the memtables and the tables of one moment. A state never changes, but for
/// what is added to its active memtable; a rotation, a flush or a compaction makes the next one.
///
///     active    the memtable that is written to
///     full      those that are being written out, the newest last
///     version   the tables
///
/// Invariants:
///   V14  A row in one of these parts is newer than every row of its key in the parts that follow;
///        and so among those that are full, from the last to the first.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/epoch.h"
#include "base/ref.h"
#include "engine/log_place.h"
#include "lsm/memtable/memtable.h"
#include "lsm/values/value_ledger.h"
#include "lsm/version.h"

namespace ashlar::lsm {

/// A memtable with owners.
class SharedMemtable final : public base::Counted {
 public:
  /// Input: values  the range of the log that its rows may refer to; null: they do not
  explicit SharedMemtable(std::unique_ptr<Memtable> memtable,
                          std::unique_ptr<LogRangeHold> values = nullptr) noexcept
      : memtable_(std::move(memtable)), values_(std::move(values)) {}
  ~SharedMemtable() override = default;

  Memtable& operator*() const noexcept { return *memtable_; }
  Memtable* operator->() const noexcept { return memtable_.get(); }

  /// Counts values that stand apart. For who writes to it.
  void add_apart(std::uint64_t bytes) noexcept {
    if (bytes == 0) return;
    ASHLAR_ASSERT(values_ != nullptr, "V42: a memtable with values that stand apart keeps them");
    if (apart_bytes_ == 0) values_->use();
    apart_bytes_ += bytes;
  }
  std::uint64_t apart_bytes() const noexcept { return apart_bytes_; }

  /// Tells that nothing of the log before `place` will be in it.
  void begin_values_at(const engine::LogPlace& place) const noexcept {
    if (values_ != nullptr) values_->begin_at(place.position);
  }

  /// Tells that nothing of the log behind `place` is in it: it is full.
  void end_values_at(const engine::LogPlace& place) const noexcept {
    if (values_ != nullptr) values_->end_at(place.position);
  }

  /// The earliest deadline of a row that was not told of; kNever while there is none.
  engine::TimeMs untold_ms() const noexcept { return untold_ms_.load(std::memory_order_relaxed); }

  /// A row with that deadline is to be told of. One writer at a time, as for `forget_untold`.
  void note_untold(engine::TimeMs deadline_ms) noexcept {
    untold_ms_.store(std::min(untold_ms(), deadline_ms), std::memory_order_relaxed);
  }
  /// Somebody begins to look at every row, and will note those that are left.
  void forget_untold() noexcept { untold_ms_.store(engine::kNever, std::memory_order_relaxed); }

  /// Behind the last commit in it. Set when it is full, before it is in a state as such.
  engine::LogPlace end;

 private:
  const std::unique_ptr<Memtable> memtable_;
  const std::unique_ptr<LogRangeHold> values_;
  std::uint64_t apart_bytes_ = 0;  // Of the one who writes to it.
  // Written under the mutex of writers, who are asked for nothing by who reads it.
  std::atomic<engine::TimeMs> untold_ms_{engine::kNever};
};

using MemtableRef = base::Ref<SharedMemtable>;

/// A version with owners.
class SharedVersion final : public base::Counted, public Version {
 public:
  explicit SharedVersion(Version version) noexcept : Version(std::move(version)) {}
  ~SharedVersion() override = default;
};

/// Threads: immutable once it is current.
class State final : public base::Counted, public base::Retired {
 public:
  State(MemtableRef first, base::Ref<const SharedVersion> tables) noexcept
      : active(std::move(first)), version(std::move(tables)) {}

  /// One that is like another, to be changed before it is current.
  State(const State& other)
      : Counted(), Retired(other), active(other.active), full(other.full), version(other.version) {}
  State& operator=(const State&) = delete;
  ~State() override = default;

  /// Puts `next` in the place of the active memtable, which is full.
  void rotate(MemtableRef next) {
    full.push_back(std::move(active));
    active = std::move(next);
  }

  MemtableRef active;
  std::vector<MemtableRef> full;
  base::Ref<const SharedVersion> version;

 private:
  friend class States;
  base::Ref<State> self_;  // Of one that readers may see: keeps it until they have gone.
};

}  // namespace ashlar::lsm
