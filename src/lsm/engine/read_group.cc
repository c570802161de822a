// Many keys at once. All of them take a step before any takes the next, so that what one waits for
// the others wait for as well:
//
//     lines of memtable and filters, asked for ahead -> memtables
//     then in rounds, as long as there are keys without an answer:
//       each key's next table whose filter says yes -> its row, where that is kept by itself
//       -> its block in there
//       -> blocks in memory, asked for ahead; all others in one batch from the disk -> rows
//
// A round is of one table for each key: who is found in an upper level never has a block of a lower
// one read. Hardly any key needs two: for that a filter must be wrong.

#include <algorithm>
#include <array>
#include <span>

#include "base/assert.h"
#include "base/hints.h"
#include "lsm/engine/block_batch.h"
#include "lsm/engine/engine_core.h"

namespace ashlar::lsm {

/// A key on its way down.
struct DiskEngine::KeyRead {
  std::string_view key;
  std::uint64_t hash = 0;
  std::size_t index = 0;             // Among the keys of the group.
  std::size_t seen_table_count = 0;  // Of those that may have the key by their ends.
  const OpenTable* table = nullptr;  // The last one of them,
  std::size_t block = 0;             // the block in it that would have the key,
  std::string_view bytes;            // and its bytes, once they are in memory.
  std::optional<std::size_t> number_in_batch;
  std::optional<Row> row;

  bool go_to_next_table(const Version& version);
  void look_in_memory() noexcept;
};

/// Returns: false when there is none that may have the key
bool DiskEngine::KeyRead::go_to_next_table(const Version& version) {
  std::size_t table_count = 0;
  return version.visit_tables_for(key, [&](const Table& candidate) {
    if (++table_count <= seen_table_count) return false;
    seen_table_count = table_count;
    table = &opened(candidate);
    if (!table->may_contain(hash)) return false;
    block = table->file().block_of(key);
    bytes = {};
    table->prefetch_block(block);
    return true;
  });
}

void DiskEngine::KeyRead::look_in_memory() noexcept {
  if (const auto kept = table->find_kept(key, hash)) {
    row = row_of(*kept);
    return;
  }
  bytes = table->cached(block);
  base::prefetch(bytes.data());
}

namespace {

/// Brings the blocks that are not in memory there, as many at a time as a batch takes.
template <typename KeyRead>
Result<void> load_blocks(std::span<KeyRead> reads) {
  for (bool is_complete = false; !is_complete;) {
    is_complete = true;
    BlockBatch batch;
    for (KeyRead& read : reads) {
      read.number_in_batch.reset();
      if (!read.bytes.empty()) continue;
      if (is_complete) {
        ASHLAR_TRY_ASSIGN(read.number_in_batch, batch.add(*read.table, read.block));
        is_complete = read.number_in_batch.has_value();
      }
    }
    if (batch.is_empty()) return {};
    ASHLAR_TRY(batch.load());
    for (KeyRead& read : reads) {
      if (read.number_in_batch) read.bytes = batch.block(*read.number_in_batch);
    }
  }
  return {};
}

}  // namespace

Result<void> DiskEngine::read_group(const State& state, Sequence sequence,
                                    std::span<const std::string_view> keys,
                                    const engine::View& view,
                                    std::span<std::optional<Value>> values) const {
  ASHLAR_ASSERT(keys.size() <= kKeysPerGuard, "a group is read under one guard");
  std::array<KeyRead, kKeysPerGuard> reads;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    reads[i].key = keys[i];
    reads[i].hash = hash_of(keys[i]);
    reads[i].index = i;
    (*state.active)->prefetch(reads[i].hash);
  }
  const std::span<KeyRead> all(reads.data(), keys.size());
  for (const KeyRead& read : all) {
    state.version->visit_tables_for(read.key, [&](const Table& table) {
      opened(table).prefetch(read.hash);
      return true;
    });
  }
  for (KeyRead& read : all) {
    read.row = find_in_memtables(state, read.key, read.hash, sequence);
  }
  const auto below =
      std::ranges::partition(all, [](const KeyRead& read) { return read.row.has_value(); });
  ASHLAR_TRY(find_in_tables(state, {below.begin(), below.end()}));
  for (const KeyRead& read : all) {
    std::optional<Value>& value = values[read.index];
    value.reset();
    if (!read.row || !is_visible(*read.row, view)) continue;
    value.emplace();
    ASHLAR_TRY(copy_value(*read.row, *value));
  }
  return {};
}

/// Finds the rows of `reads`, of which no memtable knows.
Result<void> DiskEngine::find_in_tables(const State& state, std::span<KeyRead> reads) {
  while (true) {
    const auto end = std::partition(reads.begin(), reads.end(), [&](KeyRead& read) {
      return !read.row && read.go_to_next_table(*state.version);
    });
    reads = {reads.begin(), end};
    if (reads.empty()) return {};
    for (KeyRead& read : reads) read.look_in_memory();
    const std::span<KeyRead> open(
        reads.begin(), std::partition(reads.begin(), reads.end(),
                                      [](const KeyRead& read) { return !read.row.has_value(); }));
    ASHLAR_TRY(load_blocks(open));
    for (KeyRead& read : open) {
      const auto found = OpenTable::search(read.bytes, read.key, read.hash);
      if (!found) continue;
      read.row = row_of(*found);
      if (read.number_in_batch) read.table->keep(read.key, read.hash, *found);
    }
  }
}

}  // namespace ashlar::lsm
