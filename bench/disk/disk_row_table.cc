#include "disk/disk_row_table.h"

#include <array>

#include "disk/disk_loops.h"

namespace ashlar::bench {
namespace {

constexpr std::uint64_t kFillKeyCount = 500'000;

constexpr auto kRows = std::to_array<DiskRow>({
    {.name = "disk-fillseq",
     .what = "insert 500 K ascending keys, surviving the process",
     .rocksdb = {.must = 3, .aim = 6},
     .leveldb = Bounds{.must = 3},
     .lmdb = Bounds{.must = 1, .aim = 2},
     .make = fill,
     .key_count = kFillKeyCount,
     .state = StoreState::kEmpty,
     .order = KeyOrder::kAscending},
    {.name = "disk-fillrandom",
     .what = "insert 500 K random keys, surviving the process",
     .rocksdb = {.must = 3, .aim = 6},
     .leveldb = Bounds{.must = 3},
     .lmdb = Bounds{.must = 1, .aim = 2},
     .make = fill,
     .key_count = kFillKeyCount,
     .state = StoreState::kEmpty},
    {.name = "disk-fillbatch",
     .what = "insert 500 K ascending keys, 1,000 a batch, surviving the process",
     .rocksdb = {.must = 3, .aim = 6},
     .leveldb = Bounds{.must = 3},
     .lmdb = Bounds{.must = 1, .aim = 2},
     .make = fill,
     .key_count = kFillKeyCount,
     .state = StoreState::kEmpty,
     .order = KeyOrder::kAscending,
     .batch_count = 1000},
    {.name = "disk-overwrite",
     .what = "overwrite 500 K random keys, surviving the process",
     .rocksdb = {.must = 3, .aim = 6},
     .leveldb = Bounds{.must = 3},
     .lmdb = Bounds{.must = 1, .aim = 2},
     .make = overwrite,
     .key_count = kFillKeyCount},
    {.name = "disk-deleterandom",
     .what = "delete all of 500 K keys in random order, surviving the process",
     .rocksdb = {.must = 3, .aim = 6},
     .leveldb = Bounds{.must = 3},
     .lmdb = Bounds{.must = 1, .aim = 2},
     .make = delete_all,
     .key_count = kFillKeyCount},
});

}  // namespace

std::span<const DiskRow> disk_row_table() {
  return kRows;
}

}  // namespace ashlar::bench
