/// \file
/// A walk over all rows of a table from some key on, past every cache: what compactions read by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/memory/mapped_allocator.h"
#include "engine/row_cursor.h"
#include "table/block.h"
#include "table/table_file.h"

namespace ashlar::table {

/// Goes forward only: `seek_to_last`, `seek_for_previous` and `previous` abort.
///
/// Blocks are read kReadAheadBytes or more at a time, and each is proved good before a row of it is
/// handed out. After an error the walk is invalid and `status` says why.
///
/// Threads:  externally synchronised.
/// Lifetime: the table must outlive it.
class TableWalk final : public engine::RowCursor {
 public:
  static constexpr std::size_t kReadAheadBytes = std::size_t{256} << 10U;

  /// Invalid until the first seek.
  explicit TableWalk(const TableFile& table) : table_(table) {}

  void seek_to_first() override;
  void seek(std::string_view key) override;
  void next() override;
  void seek_to_last() override;
  void seek_for_previous(std::string_view key) override;
  void previous() override;

  /// Errors: kIo, kCorruption  as TableFile::load_block
  Result<void> status() const override { return status_; }

  // Whole blocks, for `TableWriter::add_stored_block`. The walk is valid.

  const TableFile& table() const noexcept { return table_; }

  /// The block of the row at hand, and whether it is the first row of it.
  std::size_t block() const noexcept { return block_; }
  bool is_at_block_begin() const noexcept { return row_ == 0; }

  /// The block of the row at hand as it is stored, and its rows.
  ///
  /// Lifetime: until the walk moves
  const StoredBlock& stored_block() const noexcept { return stored_; }
  const Block& rows() const noexcept { return rows_; }

  /// Goes to the first row behind the block.
  void skip_block();

 private:
  void load(std::size_t block);
  Result<void> try_load(std::size_t block);
  Result<void> read_ahead(std::size_t block);
  void stand_at(std::uint32_t row);
  void end() noexcept;

  const TableFile& table_;
  base::MappedVector<char> ahead_;  // Stored blocks,
  std::size_t ahead_first_ = 0;     // from this one
  std::size_t ahead_end_ = 0;       // up to this one.
  std::string raw_;                 // The block at hand.
  StoredBlock stored_;              // The same in `ahead_`.
  Block rows_{std::string_view(kNoRows, kBlockHeaderBytes)};
  std::size_t block_ = 0;
  std::uint32_t row_ = 0;
  std::uint32_t row_count_ = 0;
  std::string key_buffer_;
  engine::StoredRow at_;
  Result<void> status_;

  static constexpr char kNoRows[kBlockHeaderBytes] = {};
};

}  // namespace ashlar::table
