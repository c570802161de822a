/// \file
/// What a `Db` consists of, and the checks that stand before every call to its engine.
///
/// Invariants:
///   D1  After `close` succeeded no call reaches the engine, except letting go of what is held.
///   D2  A snapshot or iterator that was handed out keeps `close` from succeeding.
///   D3  A read at latest does no read-modify-write and no store to shared memory here.
///   D4  `std::bad_alloc` does not leave the library; it becomes kOutOfSpace.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ashlar/db.h"
#include "base/assert.h"
#include "base/thread_safety.h"
#include "db/background.h"
#include "db/bounds.h"
#include "db/directory.h"
#include "db/journal.h"
#include "db/replay_clock.h"
#include "db/values/value_store.h"
#include "engine/persistent_engine.h"
#include "os/clock.h"
#include "os/posix_disk.h"
#include "txn/announcement.h"
#include "txn/conflicts.h"
#include "txn/key_locks.h"

namespace ashlar::db {

/// Of the life of a database.
enum class Phase : std::uint8_t {
  kOpen,
  kClosing,  ///< A `close` is finding out whether something is held. Calls still go through.
  kClosed,
};

[[gnu::cold]] inline Error out_of_memory() noexcept {
  return Error::of_literal(ErrorCode::kOutOfSpace, "the process is out of memory");
}

[[gnu::cold]] inline Error closed() noexcept {
  return Error::of_literal(ErrorCode::kClosed, "the database is closed");
}

/// A commit where there is no log.
class UnloggedCommit final : public engine::Commit {
 public:
  explicit UnloggedCommit(txn::Announcement& announcement) noexcept : announcement_(announcement) {}
  void announce(Sequence sequence) noexcept override { announcement_.announce(sequence); }
  bool append() noexcept override { return announcement_.is_good(); }

 private:
  txn::Announcement& announcement_;
};

/// The answer of `call`, or kOutOfSpace when it ran out of memory (D4).
template <typename Call>
auto at_border(Call&& call) -> decltype(std::forward<Call>(call)()) {
  try {
    return std::forward<Call>(call)();
  } catch (const std::bad_alloc&) {
    return std::unexpected(out_of_memory());
  }
}

}  // namespace ashlar::db

namespace ashlar {

/// Threads: thread-safe, except the destructor.
struct Db::Impl {
  Impl(const Options& given_options, const os::Clock* given_clock)
      : options(given_options),
        real_clock(given_clock != nullptr ? *given_clock : system_clock),
        replay_clock(real_clock),
        clock(given_options.directory.empty() ? real_clock : replay_clock) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  bool is_closed() const noexcept {
    // Acquire pairs with the store in `close`: who sees the end sees all that came before it.
    return phase.load(std::memory_order_acquire) == db::Phase::kClosed;
  }

  /// Whether a read of `key` at `snapshot` may go to the engine.
  bool accepts_read(std::string_view key, const Snapshot* snapshot) const noexcept {
    return !is_closed() && db::is_key_allowed(key, options) && is_readable(snapshot);
  }

  /// Whether a write of `value` to `key` may go to the engine.
  bool accepts_write(std::string_view key, std::string_view value) const noexcept {
    return !is_closed() && db::is_key_allowed(key, options) && db::is_value_allowed(value, options);
  }

  /// Why `accepts_write` said no.
  [[gnu::cold, gnu::noinline]] Error write_refusal(std::string_view key,
                                                   std::string_view value) const;

  /// Whether `snapshot` is none, or one of this database that is still held.
  bool is_readable(const Snapshot* snapshot) const noexcept {
    return snapshot == nullptr || snapshot->engine_ == engine.get();
  }

  /// Why `accepts_read` said no.
  [[gnu::cold, gnu::noinline]] Error read_refusal(std::string_view key,
                                                  const Snapshot* snapshot) const;

  /// Errors: kClosed, kInvalidArgument  as for all calls
  Result<void> check_read(std::string_view key, const Snapshot* snapshot) const {
    if (accepts_read(key, snapshot)) [[likely]]
      return {};
    return std::unexpected(read_refusal(key, snapshot));
  }
  Result<void> check_key(std::string_view key) const { return check_read(key, nullptr); }

  /// The moment at which a read at `snapshot` is made.
  static engine::View view_of(const Snapshot* snapshot) noexcept {
    if (snapshot == nullptr) return engine::kLatest;
    return {.sequence = snapshot->sequence_, .taken_at_ms = snapshot->taken_at_ms_};
  }

  /// The operation that stores `value` under `key`; an erase when `expiry` is in the past, since
  /// the key is then gone at once.
  engine::Operation put_of(std::string_view key, std::string_view value, Expiry expiry) const {
    if (expiry.is_never()) return {.key = key, .value = value};
    return put_with_deadline(key, value, expiry);
  }
  engine::Operation put_with_deadline(std::string_view key, std::string_view value,
                                      Expiry expiry) const;

  /// As `StorageEngine::apply` and `expire`, through the log where there is one, and told to
  /// transactions. `validation` is null for a commit of none, which has no `old_values` either.
  Result<std::size_t> apply(std::span<const engine::Operation> operations, Durability durability,
                            txn::Validation* validation = nullptr,
                            std::span<const std::optional<Value>> old_values = {}) {
    if (options.history_has_old_values && validation == nullptr) [[unlikely]] {
      return apply_over_old_values(operations, durability);
    }
    txn::Announcement announcement(*conflicts, operations, validation);
    if (journal != nullptr) {
      return journal->apply(operations, announcement, durability, old_values);
    }
    db::UnloggedCommit commit(announcement);
    return engine->apply(operations, &commit);
  }
  Result<std::optional<engine::TimeMs>> expire(std::string_view key, engine::TimeMs deadline_ms,
                                               Durability durability) {
    const engine::Operation put{.key = key, .value = {}, .deadline_ms = deadline_ms};
    txn::Announcement announcement(*conflicts, {&put, 1}, nullptr);
    if (journal != nullptr) return journal->expire(key, deadline_ms, announcement, durability);
    db::UnloggedCommit commit(announcement);
    return engine->expire(key, deadline_ms, &commit);
  }

  /// As `apply`, for a history with the values that were there before: read first, and once more if
  /// another commit has come between.
  Result<std::size_t> apply_over_old_values(std::span<const engine::Operation> operations,
                                            Durability durability);

  /// What the keys of `operations` have at `view`; nothing where the history does not tell of that.
  ///
  /// Errors: as `StorageEngine::multi_get`
  Result<std::vector<std::optional<Value>>> old_values_of(
      std::span<const engine::Operation> operations, const engine::View& view) const;

  /// Returns when all that shows by now is as durable as `durability` asks.
  ///
  /// Errors: kUnavailable  the log is poisoned, and some of it may not survive
  Result<void> make_shown_durable(Durability durability) {
    if (journal == nullptr || durability != Durability::kDisk) return {};
    return journal->make_shown_durable();
  }

  /// Whether the database is still open for what a caller has just got hold of (D2).
  bool is_open_for_holders();

  /// Errors: as `Db::close`
  Result<void> close();

  // Set at construction, or by `Access::open` before anyone else sees it.
  const Options options;
  const os::SystemClock system_clock;
  os::PosixDisk system_disk;
  const os::Clock& real_clock;
  db::ReplayClock replay_clock;  // Of a database with a directory.
  const os::Clock& clock;
  db::Background background;                 // Before the engine, which holds on to it.
  std::unique_ptr<db::Directory> directory;  // Null without one. Its lock goes last.
  std::unique_ptr<db::ValueStore> values;    // Of an engine with files; null without one.
  std::unique_ptr<engine::StorageEngine> engine;
  engine::PersistentEngine* persistent = nullptr;  // The same, when it keeps its rows in files.
  std::unique_ptr<txn::Conflicts> conflicts;       // Of the engine.
  std::unique_ptr<db::Journal> journal;            // Null without a directory.
  txn::KeyLocks key_locks;

  // Atomic, so that reads learn of the end by one load (D3). Written under `close_mutex`.
  std::atomic<db::Phase> phase = db::Phase::kOpen;

  base::Mutex close_mutex;  // Makes one decision of closing at a time.
};

}  // namespace ashlar
