/// \file
/// Keys that are asked for together.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "disk/disk_row.h"
#include "keys.h"
#include "random.h"

namespace ashlar::bench {

/// Draws batches of uniform keys of a row.
///
/// Threads: confined.
class RandomBatch {
 public:
  RandomBatch(const DiskRow& row, std::uint64_t seed)
      : key_count_(row.key_count),
        random_(seed),
        keys_(row.batch_count, Key(0)),
        views_(row.batch_count) {}

  /// Lifetime: the views die with the next draw.
  std::span<const std::string_view> draw() noexcept {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      keys_[i] = Key(random_.below(key_count_));
      views_[i] = keys_[i].view();
    }
    return views_;
  }

  /// What one key of a batch takes when the batch takes `batch`.
  Figure figure_of_a_key(const Figure& batch) const noexcept {
    const auto count = static_cast<double>(keys_.size());
    return {.wall = batch.wall / count, .processor = batch.processor / count};
  }

 private:
  std::uint64_t key_count_;
  Random random_;
  std::vector<Key> keys_;
  std::vector<std::string_view> views_;
};

}  // namespace ashlar::bench
