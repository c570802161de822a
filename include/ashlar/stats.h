/// \file
/// What a database says about itself.
#pragma once

#include <cstdint>

namespace ashlar {

/// Figures at about one moment: each is exact, but they are read one after the other.
struct Stats {
  // Content.
  /// Keys held, expired but not yet reclaimed ones included. With Engine::kDisk an estimate: a key
  /// counts once in every table and memtable that has it, and an erased one there less.
  std::uint64_t key_count = 0;
  std::uint64_t expiring_key_count = 0;  ///< Those of them that have a deadline.

  // Memory, in bytes.
  std::uint64_t memory_bytes = 0;         ///< All that counts against the budget.
  std::uint64_t memory_budget_bytes = 0;  ///< Options::memory_budget_bytes.
  std::uint64_t index_bytes = 0;          ///< Of `memory_bytes`: the hash index.
  std::uint64_t record_bytes = 0;         ///< Of `memory_bytes`: pages that hold records.
  std::uint64_t ordered_bytes = 0;      ///< Of `record_bytes`: the ordered side, 0 when none scans.
  std::uint64_t bookkeeping_bytes = 0;  ///< Of `memory_bytes`: expiry, eviction, version queues.

  // Since opening.
  std::uint64_t put_count = 0;            ///< Values stored, each operation of a batch counted.
  std::uint64_t erase_count = 0;          ///< Keys erased by a caller.
  std::uint64_t expired_count = 0;        ///< Keys reclaimed after their deadline.
  std::uint64_t evicted_count = 0;        ///< Keys that made room at the memory budget.
  std::uint64_t refused_write_count = 0;  ///< Writes refused for want of memory.

  // Expiry.
  std::uint64_t pending_expiry_count = 0;  ///< Entries waiting in the expiry wheel.
  std::uint64_t expiry_lag_ms = 0;         ///< How far reclaiming is behind the clock.
  std::uint64_t expiry_lag_ms_max = 0;     ///< The furthest that it ever was behind.

  // Snapshots.
  std::uint64_t sequence = 0;            ///< The sequence that a snapshot taken now would have.
  std::uint64_t snapshot_count = 0;      ///< Snapshots held, those of open iterators included.
  std::uint64_t oldest_snapshot_ms = 0;  ///< How long the oldest one has been held.
  std::uint64_t kept_version_count = 0;  ///< Changes made under a snapshot that await clean-up.

  // The log of a database with a directory; 0 without one.
  std::uint64_t log_bytes = 0;       ///< Written since the newest checkpoint began.
  std::uint64_t unsynced_bytes = 0;  ///< Of them: what a power cut now would take.
  std::uint64_t refuses_writes = 0;  ///< 1 after a write to the log failed: see `Db`.
  std::uint64_t replayed_count = 0;  ///< Commits replayed when the database was opened.
  std::uint64_t torn_bytes = 0;      ///< Found then behind the end of the log, and given up.

  // The tables of Engine::kDisk; 0 otherwise.
  std::uint64_t table_count = 0;
  std::uint64_t table_bytes = 0;         ///< Of their files.
  std::uint64_t level0_table_count = 0;  ///< Those that a read may have to look through one by one.
  std::uint64_t memtable_bytes = 0;      ///< Of `memory_bytes`: rows that are not in tables yet.
  std::uint64_t cache_bytes = 0;         ///< Of `memory_bytes`: blocks of tables.
  std::uint64_t cache_hit_count = 0;     ///< Blocks that were asked for and in memory,
  std::uint64_t cache_miss_count = 0;    ///< and that were not. Since opening, as what follows.
  std::uint64_t row_cache_bytes = 0;     ///< Of `memory_bytes`: rows of tables, kept one by one.
  std::uint64_t row_cache_hit_count = 0;   ///< Rows that were found there,
  std::uint64_t row_cache_miss_count = 0;  ///< and those whose block was read from the disk.
  std::uint64_t flush_count = 0;           ///< Memtables that became tables.
  std::uint64_t flushed_bytes = 0;         ///< Of those tables.
  std::uint64_t compaction_count = 0;
  std::uint64_t compaction_read_bytes = 0;
  std::uint64_t compaction_written_bytes = 0;
  std::uint64_t compact_done_bytes = 0;   ///< How far the last call of `compact` is: what it read,
  std::uint64_t compact_total_bytes = 0;  ///< of what it will, as estimated at its beginning.
};

}  // namespace ashlar
