/// \file
/// How a table lies in its file, for the one that writes it and the one that reads it:
/// docs/formats/table.md.
///
///     blocks       stored bytes and a trailer, again and again from offset 0
///     filter       as a block
///     index        as a block: table_index.h
///     dictionary   as a block; of no bytes when there is none
///     properties   as a block
///     footer       of fixed length: where the four sections begin
///
/// Invariants:
///   G4  Everything lies back to back from offset 0 to the end of the file, so each byte is covered
///       by one checksum.
///   G5  A checksum covers where the bytes stand: database, seed of its hashes, file number,
///       offset. What was moved to another place does not pass there.
///   G8  A file that ends early at any byte is no table.
///   G10  A table tells how many bytes its rows refer to, of each piece that values stand in, the
///       pieces in their order. One without such rows says nothing of it, in version 1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "engine/operation.h"
#include "table/compression.h"

namespace ashlar::table {

inline constexpr std::string_view kTableMagic = "ashlrtbl";
/// The version that this code reads, and writes where rows have values that stand apart. Without
/// such rows a table is of version 1, as before there were any.
inline constexpr std::uint32_t kTableVersion = 2;
inline constexpr std::uint32_t kTableVersionWithoutShares = 1;
inline constexpr std::size_t kTrailerBytes = 9;
inline constexpr std::size_t kFooterBytes = 112;

/// Which table a file is.
struct TableIdentity {
  std::uint64_t database_id = 0;
  std::uint64_t number = 0;
  std::uint64_t hash_seed = 0;  ///< Of the hashes in filters and tags: one for a database.
};

/// Bytes as they are stored, without their trailer.
///
/// Lifetime: `bytes` is a view of what they were read into.
struct StoredBlock {
  std::string_view bytes;
  Compression kind = Compression::kNone;
  std::uint64_t raw_bytes = 0;
};

/// Writes the trailer of the last `bytes` bytes of `to`, which stand at `offset` of the file (G5).
void append_trailer(std::string& to, std::size_t bytes, Compression kind,
                    const TableIdentity& identity, std::uint64_t offset);

/// Takes the trailer off `sealed`, which stands at `offset`.
///
/// Returns: nullopt when the checksum is not that of these bytes in this place, or their
///          compression is none that is known; `raw_bytes` is left 0
std::optional<StoredBlock> open_sealed(std::string_view sealed, const TableIdentity& identity,
                                       std::uint64_t offset) noexcept;

enum class TableSection : std::uint8_t { kFilter, kIndex, kDictionary, kProperties };
inline constexpr std::size_t kSectionCount = 4;

/// How much of a piece of the log, or of a file of collected values, the rows of a table refer to.
struct ValueShare {
  std::uint64_t first = 0;  ///< The position at which the piece begins.
  std::uint64_t bytes = 0;  ///< At least 1.

  bool operator==(const ValueShare&) const = default;
};

/// The end of a table.
struct TableFooter {
  struct Handle {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;  ///< Without the trailer.
  };
  std::array<Handle, kSectionCount> sections;
  std::uint32_t version = kTableVersionWithoutShares;

  const Handle& section(TableSection which) const noexcept {
    return sections[static_cast<std::size_t>(which)];
  }
  /// Where the blocks end.
  std::uint64_t data_bytes() const noexcept { return sections[0].offset; }
};

/// Writes the footer, which begins at `offset`.
void append_footer(std::string& to, const TableFooter& footer, const TableIdentity& identity,
                   std::uint64_t offset);

/// Reads a footer from the last kFooterBytes bytes of the file `path`, which begin at `offset`.
///
/// Errors: kCorruption   it is none, or that of another table, or does not add up (G4)
///         kUnavailable  it is of a later version
Result<TableFooter> decode_footer(std::string_view bytes, const TableIdentity& identity,
                                  std::string_view path, std::uint64_t offset);

/// What there is to know of a table without reading it.
struct TableProperties {
  std::uint64_t row_count = 0;
  std::uint64_t erase_count = 0;
  std::uint64_t expiring_count = 0;  ///< Rows with a deadline.
  engine::TimeMs earliest_deadline_ms = engine::kNever;
  std::uint64_t block_count = 0;
  std::uint64_t raw_bytes = 0;                   ///< Of all blocks, before compression.
  Compression compression = Compression::kNone;  ///< What was asked for.
  std::uint8_t filter_bits_per_key = 0;
  std::uint8_t filter_bits_per_hash = 0;
  std::string smallest_key;
  std::string largest_key;
  std::vector<ValueShare> shares;  ///< Ascending; none in version 1.
  std::uint64_t file_bytes = 0;    ///< Not stored: the file has it.
};

void append_properties(std::string& to, const TableProperties& properties);

/// Returns: nullopt when `bytes` are no properties of a table of that version that could be
std::optional<TableProperties> decode_properties(std::string_view bytes, std::uint32_t version);

/// "PATH at OFFSET: WHAT".
Error table_damage(std::string_view path, std::uint64_t offset, std::string_view what);

}  // namespace ashlar::table
