#include "table/table_file.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/assert.h"
#include "table/block.h"

namespace ashlar::table {
namespace {

// What a thread keeps for reading stored blocks into; a longer one is given back.
constexpr std::size_t kScratchBytesMax = std::size_t{1} << 20U;

/// Reads a section into `sealed`, which has room for its trailer as well.
Result<void> read_section_into(const os::File& file, const TableIdentity& identity,
                               std::uint64_t offset, std::span<char> sealed,
                               std::string_view name) {
  ASHLAR_TRY(file.read(offset, sealed));
  const auto stored = open_sealed({sealed.data(), sealed.size()}, identity, offset);
  if (stored && stored->kind == Compression::kNone) return {};
  return std::unexpected(table_damage(file.path(), offset, std::string(name) + " is damaged"));
}

/// Reads and opens a section. The footer has placed it inside of the file, so its length is no more
/// than there is.
Result<std::string> read_section(const os::File& file, const TableIdentity& identity,
                                 const TableFooter::Handle& handle, std::string_view name) {
  std::string sealed(handle.bytes + kTrailerBytes, '\0');
  ASHLAR_TRY(read_section_into(file, identity, handle.offset, sealed, name));
  sealed.resize(handle.bytes);
  return sealed;
}

Result<TableFooter> read_footer(const os::File& file, const TableIdentity& identity,
                                std::uint64_t file_bytes) {
  if (file_bytes < kFooterBytes) return decode_footer({}, identity, file.path(), 0);
  std::array<char, kFooterBytes> bytes{};
  const std::uint64_t offset = file_bytes - kFooterBytes;
  ASHLAR_TRY(file.read(offset, bytes));
  return decode_footer({bytes.data(), bytes.size()}, identity, file.path(), offset);
}

}  // namespace

TableFile::TableFile(std::unique_ptr<os::File> file, const TableIdentity& identity,
                     Decompressor decompressor, TableIndex index) noexcept
    : file_(std::move(file)),
      identity_(identity),
      decompressor_(std::move(decompressor)),
      index_(std::move(index)) {}

Result<std::unique_ptr<TableFile>> TableFile::open(os::Disk& disk, const std::string& path,
                                                   const TableIdentity& identity,
                                                   FilterUse filter) {
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, path, os::OpenMode::kReadHere));
  if (file == nullptr) return std::unexpected(table_damage(path, 0, "the file is missing"));
  ASHLAR_TRY_ASSIGN(const std::uint64_t file_bytes, file->size());
  ASHLAR_TRY_ASSIGN(const TableFooter footer, read_footer(*file, identity, file_bytes));

  const auto read = [&](TableSection which, std::string_view name) {
    return read_section(*file, identity, footer.section(which), name);
  };
  const auto damaged = [&](TableSection which, std::string_view what) {
    return std::unexpected(table_damage(path, footer.section(which).offset, what));
  };
  ASHLAR_TRY_ASSIGN(const std::string stored_index, read(TableSection::kIndex, "the index"));
  auto index = TableIndex::load(stored_index, footer.data_bytes());
  if (!index) return damaged(TableSection::kIndex, "the index makes no sense");
  ASHLAR_TRY_ASSIGN(const std::string dictionary,
                    read(TableSection::kDictionary, "the dictionary"));
  auto decompressor = Decompressor::make(dictionary);
  if (!decompressor) return damaged(TableSection::kDictionary, "the dictionary makes no sense");
  ASHLAR_TRY_ASSIGN(const std::string stored, read(TableSection::kProperties, "the properties"));
  auto properties = decode_properties(stored, footer.version);
  if (!properties || properties->block_count != index->block_count() ||
      properties->smallest_key != index->separator(0) ||
      properties->largest_key < index->separator(index->block_count() - 1)) {
    return damaged(TableSection::kProperties, "the properties make no sense");
  }

  std::unique_ptr<TableFile> table(
      new TableFile(std::move(file), identity, std::move(*decompressor), std::move(*index)));
  table->properties_ = std::move(*properties);
  table->properties_.file_bytes = file_bytes;
  if (filter == FilterUse::kLoad) ASHLAR_TRY(table->load_filter(footer));
  return table;
}

/// The longest section goes straight to where it stays.
Result<void> TableFile::load_filter(const TableFooter& footer) {
  const TableFooter::Handle& handle = footer.section(TableSection::kFilter);
  const std::size_t sealed_bytes = handle.bytes + kTrailerBytes;
  auto lines = base::Reservation::make(sealed_bytes);
  if (!lines) {
    return std::unexpected(
        Error(ErrorCode::kOutOfSpace, path() + ": the system has no address space for the filter"));
  }
  const std::span<char> sealed(lines->begin(), sealed_bytes);
  ASHLAR_TRY(read_section_into(*file_, identity_, handle.offset, sealed, "the filter"));
  auto filter =
      Filter::load_in_place(*std::move(lines), handle.bytes, properties_.filter_bits_per_hash);
  if (!filter) {
    return std::unexpected(table_damage(path(), handle.offset, "the filter makes no sense"));
  }
  filter_ = std::move(*filter);
  return {};
}

std::uint64_t TableFile::offset(std::size_t block) const noexcept {
  if (block < block_count()) return index_.place(block).offset;
  const TableIndex::Place last = index_.place(block_count() - 1);
  return last.offset + last.stored_bytes + kTrailerBytes;
}

Error TableFile::damage(std::size_t block, std::string_view what) const {
  return table_damage(path(), offset(block),
                      "block " + std::to_string(block) + " " + std::string(what));
}

Result<void> TableFile::read_stored(std::size_t first, std::size_t end, std::span<char> to) const {
  ASHLAR_ASSERT(first < end && end <= block_count(), "blocks that are read are the table's");
  ASHLAR_ASSERT(to.size() == offset(end) - offset(first), "they have room for all of themselves");
  return file_->read(offset(first), to);
}

Result<StoredBlock> TableFile::open_block(std::size_t block, std::string_view sealed) const {
  auto stored = open_sealed(sealed, identity_, offset(block));
  if (!stored) return std::unexpected(damage(block, "is damaged"));
  stored->raw_bytes = raw_bytes(block);
  return *stored;
}

Result<StoredBlock> TableFile::load_stored_block(std::size_t block, std::string& buffer) const {
  buffer.resize(offset(block + 1) - offset(block));
  ASHLAR_TRY(read_stored(block, block + 1, buffer));
  return open_block(block, buffer);
}

Result<void> TableFile::unpack_block(std::size_t block, const StoredBlock& stored,
                                     std::span<char> to) const {
  ASHLAR_ASSERT(to.size() == raw_bytes(block), "a block is unpacked into its own length");
  if (!decompressor_.decompress(stored.kind, stored.bytes, to)) {
    return std::unexpected(damage(block, "does not decompress to its length"));
  }
  const std::string_view raw(to.data(), to.size());
  ASHLAR_TRY(check_block(raw, path(), offset(block)));
  const Block rows(raw);
  const bool is_last = block + 1 == block_count();
  const bool is_in_place = rows.lower_bound(separator(block)) == 0 &&
                           (is_last ? rows.key(rows.row_count() - 1) == properties_.largest_key
                                    : rows.lower_bound(separator(block + 1)) == rows.row_count());
  if (is_in_place) return {};
  return std::unexpected(damage(block, "has keys that the index does not lead to"));
}

Result<void> TableFile::take_block(std::size_t block, std::string_view sealed,
                                   std::span<char> to) const {
  ASHLAR_TRY_ASSIGN(const StoredBlock stored, open_block(block, sealed));
  return unpack_block(block, stored, to);
}

std::size_t TableFile::read_ahead(std::size_t first) const {
  const std::uint64_t begin = offset(first);
  std::size_t end = first + 1;
  while (end < block_count() && offset(end) - begin < kReadAheadBytes) ++end;
  file_->read_ahead(begin, offset(end) - begin);
  return end;
}

Result<void> TableFile::load_block(std::size_t block, std::span<char> to) const {
  // One a thread: blocks are read by many threads, and an allocation would cost more than a copy.
  thread_local std::string scratch;  // NOLINT(misc-use-internal-linkage): it has none.
  const auto load = [&]() -> Result<void> {
    scratch.resize(offset(block + 1) - offset(block));
    ASHLAR_TRY(read_stored(block, block + 1, scratch));
    return take_block(block, scratch, to);
  };
  auto result = load();
  if (scratch.capacity() > kScratchBytesMax) scratch = std::string();
  return result;
}

std::size_t TableFile::pinned_bytes() const noexcept {
  return sizeof(*this) + filter_.bytes() + index_.bytes() + decompressor_.bytes() +
         properties_.smallest_key.capacity() + properties_.largest_key.capacity() +
         properties_.shares.capacity() * sizeof(ValueShare);
}

}  // namespace ashlar::table
