/// \file
/// The disk engine. Its functions stand in files by what they do: read.cc, write.cc, scan.cc,
/// tell.cc (keys past their deadline), engine_core.cc (the rest). What happens beside callers is in
/// upkeep/.
///
/// A write is appended to the log and to the active memtable under one mutex, so that both have it
/// in the same order. A read finds the current state by one load, inside a guard, and takes no
/// lock.
///
/// Invariants:
///   V35  A reader loads the state before the sequence that it reads at. So what it sees of tables
///        and full memtables is at or below that sequence, and of the active one nothing above it.
///   C1, C3, T1 of storage_engine.h, M1 of memory_budget.h
///
/// Locks, in the order in which they are taken: that of the telling, the write mutex, those of the
/// upkeep, of the catalog, of the states, of the cache; that of the snapshots is a leaf.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/epoch.h"
#include "base/hash.h"
#include "base/memory/memory_budget.h"
#include "base/thread_safety.h"
#include "lsm/disk_engine.h"
#include "lsm/engine/catalog.h"
#include "lsm/engine/row_operations.h"
#include "lsm/engine/snapshots.h"
#include "lsm/upkeep/upkeep.h"
#include "lsm/values/apart_values.h"
#include "table/block_cache.h"
#include "table/rows/cache_shares.h"

namespace ashlar::lsm {

class DiskEngine final : public engine::PersistentEngine {
 public:
  /// Errors: as `open_disk_engine`
  static Result<std::unique_ptr<DiskEngine>> open(const DiskEngineWorld& world);
  ~DiskEngine() override;

  using engine::StorageEngine::apply;
  using engine::StorageEngine::expire;
  Result<std::size_t> apply(std::span<const engine::Operation> operations,
                            engine::Commit* commit) override;
  Result<std::optional<engine::TimeMs>> expire(std::string_view key, engine::TimeMs deadline_ms,
                                               engine::Commit* commit) override;
  Result<bool> get(std::string_view key, const engine::View& view, Value* value,
                   engine::TimeMs* deadline_ms) const override;
  Result<void> multi_get(std::span<const std::string_view> keys, const engine::View& view,
                         std::span<std::optional<Value>> values) const override;
  Result<std::unique_ptr<engine::Cursor>> scan(const Range& range,
                                               const engine::View& view) override;
  Result<void> visit_all(const RowVisitor& visit) override;
  Result<engine::View> acquire_snapshot() override;
  void release_snapshot(Sequence sequence) noexcept override;
  std::optional<engine::TimeMs> maintain() override;
  void on_work(void (*wake)(void*), void* context) noexcept override;
  void tell_reclaims(engine::ReclaimLog& log) noexcept override;
  void wait_for_commits() override { const base::MutexLock lock(write_mutex_); }
  bool take_memory(std::size_t bytes) override;
  void give_back_memory(std::size_t bytes) noexcept override { budget_.give_back(bytes); }
  Stats stats() const override;
  std::size_t memory_bytes() const noexcept override;
  std::size_t snapshot_count() const noexcept override;
  void check() const override;

  engine::LogPlace flushed_place() const override;
  Result<void> start(engine::LogControl& log, engine::Background background) override;
  Result<void> flush() override;
  std::unique_ptr<engine::HeldFiles> hold_files() override;
  bool refers_to(const engine::ValuePiece& piece) const override {
    return values_.ledger().refers_to(piece);
  }
  Result<void> compact() override;
  void stop() noexcept override;

 private:
  /// A row as it was found, good while the guard is open under which it was.
  struct Row {
    engine::OperationKind kind;
    engine::TimeMs deadline_ms;
    std::string_view value;
  };
  static Row row_of(const auto& found) noexcept {
    return {.kind = found.kind, .deadline_ms = found.deadline_ms, .value = found.value};
  }
  /// A key that is there, copied.
  struct Present {
    engine::TimeMs deadline_ms;
    Value value;
  };
  /// What a walk or a read of many keys holds on to.
  struct Held {
    base::Ref<const State> state;
    Sequence sequence = 0;
  };

  explicit DiskEngine(const DiskEngineWorld& world);
  Result<void> load(const TableStore::Identity& identity);
  Result<MemtableRef> make_memtable(std::uint64_t log_begin);
  Result<void> expect_values() const;
  void add_work(Stats& stats) const;
  void add_telling(const State& state, Stats& stats) const;
  std::uint64_t hash_of(std::string_view key) const noexcept {
    return base::hash_key(key, hash_seed_);
  }

  // So many keys of a `multi_get` are read under one guard: a guard that stays open keeps what is
  // evicted meanwhile from being used again (table/cache/room.h).
  static constexpr std::size_t kKeysPerGuard = 32;
  struct KeyRead;

  // read.cc
  static std::optional<Row> find_in_memtables(const State& state, std::string_view key,
                                              std::uint64_t hash, Sequence sequence) noexcept;
  Result<std::optional<Row>> find(const State& state, std::string_view key, std::uint64_t hash,
                                  Sequence sequence) const;
  bool is_visible(const Row& row, const engine::View& view) const noexcept;
  Result<void> copy_value(const Row& row, Value& to) const;
  Result<bool> read(const State& state, Sequence sequence, std::string_view key,
                    const engine::View& view, Value* value, engine::TimeMs* deadline_ms) const;
  Held hold(const engine::View& view) const;

  // read_group.cc
  Result<void> read_group(const State& state, Sequence sequence,
                          std::span<const std::string_view> keys, const engine::View& view,
                          std::span<std::optional<Value>> values) const;
  static Result<void> find_in_tables(const State& state, std::span<KeyRead> reads);
  Sequence visible() const noexcept {
    // Acquire: partner of the release in `insert_all`; who sees the sequence sees its rows.
    return visible_.load(std::memory_order_acquire);
  }

  // write.cc
  void keep_pace(std::span<const engine::Operation> operations);
  Result<std::optional<Present>> find_present(std::string_view key) const;
  Result<std::size_t> erase_one(const engine::Operation& erase, engine::Commit* commit);
  Result<void> apply_locked(RowOperations& operations, engine::Commit* commit)
      ASHLAR_REQUIRES(write_mutex_);
  template <typename Append>
  bool announced_locked(engine::Commit& commit, Append append) ASHLAR_REQUIRES(write_mutex_);
  bool is_full_locked() const noexcept ASHLAR_REQUIRES(write_mutex_);
  Result<void> make_room_locked(std::span<const engine::Operation> operations)
      ASHLAR_REQUIRES(write_mutex_);
  Result<void> reserve_locked(std::span<const engine::Operation> operations)
      ASHLAR_REQUIRES(write_mutex_);
  Result<void> reserve_behind_readers_locked(std::span<const engine::Operation> operations)
      ASHLAR_REQUIRES(write_mutex_);
  Result<void> rotate_locked() ASHLAR_REQUIRES(write_mutex_);
  void insert_all(RowOperations& operations, const engine::Commit* commit) noexcept
      ASHLAR_REQUIRES(write_mutex_);
  std::uint64_t insert_rows(RowOperations& operations, const engine::Commit* commit) noexcept
      ASHLAR_REQUIRES(write_mutex_);
  void note_deadline(engine::TimeMs deadline_ms) noexcept ASHLAR_REQUIRES(write_mutex_);

  // tell.cc
  /// How a look for keys past their deadline has ended. kRefused: the log takes nothing now.
  enum class Told : std::uint8_t { kAll, kSome, kRefused };
  /// A look at the rows of one part of the state.
  struct Telling {
    engine::TimeMs from_ms = 0;               // What has an earlier deadline was told of before.
    engine::TimeMs now_ms = 0;                // What has a later one is left.
    engine::TimeMs next_ms = engine::kNever;  // The earliest of those.
  };
  /// Where a look at a table goes on that did not come to its end.
  struct TellingRest {
    std::uint64_t number = 0;  // Of the table; 0: there is none.
    std::string key = {};
    Telling telling = {};
  };
  Result<bool> is_past_deadline(std::string_view key) const;
  Result<bool> tell_expired(std::string_view key);
  Result<Told> tell_rows(engine::RowCursor& rows, Telling& telling, std::size_t& left);
  Result<Told> tell_memtable(SharedMemtable& memtable, std::size_t& left)
      ASHLAR_REQUIRES(telling_mutex_);
  Result<Told> tell_table(const TableRef& table, std::size_t& left) ASHLAR_REQUIRES(telling_mutex_);
  Result<Told> tell_some(std::size_t count_max) ASHLAR_REQUIRES(telling_mutex_);
  Result<void> tell_all();
  std::optional<engine::TimeMs> tell_in_background();
  std::optional<engine::TimeMs> next_telling(engine::TimeMs pause_ms);
  bool is_started() const;
  static engine::TimeMs first_untold_in(const State& state) noexcept;

  // Set at construction. Tables and states need what stands before them, and go first.
  const os::Clock& clock_;
  os::Disk& disk_;
  const std::string directory_;
  const EngineSettings settings_;
  base::MemoryBudget budget_;
  SpareArenas spares_;
  mutable base::EpochDomain domain_;
  ApartValues values_;

  // Set by `load`.
  std::unique_ptr<table::BlockCache> cache_;
  std::unique_ptr<table::RowCache> rows_;
  std::unique_ptr<table::CacheShares> shares_;  // Of the two.
  std::unique_ptr<CachedValues> cached_values_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Upkeep> upkeep_;
  std::uint64_t hash_seed_ = 0;

  mutable Snapshots snapshots_;

  std::atomic<Sequence> visible_{0};  // Of the last commit. Written under `write_mutex_`.
  mutable base::Mutex write_mutex_;
  MemtableRef active_ ASHLAR_GUARDED_BY(write_mutex_);  // That of the current state.
  engine::LogControl* log_ ASHLAR_GUARDED_BY(write_mutex_) = nullptr;
  // When `maintain` comes back for a deadline that is ahead; kNever: not at all; 0: soon.
  engine::TimeMs next_telling_ms_ ASHLAR_GUARDED_BY(write_mutex_) = engine::kNever;

  base::Mutex telling_mutex_;  // One looks for keys past their deadline at a time.
  TellingRest telling_rest_ ASHLAR_GUARDED_BY(telling_mutex_);
  std::chrono::steady_clock::duration telling_took_ ASHLAR_GUARDED_BY(telling_mutex_) = {};

  // By `tell_reclaims`, before the first operation; null: no log is to hear of what expires. By
  // `start` and `on_work`, before anything may wake anybody.
  engine::ReclaimLog* reclaims_ = nullptr;
  engine::Background background_ = engine::Background::kCallers;
  void (*wake_)(void*) = nullptr;
  void* wake_context_ = nullptr;

  // Figures. Stored by the writer.
  std::atomic<std::uint64_t> put_count_{0};
  std::atomic<std::uint64_t> erase_count_{0};
  std::atomic<std::uint64_t> refused_count_{0};
  std::atomic<std::uint64_t> expired_count_{0};
  std::atomic<std::uint64_t> expiry_lag_ms_max_{0};
};

}  // namespace ashlar::lsm
