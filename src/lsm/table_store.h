/// \file
/// The files of tables in a directory: their names, numbers and openings.
///
/// A file that no manifest names is nobody's: it was being written, or had just been let go of,
/// when the process ended. The next opening removes it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ashlar/result.h"
#include "base/ref.h"
#include "lsm/manifest.h"
#include "lsm/open_table.h"
#include "table/table_writer.h"

namespace ashlar::lsm {

/// The name of a table: "0000000042.table".
std::string table_name(std::uint64_t number);

/// Returns: nullopt when `name` is not that of a table
std::optional<std::uint64_t> table_number(std::string_view name);

/// Threads:  thread-safe.
/// Lifetime: the world must outlive it and all tables.
class TableStore {
 public:
  /// What all tables of a directory have in common.
  struct Identity {
    std::uint64_t database_id = 0;
    std::uint64_t hash_seed = 0;
  };

  TableStore(const TableWorld& world, std::string directory, const Identity& identity,
             std::uint64_t next_number) noexcept;

  /// A number that no file has, nor had.
  std::uint64_t take_number() noexcept;

  /// No file has this number or a larger one.
  std::uint64_t next_number() const noexcept {
    return next_number_.load(std::memory_order_relaxed);
  }

  /// Begins the file of a new table.
  ///
  /// Errors: kIo, kOutOfSpace
  Result<std::unique_ptr<table::TableWriter>> begin(std::uint64_t number,
                                                    const table::TableOptions& options) const;

  /// Opens the table that `info` tells of.
  ///
  /// Errors: as OpenTable::open
  Result<base::Ref<const OpenTable>> open(TableInfo info) const;

  /// Makes the names of new tables durable: before a manifest names them.
  ///
  /// Errors: kIo
  Result<void> sync_names() const;

  /// Removes a file whose table did not come to be. What cannot be removed now the next opening
  /// removes.
  void give_up(std::uint64_t number) const;

  /// Removes every table file that `manifest` does not name.
  ///
  /// Errors: kIo
  Result<void> remove_strangers(const Manifest& manifest) const;

  const Identity& identity() const noexcept { return identity_; }

  /// The values that stand apart from rows; null where none do.
  ApartValues* values() const noexcept { return world_.values; }

 private:
  std::string path_of(std::uint64_t number) const { return directory_ + "/" + table_name(number); }
  table::TableIdentity identity_of(std::uint64_t number) const noexcept;

  const TableWorld world_;
  const std::string directory_;
  const Identity identity_;
  std::atomic<std::uint64_t> next_number_;
};

}  // namespace ashlar::lsm
