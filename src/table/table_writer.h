/// \file
/// Writes a table: rows in the order of their keys, or whole blocks of other tables. Layout:
/// table_format.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ashlar/result.h"
#include "engine/operation.h"
#include "os/file.h"
#include "table/block.h"
#include "table/block_builder.h"
#include "table/compression.h"
#include "table/filter.h"
#include "table/table_format.h"
#include "table/table_index.h"

namespace ashlar::table {

struct TableOptions {
  Compression compression = Compression::kNone;
  /// 0: no filter, to kFilterBitsMax.
  unsigned filter_bits_per_key = 10;
};

/// After a failure the writer is of no use: it is destroyed, and its file removed by its owner. The
/// same goes for one that was not finished.
///
/// Threads:  externally synchronised.
/// Lifetime: the disk must outlive it.
class TableWriter {
 public:
  /// Creates the file `path`, which must not exist.
  ///
  /// Errors: kIo, kOutOfSpace; kUnavailable  the file exists
  static Result<std::unique_ptr<TableWriter>> create(os::Disk& disk, const std::string& path,
                                                     const TableIdentity& identity,
                                                     const TableOptions& options);
  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;

  /// Adds a row behind all others (G6). `hash` is that of the key under the identity's seed.
  ///
  /// Errors: kIo, kOutOfSpace
  /// Cost:   a copy; once a block compression, once in 256 KiB a write
  Result<void> add(const engine::Operation& row, std::uint64_t hash);

  /// Whether `add_stored_block` takes a block of this kind: not one that needs the dictionary of
  /// its own table.
  static bool can_take(Compression kind) noexcept { return kind != Compression::kZstdDictionary; }

  /// Adds a block of another table of the database as it is stored, behind all other rows; `rows`
  /// is what is in it, for the filter and the index. For a block that no other source overlaps.
  ///
  /// Errors: kIo, kOutOfSpace
  /// Cost:   a copy, and a hash a row: no compression, and no row is moved
  Result<void> add_stored_block(const StoredBlock& stored, const Block& rows);

  /// What the rows that were added refer to (G10), which the caller counts.
  void set_shares(std::vector<ValueShare> shares) { properties_.shares = std::move(shares); }

  /// Writes what is left and makes the content of the file durable. A row was added. The caller
  /// makes the name durable (File, sync_directory).
  ///
  /// Errors: kIo, kOutOfSpace
  Result<TableProperties> finish();

  /// About how long the file would be if it were finished now.
  std::uint64_t file_bytes() const noexcept;

  std::uint64_t row_count() const noexcept { return properties_.row_count; }

  /// How many blocks are finished, and how long the one is that is not.
  std::uint64_t block_count() const noexcept { return index_.block_count() + held_.size(); }
  std::size_t open_block_bytes() const noexcept { return block_.raw_bytes(); }

 private:
  /// A block that waits for the dictionary.
  struct HeldBlock {
    std::string raw;
    std::string separator;
  };

  TableWriter(std::unique_ptr<os::File> file, const TableIdentity& identity,
              const TableOptions& options);
  void count_row(engine::OperationKind kind, engine::TimeMs deadline_ms, std::uint64_t hash);
  void begin_block(std::string_view first_key);
  Result<void> finish_block();
  Result<void> write_block(std::string_view raw, std::string separator);
  Result<void> settle_dictionary();
  Result<void> append_block(const StoredBlock& stored, std::string separator);
  TableFooter::Handle append_sealed(std::string_view bytes, Compression kind);
  Result<void> write_out(std::size_t bytes_min);

  // Set at construction.
  const std::unique_ptr<os::File> file_;
  const TableIdentity identity_;

  // What was added. `last_key_` is that of the last block that is finished.
  BlockBuilder block_;
  std::string separator_;  // Of the block at hand.
  std::string last_key_;
  FilterBuilder filter_;
  TableIndexBuilder index_;
  TableProperties properties_;
  std::uint64_t apart_count_ = 0;  // Rows with a reference.

  // The dictionary, and the blocks that are kept back until there is one.
  Compressor compressor_;
  bool awaits_dictionary_;
  std::vector<HeldBlock> held_;
  std::size_t held_bytes_ = 0;
  std::string dictionary_;

  // On the way to the file: `out_` follows what was written.
  std::uint64_t written_bytes_ = 0;
  std::string out_;
  std::string raw_;     // Kept for its memory,
  std::string stored_;  // and so is this.
};

}  // namespace ashlar::table
