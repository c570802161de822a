/// \file
/// The in-memory engine. Its functions stand in files by what they do: read.cc, write/write.cc,
/// write/write_plain.cc, write/announce.cc, expire.cc, evict.cc, reclaim.cc (the background),
/// scan.cc, visit_all.cc, memory_engine.cc (the rest).
///
/// Locks, in the order in which they are taken: the maintenance mutex, a thread's `Local`, the
/// ordered side, the evictor, buckets (ascending), then as leaves those of heap, pools and versions
/// and whatever a Commit takes (that of the log is its append mutex, which waits for no bucket).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ashlar/options.h"
#include "base/hash.h"
#include "base/memory/memory_budget.h"
#include "base/thread_safety.h"
#include "engine/storage_engine.h"
#include "memory/evictor.h"
#include "memory/expiry_wheel.h"
#include "memory/hash_table.h"
#include "memory/heap/record_heap.h"
#include "memory/local.h"
#include "memory/order/ordered_side.h"
#include "memory/versions.h"
#include "os/clock.h"

namespace ashlar::memory {

/// A mark in a record's scheduled tick: which sweep of the wheel has seen its entry. Sweeps take
/// turns with set and clear; a tick never reaches the bit.
inline constexpr std::uint64_t kSweepMark = std::uint64_t{1} << 63U;

/// Slots that a thread adds or removes before it tells the index: bounds how far the count is
/// behind.
inline constexpr std::int64_t kUnreportedSlotsMax = 16;

class MemoryEngine final : public engine::StorageEngine {
 public:
  /// The parts that reserve address space, made before the engine so that failing is easy.
  struct Parts {
    std::unique_ptr<base::MemoryBudget> budget;
    std::unique_ptr<RecordHeap> records;  // What slots lead to.
    std::unique_ptr<RecordHeap> nodes;    // Notes of the ordered side, and its tree.
    std::unique_ptr<HashTable> table;     // Leads to `records`, and owns none of them.
    std::unique_ptr<Heat> heat;           // Null unless keys are evicted.
    std::unique_ptr<Evictor> evictor;     // Likewise.
  };

  MemoryEngine(Parts parts, const os::Clock& clock);
  ~MemoryEngine() override;

  using engine::StorageEngine::apply;
  using engine::StorageEngine::expire;
  Result<std::size_t> apply(std::span<const engine::Operation> operations,
                            engine::Commit* commit) override;
  Result<std::optional<TimeMs>> expire(std::string_view key, TimeMs deadline_ms,
                                       engine::Commit* commit) override;
  void prefetch(std::span<const std::string_view> keys) const noexcept override;
  Result<bool> get(std::string_view key, const engine::View& view, Value* value,
                   TimeMs* deadline_ms) const override;
  Result<void> multi_get(std::span<const std::string_view> keys, const engine::View& view,
                         std::span<std::optional<Value>> values) const override;
  Result<std::unique_ptr<engine::Cursor>> scan(const Range& range,
                                               const engine::View& view) override;
  Result<void> visit_all(const RowVisitor& visit) override;
  Result<engine::View> acquire_snapshot() override;
  void release_snapshot(Sequence sequence) noexcept override;
  std::optional<TimeMs> maintain() override;
  void on_work(void (*wake)(void*), void* context) noexcept override;
  void tell_reclaims(engine::ReclaimLog& log) noexcept override { reclaims_ = &log; }
  void wait_for_commits() override {}  // See `draw_stamp`.
  bool take_memory(std::size_t bytes) override;
  void give_back_memory(std::size_t bytes) noexcept override { parts_.budget->give_back(bytes); }
  Stats stats() const override;
  std::size_t memory_bytes() const noexcept override;
  std::size_t snapshot_count() const noexcept override;
  void check() const override;

  // For cursors.

  /// Collects keys for a walk, bringing the ordered side up to date when it is not. `from` is the
  /// first key wanted, `before` the first no longer wanted (null: none); `position` as for
  /// `KeyTree::collect_from`.
  Result<void> collect_from(std::string_view from, std::size_t count_max, KeyList& out,
                            KeyTree::Position& position);
  Result<void> collect_before(const std::string_view* before, std::size_t count_max, KeyList& out);

  /// Reads the keys [begin, end) of `keys` at `view`, with their cache misses overlapped.
  void read_group(const KeyList& keys, std::size_t begin, std::size_t end, const engine::View& view,
                  std::span<std::optional<Value>> values) const;

 private:
  friend class WriteRun;

  /// Where a key is looked up, as of the moment at which the head of its chain was read.
  struct Lookup {
    std::string_view key;
    std::uint64_t hash = 0;
    const Bucket* root = nullptr;  // Where `hash` belonged when the head was read.
    std::uint64_t head = 0;        // Version and link of that moment; unlocked.
    bool is_found = false;         // Or else a move of the key has to be ruled out (H4).
  };
  /// What one unlocked read came to. kRetry: it overlapped a change, so what it saw does not count.
  enum class Attempt : std::uint8_t { kFound, kAbsent, kRetry };

  // read.cc
  bool is_expired(TimeMs deadline_ms, const engine::View& view) const noexcept {
    if (deadline_ms == engine::kNever) [[likely]]
      return false;
    return view.is_latest() ? clock_.is_past(deadline_ms) : deadline_ms <= view.taken_at_ms;
  }
  void start(Lookup& lookup) const noexcept;
  static bool is_unchanged(const Lookup& lookup) noexcept;
  bool is_valid(const Lookup& lookup) const noexcept;
  bool find_racy(const Lookup& lookup, Record& record) const noexcept;
  static bool find_version(const Lookup& lookup, const engine::View& view, Record& record) noexcept;
  bool try_read_plain(Lookup& lookup, Sequence sequence, Value& value) const noexcept;
  Attempt try_read(Lookup& lookup, const engine::View& view, Value* value,
                   TimeMs* deadline_ms) const;
  bool read(Lookup& lookup, const engine::View& view, Value* value, TimeMs* deadline_ms) const;
  bool read_locked(Lookup& lookup, const engine::View& view, Value* value,
                   TimeMs* deadline_ms) const;
  void prefetch_record(const Lookup& lookup) const noexcept;
  void read_overlapped(std::span<Lookup> lookups, const engine::View& view,
                       std::span<std::optional<Value>> values) const;

  // write/write_plain.cc
  /// A write of the plain kind, with what its steps need.
  struct PlainWrite {
    const engine::Operation& operation;
    engine::Commit* commit;
    std::uint64_t hash;
    Shape shape{0};  // Of the record to be, for a put.

    bool append() const noexcept { return commit == nullptr || commit->append(); }
  };
  /// The sequence that a commit stamps its records with, its buckets being locked: announced, and
  /// found current behind that (src/txn/conflict_table.h).
  Sequence draw_stamp(engine::Commit* commit) const noexcept {
    Sequence stamp = versions_.current();
    if (commit == nullptr) return stamp;
    while (true) {
      commit->announce(stamp);
      const Sequence now = versions_.current();
      if (now == stamp) [[likely]]
        return stamp;
      stamp = now;
    }
  }
  std::optional<std::size_t> try_plain(Local& local, const engine::Operation& operation,
                                       engine::Commit* commit) noexcept;
  std::optional<std::size_t> try_put_plain(Local& local, PlainWrite write) noexcept;
  std::optional<std::size_t> try_erase_plain(Local& local, const PlainWrite& write) noexcept;
  bool try_overwrite_locked(const PlainWrite& write, SlotPlace place) noexcept;
  bool try_insert_locked(Local& local, const PlainWrite& write, Bucket& root) noexcept;

  // write/write.cc
  Result<std::size_t> apply_list(Local& local, std::span<const engine::Operation> operations,
                                 engine::Commit* commit);
  char* allocate(Local& local, std::size_t bytes);
  void free_record(Local& local, Record record) noexcept {
    parts_.records->free(local.records, record.address(), record.shape().record_bytes());
  }
  void free_chain(Local& local, Record newest) noexcept;
  static void count_change(Local& local, Record old, Record now) noexcept;
  Error refuse(Local& local) const;
  static Error refused_by_log() noexcept;

  // write/announce.cc
  void report_slots(Local& local, std::int64_t added_count) noexcept {
    if (added_count < 0 && !local.has_news.load(std::memory_order_relaxed)) announce_free(local);
    local.unreported_slot_count += added_count;
    const std::int64_t count = local.unreported_slot_count;
    if (count <= -kUnreportedSlotsMax || count >= kUnreportedSlotsMax) pass_on_slots(local);
  }
  void pass_on_slots(Local& local) noexcept;
  static void set_news(Local& local) noexcept;
  void announce_free(Local& local) noexcept;
  void schedule(Local& local, std::uint64_t hash, Record record, std::uint64_t scheduled) noexcept;
  void keep_version(Local& local, std::uint64_t hash) noexcept;
  void report_notes(Local& local) noexcept;
  void wake_by(TimeMs deadline_ms) noexcept;

  // expire.cc
  enum class Changed : std::uint8_t { kYes, kNoMemory, kRefused, kAbsent };
  /// A change of a deadline, with what its steps need.
  struct DeadlineChange {
    std::uint64_t hash;
    SlotPlace place = {};
    TimeMs deadline_ms;
    engine::Commit* commit;

    bool append() const noexcept { return commit == nullptr || commit->append(); }
  };
  Changed change_deadline(Local& local, std::string_view key, DeadlineChange change,
                          TimeMs& before_ms) noexcept;
  Changed set_deadline_locked(Local& local, const DeadlineChange& change) noexcept;

  /// Whether `key`, which is locked, may go: the log has it, where one is to hear of it (J6).
  bool may_go(engine::Reclaimed why, std::string_view key) const noexcept {
    return reclaims_ == nullptr || reclaims_->append(why, key);
  }

  // evict.cc
  bool make_room(Local& local) noexcept;
  bool evict_one(Local& local) noexcept;
  bool evict_locked(Local& local, Bucket& root, SlotPlace place) noexcept;
  Evictor::Found look_at(Local& local, const Evictor::Candidate& candidate) noexcept;
  void take_admissions_locked(Local& local) noexcept ASHLAR_REQUIRES(evictor_mutex_);
  void admit(Local& local, std::uint64_t hash, Record old, Record now) noexcept;
  void touch(Record record) const noexcept {
    if (parts_.heat) parts_.heat->touch(parts_.records->offset_of(record.address()));
  }

  // reclaim.cc
  /// The state that a round of reclaiming is made against. What changed later is left for the next.
  struct Horizon {
    TimeMs now_ms;               // Deadlines up to here have passed.
    Sequence current;            // What was replaced later may be needed by a snapshot to come.
    std::vector<Sequence> live;  // Of the snapshots held, ascending.
    bool is_needed(Sequence written, Sequence replaced) const noexcept;
  };
  /// Why a key is looked at: it waits for a snapshot, its entry came up at its tick, or before it.
  enum class Occasion : std::uint8_t { kGarbage, kAtTick, kNearing };
  bool tend(Local& local, std::uint64_t hash, const Horizon& horizon, Occasion occasion)
      ASHLAR_REQUIRES(maintenance_mutex_);
  /// What a look at a record came to. kUntold: it would go, and the log does not take that now.
  enum class Tended : std::uint8_t { kDone, kRemains, kUntold };
  Tended tend_record(Local& local, Bucket& root, SlotPlace place, std::uint64_t hash,
                     const Horizon& horizon) ASHLAR_REQUIRES(maintenance_mutex_);
  void reschedule(std::uint64_t hash, Record record, const Horizon& horizon, Occasion occasion)
      ASHLAR_REQUIRES(maintenance_mutex_);
  bool trim(Local& local, Record newest, const Horizon& horizon) noexcept;
  void remove_slot_locked(Local& local, Bucket& root, SlotPlace place, std::uint64_t hash) noexcept;
  bool gather_news() ASHLAR_REQUIRES(maintenance_mutex_);
  void file_expiries(base::ChunkedQueue& inbox) ASHLAR_REQUIRES(maintenance_mutex_);
  void keep_unfiled(std::uint64_t hash) ASHLAR_REQUIRES(maintenance_mutex_);
  void keep_untold(std::uint64_t hash, const Horizon& horizon) ASHLAR_REQUIRES(maintenance_mutex_);
  void tell_untold(Local& local, const Horizon& horizon) ASHLAR_REQUIRES(maintenance_mutex_);
  void keep_for_later(base::ChunkedQueue& queue, std::uint64_t hash)
      ASHLAR_REQUIRES(maintenance_mutex_);
  void run_wheel(Local& local, const Horizon& horizon) ASHLAR_REQUIRES(maintenance_mutex_);
  void sweep_wheel() ASHLAR_REQUIRES(maintenance_mutex_);
  void tend_garbage(Local& local, const Horizon& horizon) ASHLAR_REQUIRES(maintenance_mutex_);
  bool any_news();
  std::optional<TimeMs> next_maintenance(bool was_busy) ASHLAR_REQUIRES(maintenance_mutex_);

  std::int64_t sum(OwnedCounter Counters::* counter) const noexcept;
  std::uint64_t hash_of(std::string_view key) const noexcept {
    return base::hash_key(key, parts_.table->hash_seed());
  }

  // Set at construction.
  Parts parts_;
  const os::Clock& clock_;
  // By `on_work`, before the first call that may wake anybody.
  void (*wake_)(void*) = nullptr;
  void* wake_context_ = nullptr;
  // By `tell_reclaims`, before the first operation. Null: no log is to hear of what is reclaimed.
  engine::ReclaimLog* reclaims_ = nullptr;

  // Thread-safe by themselves.
  mutable Versions versions_;
  mutable Locals locals_;
  mutable OrderedSide ordered_;

  base::Mutex evictor_mutex_;  // Guards what parts_.evictor points to.

  mutable base::Mutex maintenance_mutex_;
  ExpiryWheel wheel_ ASHLAR_GUARDED_BY(maintenance_mutex_);
  base::ChunkedQueue garbage_ ASHLAR_GUARDED_BY(maintenance_mutex_);
  // Keys that the wheel had no memory for: looked at in every round.
  std::vector<std::uint64_t> unfiled_ ASHLAR_GUARDED_BY(maintenance_mutex_);
  std::uint64_t tended_release_count_ ASHLAR_GUARDED_BY(maintenance_mutex_) = 0;
  // Keys past their deadline that the log did not take, since when, and whether it refuses now.
  base::ChunkedQueue untold_ ASHLAR_GUARDED_BY(maintenance_mutex_);
  TimeMs untold_since_ms_ ASHLAR_GUARDED_BY(maintenance_mutex_) = 0;
  bool is_log_full_ ASHLAR_GUARDED_BY(maintenance_mutex_) = false;

  // Atomic, for writers: the moment at which the background looks again, flags for what waits, and
  // the mark that a schedule made now carries (see sweep_wheel).
  std::atomic<TimeMs> next_maintenance_ms_{engine::kNever};
  std::atomic<bool> has_garbage_{false};
  std::atomic<std::uint64_t> sweep_mark_{0};
  // Atomic, for stats.
  std::atomic<std::uint64_t> pending_expiry_count_{0};
  std::atomic<std::uint64_t> kept_version_count_{0};
  std::atomic<std::uint64_t> expiry_lag_ms_{0};
  std::atomic<std::uint64_t> expiry_lag_ms_max_{0};
};

}  // namespace ashlar::memory
