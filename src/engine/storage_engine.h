/// \file
/// The waist of the house: what every storage engine does, and all that the layers above know of
/// it.
///
/// Invariants (kept by every engine):
///   C1  An operation list is visible whole or not at all, at every moment.
///   C3  Sequences never go back, and a snapshot sees every commit up to its own and none above.
///   T1  At latest, a key is absent from its deadline on; at a snapshot, if its deadline was not
///       after the moment at which the snapshot was taken.
///   M1 of memory_budget.h: what the engine holds stays within its budget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "ashlar/iterator.h"
#include "ashlar/result.h"
#include "ashlar/stats.h"
#include "ashlar/value.h"
#include "engine/commit.h"
#include "engine/cursor.h"
#include "engine/operation.h"
#include "engine/reclaim_log.h"
#include "engine/view.h"

namespace ashlar::engine {

/// Keys, values and deadlines, readable at any snapshot.
///
/// Callers have checked the limits of keys and values. A call that throws `std::bad_alloc` has
/// changed nothing.
///
/// Threads: thread-safe.
class StorageEngine {
 public:
  StorageEngine() = default;
  StorageEngine(const StorageEngine&) = delete;
  StorageEngine& operator=(const StorageEngine&) = delete;
  virtual ~StorageEngine() = default;

  /// Makes all of `operations` visible as one commit, in their order. `commit` may be null when no
  /// log is to hear of it.
  ///
  /// Returns: of one erase alone, 1 when its key was there and 0 when it was not; of any other list
  ///          nothing to rely on
  /// Errors:  kOutOfSpace  the memory budget is used up; nothing happened
  ///          kBusy        `commit` was refused by its log; nothing happened
  ///          kIo, kCorruption, kUnavailable  of an engine with files of its own; nothing happened
  virtual Result<std::size_t> apply(std::span<const Operation> operations, Commit* commit) = 0;
  Result<std::size_t> apply(std::span<const Operation> operations) {
    return apply(operations, nullptr);
  }

  /// Gives the existing `key` the deadline `deadline_ms`, as one commit. When the key is absent
  /// `commit` does not get into its log.
  ///
  /// Returns: the deadline that it had, or nullopt when the key is absent
  /// Errors:  as for `apply`
  virtual Result<std::optional<TimeMs>> expire(std::string_view key, TimeMs deadline_ms,
                                               Commit* commit) = 0;
  Result<std::optional<TimeMs>> expire(std::string_view key, TimeMs deadline_ms) {
    return expire(key, deadline_ms, nullptr);
  }

  /// Starts loading what writes of `keys`, soon to come, will look at. A hint: it changes nothing
  /// that anyone could tell, and an engine may do without.
  virtual void prefetch(std::span<const std::string_view> /*keys*/) const noexcept {}

  /// Reads `key`. `value` and `deadline_ms` may be null when they are not asked for.
  ///
  /// Returns: true when the key is there; otherwise neither is touched in a way to rely on
  /// Errors:  kIo, kCorruption, kOutOfSpace  of an engine with files of its own
  virtual Result<bool> get(std::string_view key, const View& view, Value* value,
                           TimeMs* deadline_ms) const = 0;

  /// Reads all of `keys` at one moment into `values`, which has the same size.
  ///
  /// Errors: as `get`; what is in `values` then is nothing to rely on
  virtual Result<void> multi_get(std::span<const std::string_view> keys, const View& view,
                                 std::span<std::optional<Value>> values) const = 0;

  /// Opens a walk over `range`. At latest it takes a snapshot of its own.
  ///
  /// Errors: kOutOfSpace  the memory budget has no room for what the walk needs
  virtual Result<std::unique_ptr<Cursor>> scan(const Range& range, const View& view) = 0;

  /// One key of a walk over all. The views are good for the call.
  struct Row {
    std::string_view key;
    std::string_view value;
    TimeMs deadline_ms;
  };
  using RowVisitor = std::function<Result<void>(const Row&)>;

  /// Hands out every key with its latest value, one that is past its deadline only while that is
  /// still to be told (`tell_reclaims`), in no order and at no one moment: of a key that is
  /// written meanwhile any of its values, or none, or one more than once. Every commit that had got
  /// into its log before the call is in what is seen, or superseded. An error of `visit` ends it.
  ///
  /// Cost: memory for a few keys at a time; no lock is held while `visit` runs
  virtual Result<void> visit_all(const RowVisitor& visit) = 0;

  /// Takes a snapshot; each is released once, by its sequence.
  ///
  /// Errors: kUnavailable  no sequence is left for another snapshot
  virtual Result<View> acquire_snapshot() = 0;
  virtual void release_snapshot(Sequence sequence) noexcept = 0;

  /// Does what is due in the background: reclaims expired keys and versions no snapshot needs,
  /// gives memory back. Takes no long lock; one caller at a time works, others return at once.
  ///
  /// Returns: in how many milliseconds to call again, or nullopt when nothing is pending
  virtual std::optional<TimeMs> maintain() = 0;

  /// Registers what `maintain` needs to be called for when nothing was pending before: `wake` is
  /// called from writers, rarely, and must only set a flag or signal a condition.
  virtual void on_work(void (*wake)(void*), void* context) noexcept = 0;

  /// From now on `log` hears of every key that goes at its deadline or makes room, before it goes;
  /// one that it does not take stays, and is tried again. So the engine keeps a key that is past
  /// its deadline until it has told of it. Before the first operation.
  ///
  /// Lifetime: `log` must stay until nothing is called any more
  virtual void tell_reclaims(ReclaimLog& /*log*/) noexcept {}

  /// Returns when every commit has been shown, or refused, that was on its way at the call and may
  /// be shown with a sequence above that of a snapshot taken later. An engine that announces a
  /// commit again when a snapshot comes between (engine::Commit::announce) has nothing to wait for.
  ///
  /// Cost: as long as a writer holds the locks of the engine
  virtual void wait_for_commits() = 0;

  /// Takes `bytes` of the memory budget for what belongs to the database and not to the engine,
  /// which makes room for it where it can.
  ///
  /// Returns: false, and takes nothing, when there is no room
  virtual bool take_memory(std::size_t bytes) = 0;
  virtual void give_back_memory(std::size_t bytes) noexcept = 0;

  virtual Stats stats() const = 0;
  virtual std::size_t memory_bytes() const noexcept = 0;
  virtual std::size_t snapshot_count() const noexcept = 0;

  /// Walks everything and aborts when an invariant is broken. No writer may be active meanwhile.
  virtual void check() const = 0;
};

}  // namespace ashlar::engine
