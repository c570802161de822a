/// \file
/// A table that can be read: its filter and index in memory, its blocks in the cache.
///
/// Invariants:
///   V13 of table.h: the file of an obsolete table goes with its last owner, and no sooner.
///   V42 of value_ledger.h: what its rows refer to stays as long as the table has an owner.
///   M1 of memory_budget.h: what it keeps in memory besides blocks is in the budget as long as it
///       is open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "base/memory/memory_budget.h"
#include "base/ref.h"
#include "engine/operation.h"
#include "lsm/table.h"
#include "lsm/values/apart_values.h"
#include "os/disk.h"
#include "table/block_cache.h"
#include "table/rows/cache_shares.h"
#include "table/table_file.h"

namespace ashlar::lsm {

/// What all tables of a directory share. All of it must outlive them.
struct TableWorld {
  os::Disk& disk;
  base::MemoryBudget& budget;
  base::EpochDomain& domain;
  table::BlockCache& cache;
  table::CacheShares* shares = nullptr;  ///< Of the caches; null: rows are not kept.
  ApartValues* values = nullptr;         ///< Null: all values stand in their rows.
};

/// What a file says of itself that `info` says differently, in words: "how many rows it has".
///
/// Returns: nullptr when they agree
const char* find_difference(const TableInfo& info,
                            const table::TableProperties& properties) noexcept;

/// Threads: immutable, but for the cache, which is thread-safe.
class OpenTable final : public Table {
 public:
  /// What a key was found to be.
  struct Found {
    engine::OperationKind kind;
    engine::TimeMs deadline_ms;
    std::string_view value;  ///< Good while the guard is open under which it was found.
  };

  /// Opens the file `path` as the table that `info` tells of.
  ///
  /// Errors: kCorruption   it is damaged, or not the table that `info` tells of
  ///         kOutOfSpace   the budget has no room for filter and index
  ///         kUnavailable, kIo
  static Result<base::Ref<const OpenTable>> open(const TableWorld& world, const std::string& path,
                                                 const table::TableIdentity& identity,
                                                 TableInfo info);
  ~OpenTable() override;

  /// The row of `key`, which may be an erase. The caller is inside a guard.
  ///
  /// Errors: kIo, kCorruption  the block that would have it cannot be read: names file and offset
  ///         kOutOfSpace       the budget has no room for the block
  /// Cost:   a miss in the filter where the key is not here, beside that of a block that is not
  ///         needed; else about seven, of which these two go together, and a read of the disk when
  ///         neither the row nor its block is in memory
  Result<std::optional<Found>> get(std::string_view key, std::uint64_t hash) const;

  // The steps of `get`, for those who read many keys together. The caller is inside a guard.

  /// Returns: false when no key with this hash is here
  bool may_contain(std::uint64_t hash) const noexcept { return file_->may_contain(hash); }

  /// The row of `key`, where it is kept by itself.
  std::optional<Found> find_kept(std::string_view key, std::uint64_t hash) const noexcept;

  /// Keeps a row by itself whose block had to be read.
  void keep(std::string_view key, std::uint64_t hash, const Found& found) const noexcept;

  /// Starts loading what `cached` looks at first.
  void prefetch_block(std::size_t block) const noexcept { world_.cache.prefetch(slots_, block); }

  /// The bytes of `block`; of no length when it is not in memory.
  std::string_view cached(std::size_t block) const noexcept {
    const char* const raw = world_.cache.find(slots_, block);
    return raw == nullptr ? std::string_view() : std::string_view(raw, file_->raw_bytes(block));
  }

  /// Begins to load `block`, which `cached` has not found.
  ///
  /// Errors: kOutOfSpace  the budget has no room for the block
  Result<table::BlockLoad> begin_load(std::size_t block) const {
    return world_.cache.begin_load(slots_, block, file_->raw_bytes(block));
  }

  /// Looks for the row of `key` in the block that would have it.
  static std::optional<Found> search(std::string_view block, std::string_view key,
                                     std::uint64_t hash) noexcept;

  /// Starts loading what `get` with that hash looks at first.
  void prefetch(std::uint64_t hash) const noexcept { file_->prefetch_filter(hash); }

  /// How a walk goes on over the blocks that are not in memory.
  struct Walk {
    std::size_t missed = SIZE_MAX;  ///< The last one. The first block follows it, too.
    std::size_t ahead_end = 0;      ///< The system was told of those before this.
  };

  /// The bytes of `block`. The caller is inside a guard. Where two in a row have to be read, of a
  /// `walk` that is given, the system is told which come next.
  ///
  /// Errors: as `get`
  Result<std::string_view> block(std::size_t index, Walk* walk = nullptr) const;

  /// Keeps a block, found inside a guard that is still open, where it is.
  table::Pin pin(std::string_view block) const noexcept { return world_.cache.pin(block.data()); }

  base::EpochDomain& domain() const noexcept { return world_.domain; }
  const table::TableFile& file() const noexcept { return *file_; }

  /// What of the values that stand apart its rows refer to.
  std::span<const table::ValueShare> shares() const noexcept { return file_->properties().shares; }

 private:
  void read_ahead(std::size_t index, Walk& walk) const;
  table::RowKey row_key(std::string_view key, std::uint64_t hash) const noexcept {
    return {.table = info().number, .key = key, .hash = hash};
  }
  Result<void> refer() const;
  OpenTable(const TableWorld& world, TableInfo info, std::unique_ptr<table::TableFile> file,
            table::CacheSlots slots) noexcept;

  const TableWorld world_;
  const std::unique_ptr<table::TableFile> file_;
  mutable bool has_referred_ = false;  // Set by `open`.
  mutable table::CacheSlots slots_;    // Where blocks are is no part of what a table says.
};

/// Every table that the engine handles is an open one.
inline const OpenTable& opened(const Table& table) noexcept {
  return static_cast<const OpenTable&>(table);
}

}  // namespace ashlar::lsm
