/// \file
/// Blocks of several tables that are read from the disk side by side.
///
/// Two threads may want the same blocks in different order. Each ends the loads that it has begun
/// before it waits for those of the other (W17 of table/block_cache.h), so neither waits for ever.
///
/// Invariants:
///   V39  Of a batch at most `kBytesMax` are read at a time, or one block.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "lsm/open_table.h"
#include "table/block_cache.h"

namespace ashlar::lsm {

/// Threads:  confined.
/// Lifetime: inside of one guard.
class BlockBatch {
 public:
  /// Thirty-two blocks of the usual size are a quarter of this.
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20U;

  /// Adds a block that is not in memory, before `load`. The same one may be added again.
  ///
  /// Returns: its number; nullopt when the batch has to be loaded first
  /// Errors:  kOutOfSpace  the budget has no room for even one block
  Result<std::optional<std::size_t>> add(const OpenTable& table, std::size_t block);

  /// Brings all blocks into memory. Once only.
  ///
  /// Errors: kIo, kCorruption, kOutOfSpace  the first of those that the blocks had: names file and
  ///                                        offset. The others are in the cache all the same.
  /// Cost:   one wait for the disk, where it reads side by side
  Result<void> load();

  /// The bytes of the block with that number, once loaded.
  std::string_view block(std::size_t number) const noexcept { return wanted_[number].bytes; }

  bool is_empty() const noexcept { return wanted_.empty(); }

 private:
  struct Wanted {
    const OpenTable* table;
    std::size_t block;
    table::BlockLoad load;
    std::string_view bytes = {};
  };

  void read_ours();

  std::vector<Wanted> wanted_;
  std::size_t read_bytes_ = 0;  // Of those that are ours to load.
};

}  // namespace ashlar::lsm
