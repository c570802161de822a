/// \file
/// An open table: its filter and index in memory, its blocks on demand. It caches no block.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "os/file.h"
#include "table/compression.h"
#include "table/filter.h"
#include "table/table_format.h"
#include "table/table_index.h"

namespace ashlar::table {

/// Whether a table whose filter is damaged opens.
enum class FilterUse : std::uint8_t {
  kLoad,
  kIgnore,  ///< It does, and `may_contain` says yes to all: for those who save what is left.
};

/// Threads:  immutable: every method may be called from any thread at the same time.
/// Lifetime: the disk must outlive it.
class TableFile {
 public:
  /// Opens `path` as the table that it should be, and reads all of it but the blocks.
  ///
  /// Errors: kCorruption   it is missing, damaged, cut short, or another table (G5, G8)
  ///         kUnavailable  a later version wrote it
  ///         kIo
  /// Cost:   five reads
  static Result<std::unique_ptr<TableFile>> open(os::Disk& disk, const std::string& path,
                                                 const TableIdentity& identity,
                                                 FilterUse filter = FilterUse::kLoad);
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;

  const TableProperties& properties() const noexcept { return properties_; }
  const std::string& path() const noexcept { return file_->path(); }

  /// Starts loading the line of the filter that `may_contain` will look at.
  void prefetch_filter(std::uint64_t hash) const noexcept { filter_.prefetch(hash); }

  /// Returns: false when no key with this hash is in the table
  /// Cost:    one cache miss
  bool may_contain(std::uint64_t hash) const noexcept { return filter_.may_contain(hash); }

  std::size_t block_count() const noexcept { return index_.block_count(); }

  /// The only block that may have `key`: the first one for a key before all others. For a seek: the
  /// first row from `key` on is in this block, or else the first of the next.
  ///
  /// Cost: about one cache miss, two where separators have equal heads
  std::size_t block_of(std::string_view key) const noexcept { return index_.block_of(key); }

  /// How long `block` is in memory.
  std::uint64_t raw_bytes(std::size_t block) const noexcept { return index_.raw_bytes(block); }

  /// No key of `block` is below this, and all keys of the blocks before are. Of the first block it
  /// is the first key. The exact bounds of a block are its first and its last row.
  std::string separator(std::size_t block) const { return index_.separator(block); }

  /// Where `block` begins in the file, with the block count: where the last one ends.
  std::uint64_t offset(std::size_t block) const noexcept;

  /// Reads `block` into `to`, which has raw_bytes(block) bytes, and proves it good.
  ///
  /// Errors: kCorruption  the block is damaged, or is not where it belongs
  ///         kIo
  /// Cost:   one read of the file
  Result<void> load_block(std::size_t block, std::span<char> to) const;

  /// How many bytes `block` has in the file, with its trailer.
  std::uint64_t sealed_bytes(std::size_t block) const noexcept {
    return index_.place(block).stored_bytes + kTrailerBytes;
  }

  /// The read that brings `block` as it is stored: for several at once. `to` has
  /// sealed_bytes(block) bytes.
  os::FileRead read_of(std::size_t block, std::span<char> to) const noexcept {
    return {.file = file_.get(), .offset = offset(block), .to = to};
  }

  /// The rest of `load_block`, for one whose stored bytes have been read.
  ///
  /// Errors: kCorruption
  Result<void> take_block(std::size_t block, std::string_view sealed, std::span<char> to) const;

  /// Reads `block` as it is stored, for `TableWriter::add_stored_block`, and proves the checksum.
  ///
  /// Returns:  a view of `buffer`
  /// Errors:   as above
  Result<StoredBlock> load_stored_block(std::size_t block, std::string& buffer) const;

  /// Tells the system that the blocks from `first` on are read soon, some 256 KiB of them.
  ///
  /// Returns: the block behind them
  std::size_t read_ahead(std::size_t first) const;

  /// Reads the blocks from `first` up to `end`, with their trailers, into `to`.
  ///
  /// Errors: kIo; kCorruption  the file ends before
  Result<void> read_stored(std::size_t first, std::size_t end, std::span<char> to) const;

  /// Takes `block` out of its trailer: `sealed` is what the file has from offset(block) to
  /// offset(block + 1).
  ///
  /// Errors: kCorruption
  Result<StoredBlock> open_block(std::size_t block, std::string_view sealed) const;

  /// Decompresses what `open_block` has passed into `to`, and proves that it is a block and lies
  /// between its separators (G6).
  ///
  /// Errors: kCorruption
  Result<void> unpack_block(std::size_t block, const StoredBlock& stored, std::span<char> to) const;

  /// Whether stored blocks may need a dictionary, so that no other table can take them.
  bool has_dictionary() const noexcept { return decompressor_.has_dictionary(); }

  /// What it keeps in memory as long as it is open.
  std::size_t pinned_bytes() const noexcept;

 private:
  static constexpr std::uint64_t kReadAheadBytes = std::uint64_t{256} << 10U;

  TableFile(std::unique_ptr<os::File> file, const TableIdentity& identity,
            Decompressor decompressor, TableIndex index) noexcept;
  Result<void> load_filter(const TableFooter& footer);
  Error damage(std::size_t block, std::string_view what) const;

  const std::unique_ptr<os::File> file_;
  const TableIdentity identity_;
  const Decompressor decompressor_;
  const TableIndex index_;

  // Set by `open`.
  Filter filter_;
  TableProperties properties_;
};

}  // namespace ashlar::table
