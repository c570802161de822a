#include "table/table_writer.h"

#include <algorithm>

#include "base/assert.h"
#include "base/hash.h"

namespace ashlar::table {
namespace {

// Large enough that the call is nothing beside the transfer.
constexpr std::size_t kWriteBytes = std::size_t{256} << 10U;

// Raw blocks that a dictionary is trained on: thirty times its own length.
constexpr std::size_t kTrainingBytes = std::size_t{1} << 20U;

}  // namespace

TableWriter::TableWriter(std::unique_ptr<os::File> file, const TableIdentity& identity,
                         const TableOptions& options)
    : file_(std::move(file)),
      identity_(identity),
      filter_(options.filter_bits_per_key),
      compressor_(options.compression),
      awaits_dictionary_(options.compression == Compression::kZstdDictionary) {
  properties_.compression = options.compression;
  properties_.filter_bits_per_key = static_cast<std::uint8_t>(options.filter_bits_per_key);
}

Result<std::unique_ptr<TableWriter>> TableWriter::create(os::Disk& disk, const std::string& path,
                                                         const TableIdentity& identity,
                                                         const TableOptions& options) {
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, path, os::OpenMode::kCreate));
  return std::unique_ptr<TableWriter>(new TableWriter(std::move(file), identity, options));
}

void TableWriter::count_row(engine::OperationKind kind, engine::TimeMs deadline_ms,
                            std::uint64_t hash) {
  ++properties_.row_count;
  if (kind == engine::OperationKind::kErase) ++properties_.erase_count;
  if (kind == engine::OperationKind::kPutApart) ++apart_count_;
  if (deadline_ms != engine::kNever) ++properties_.expiring_count;
  properties_.earliest_deadline_ms = std::min(properties_.earliest_deadline_ms, deadline_ms);
  filter_.add(hash);
}

void TableWriter::begin_block(std::string_view first_key) {
  if (properties_.row_count == 0) {
    properties_.smallest_key = first_key;
    separator_ = first_key;
    return;
  }
  ASHLAR_ASSERT(last_key_ < first_key, "G6: keys ascend strictly from block to block");
  separator_ = shortest_separator(last_key_, first_key);
}

Result<void> TableWriter::add(const engine::Operation& row, std::uint64_t hash) {
  ASHLAR_DEBUG_ASSERT(hash == base::hash_key(row.key, identity_.hash_seed),
                      "a key comes with its own hash");
  if (!block_.fits(row)) ASHLAR_TRY(finish_block());
  if (block_.is_empty()) begin_block(row.key);
  block_.add(row, tag_of(hash));
  count_row(row.kind, row.deadline_ms, hash);
  return {};
}

Result<void> TableWriter::finish_block() {
  ASHLAR_ASSERT(!block_.is_empty(), "P6: a block has a row");
  last_key_ = block_.last_key();
  block_.finish(raw_);
  properties_.raw_bytes += raw_.size();
  if (!awaits_dictionary_) return write_block(raw_, std::move(separator_));
  held_bytes_ += raw_.size();
  held_.push_back({.raw = raw_, .separator = std::move(separator_)});
  return held_bytes_ < kTrainingBytes ? Result<void>() : settle_dictionary();
}

// One long row among the samples would be all that the dictionary learns from.
Result<void> TableWriter::settle_dictionary() {
  awaits_dictionary_ = false;
  std::string samples;
  std::vector<std::size_t> sample_bytes;
  for (const HeldBlock& held : held_) {
    if (held.raw.size() > kBlockBytesMax) continue;
    samples += held.raw;
    sample_bytes.push_back(held.raw.size());
  }
  if (!samples.empty()) dictionary_ = compressor_.train(samples, sample_bytes);
  for (HeldBlock& held : held_) ASHLAR_TRY(write_block(held.raw, std::move(held.separator)));
  held_.clear();
  held_bytes_ = 0;
  return {};
}

Result<void> TableWriter::write_block(std::string_view raw, std::string separator) {
  const Compression kind = compressor_.compress(raw, stored_);
  return append_block({.bytes = stored_, .kind = kind, .raw_bytes = raw.size()},
                      std::move(separator));
}

Result<void> TableWriter::append_block(const StoredBlock& stored, std::string separator) {
  index_.add({.separator = std::move(separator),
              .stored_bytes = stored.bytes.size(),
              .raw_bytes = stored.raw_bytes});
  append_sealed(stored.bytes, stored.kind);
  return write_out(kWriteBytes);
}

Result<void> TableWriter::add_stored_block(const StoredBlock& stored, const Block& rows) {
  ASHLAR_ASSERT(can_take(stored.kind), "a block that needs a dictionary stays with it");
  if (!block_.is_empty()) ASHLAR_TRY(finish_block());
  if (awaits_dictionary_) ASHLAR_TRY(settle_dictionary());
  std::string buffer;
  rows.begin_keys(buffer);
  begin_block(rows.key(0, buffer));
  for (std::uint32_t row = 0; row < rows.row_count(); ++row) {
    const std::uint64_t hash = base::hash_key(rows.key(row, buffer), identity_.hash_seed);
    count_row(rows.kind(row), rows.deadline_ms(row), hash);
  }
  last_key_ = rows.key(rows.row_count() - 1, buffer);
  properties_.raw_bytes += stored.raw_bytes;
  return append_block(stored, std::move(separator_));
}

/// Returns: where the bytes stand
TableFooter::Handle TableWriter::append_sealed(std::string_view bytes, Compression kind) {
  const TableFooter::Handle handle{.offset = written_bytes_ + out_.size(), .bytes = bytes.size()};
  out_.append(bytes);
  append_trailer(out_, bytes.size(), kind, identity_, handle.offset);
  return handle;
}

Result<void> TableWriter::write_out(std::size_t bytes_min) {
  if (out_.size() < bytes_min) return {};
  ASHLAR_TRY(file_->write(written_bytes_, out_));
  written_bytes_ += out_.size();
  out_.clear();
  return {};
}

Result<TableProperties> TableWriter::finish() {
  ASHLAR_ASSERT(properties_.row_count > 0, "a table has a row");
  ASHLAR_ASSERT((apart_count_ > 0) == !properties_.shares.empty(),
                "G10: what rows refer to was counted");
  if (!block_.is_empty()) ASHLAR_TRY(finish_block());
  if (awaits_dictionary_) ASHLAR_TRY(settle_dictionary());
  properties_.largest_key = last_key_;
  properties_.block_count = index_.block_count();
  properties_.filter_bits_per_hash = static_cast<std::uint8_t>(filter_.bits_per_hash());
  std::string properties;
  append_properties(properties, properties_);
  TableFooter footer;
  if (!properties_.shares.empty()) footer.version = kTableVersion;
  const auto lines = filter_.finish();
  // In the order in which they lie: each begins where the one before ends (G4).
  footer.sections = {append_sealed(stored_lines(lines), Compression::kNone),
                     append_sealed(index_.finish(), Compression::kNone),
                     append_sealed(dictionary_, Compression::kNone),
                     append_sealed(properties, Compression::kNone)};
  append_footer(out_, footer, identity_, written_bytes_ + out_.size());
  ASHLAR_TRY(write_out(1));
  ASHLAR_TRY(file_->sync());
  properties_.file_bytes = written_bytes_;
  return std::move(properties_);
}

std::uint64_t TableWriter::file_bytes() const noexcept {
  constexpr std::uint64_t kIndexBytesPerBlock = 16;
  return written_bytes_ + out_.size() + held_bytes_ + filter_.bytes() +
         kIndexBytesPerBlock * block_count();
}

}  // namespace ashlar::table
