#include "db/inspection/table_copy.h"

#include <algorithm>
#include <memory>

#include "base/assert.h"
#include "base/hash.h"
#include "table/block.h"
#include "table/table_file.h"
#include "table/table_writer.h"

namespace ashlar::db {
namespace {

/// Returns: whether some row refers to a value that stands apart
Result<bool> copy_block(const table::TableFile& from, std::size_t index, std::uint64_t hash_seed,
                        table::TableWriter& to) {
  std::string raw(from.raw_bytes(index), '\0');
  ASHLAR_TRY(from.load_block(index, raw));
  const table::Block rows(raw);
  std::string key_buffer;
  rows.begin_keys(key_buffer);
  bool has_apart = false;
  for (std::uint32_t row = 0; row < rows.row_count(); ++row) {
    const std::string_view key = rows.key(row, key_buffer);
    has_apart = has_apart || rows.kind(row) == engine::OperationKind::kPutApart;
    ASHLAR_TRY(to.add({.kind = rows.kind(row),
                       .key = key,
                       .value = rows.value(row),
                       .deadline_ms = rows.deadline_ms(row)},
                      base::hash_key(key, hash_seed)));
  }
  return has_apart;
}

}  // namespace

Result<lsm::TableInfo> copy_table(os::Disk& disk, const NewTable& table, const std::string& path) {
  table::TableIdentity identity = table.identity;
  ASHLAR_TRY_ASSIGN(const auto from, table::TableFile::open(disk, table.source, identity,
                                                            table::FilterUse::kIgnore));
  identity.number = table.number;
  const table::TableOptions options{.compression = from->properties().compression,
                                    .filter_bits_per_key = from->properties().filter_bits_per_key};
  ASHLAR_TRY_ASSIGN(const auto to, table::TableWriter::create(disk, path, identity, options));
  bool has_apart = false;
  for (std::size_t block = 0; block < from->block_count(); ++block) {
    if (std::ranges::binary_search(table.lost_blocks, block)) continue;
    ASHLAR_TRY_ASSIGN(const bool block_has_apart,
                      copy_block(*from, block, identity.hash_seed, *to));
    has_apart = has_apart || block_has_apart;
  }
  // No less than its rows refer to; the next compaction counts again.
  if (has_apart) to->set_shares(from->properties().shares);
  ASHLAR_ASSERT(to->row_count() > 0, "a table of which nothing is left is not planned");
  ASHLAR_TRY_ASSIGN(const table::TableProperties properties, to->finish());
  return lsm::TableInfo{.number = table.number,
                        .age_rank = table.age_rank,
                        .file_bytes = properties.file_bytes,
                        .row_count = properties.row_count,
                        .erase_count = properties.erase_count,
                        .expiring_count = properties.expiring_count,
                        .earliest_deadline_ms = properties.earliest_deadline_ms,
                        .smallest = properties.smallest_key,
                        .largest = properties.largest_key};
}

}  // namespace ashlar::db
