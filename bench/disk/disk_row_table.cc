#include "disk/disk_row_table.h"

#include <array>

#include "disk/disk_loops.h"

namespace ashlar::bench {
namespace {

constexpr std::uint64_t kFillKeyCount = 500'000;

// 255 MB of rows.
constexpr std::uint64_t kColdKeyCount = 2'200'000;
constexpr std::size_t kColdMemoryBytes = std::size_t{64} << 20U;

constexpr std::uint64_t kHugeValueCount = 1'500;
constexpr std::size_t kHugeValueBytes = 100'000;

// At most 1.08 of the bytes of the peer.
constexpr Bounds kSizeBounds = {.must = 1 / 1.08, .aim = 1};

constexpr Workload kWorkloadA = {.read_percent = 50, .update_percent = 50};
constexpr Workload kWorkloadB = {.read_percent = 95, .update_percent = 5};
constexpr Workload kWorkloadC = {.read_percent = 100};
constexpr Workload kWorkloadD = {
    .read_percent = 95, .insert_percent = 5, .choice = Workload::Choice::kLatest};
constexpr Workload kWorkloadE = {.insert_percent = 5, .scan_percent = 95};
constexpr Workload kWorkloadF = {.read_percent = 50, .modify_percent = 50};

constexpr std::string_view description_of(const Workload& load) {
  if (load.scan_percent > 0) return "2 threads, 95 % scans of up to 100 rows, 5 % inserts, Zipf";
  if (load.insert_percent > 0) return "2 threads, 95 % reads of the latest, 5 % inserts";
  if (load.modify_percent > 0) return "2 threads, 50 % reads, 50 % reads with a write, Zipf";
  if (load.update_percent > 5) return "2 threads, 50 % reads, 50 % overwrites, Zipf";
  if (load.update_percent > 0) return "2 threads, 95 % reads, 5 % overwrites, Zipf";
  return "2 threads, reads only, Zipf";
}

/// A workload on 1 M values of 100 bytes.
constexpr DiskRow short_values(const Workload& load, std::string_view name) {
  const bool is_scan = load.scan_percent > 0;
  return {.name = name,
          .what = description_of(load),
          .rocksdb = is_scan ? Bounds{.must = 2, .aim = 3.5} : Bounds{.must = 3, .aim = 5},
          .leveldb = Bounds{.must = 3},
          .lmdb = Bounds{.must = 1.2, .aim = 1.8},
          .make = run_workload,
          .workload = load};
}

/// The same on 250 K values of 1 KB.
constexpr DiskRow long_values(const Workload& load, std::string_view name) {
  DiskRow row = short_values(load, name);
  row.key_count = 250'000;
  row.value_bytes = 1'000;
  return row;
}

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
    {.name = "disk-overwrite-sustained",
     .what = "20 M overwrites of 5 M keys, merging included; stalls; shorter with --seconds",
     .rocksdb = {.must = 1.5, .aim = 2.5},
     .leveldb = Bounds{.must = 2},
     .make = overwrite_sustained,
     .key_count = 5'000'000,
     .rounds_max = 1},
    {.name = "disk-readrandom",
     .what = "read, 1 M keys, uniform, in cache, merged",
     .rocksdb = {.must = 2.5, .aim = 4},
     .leveldb = Bounds{.must = 3},
     .lmdb = Bounds{.must = 1.2, .aim = 1.8},
     .make = read_random},
    {.name = "disk-readrandom-loaded",
     .what = "read, 1 M keys, uniform, in cache, as the load left them",
     .rocksdb = {.must = 2.5, .aim = 4},
     .leveldb = Bounds{.must = 3},
     .make = read_random,
     .state = StoreState::kAsLoaded},
    {.name = "disk-readmissing",
     .what = "read keys that are not there, beside 1 M that are",
     .rocksdb = {.must = 2.5, .aim = 4},
     .leveldb = Bounds{.must = 3},
     .make = read_missing,
     .state = StoreState::kAsLoaded},
    {.name = "disk-multiread",
     .what = "read 32 keys at once, 1 M keys, in cache, merged",
     .rocksdb = {.must = 4, .aim = 8},
     .make = read_random,
     .batch_count = 32},
    {.name = "disk-multiread-cold",
     .what = "read 32 keys at once, data four times as large as memory",
     .rocksdb = {.must = 1.8, .aim = 2.3},
     .make = read_batches_cold,
     .key_count = kColdKeyCount,
     .memory_bytes = kColdMemoryBytes,
     .caching = Caching::kLimited,
     .batch_count = 32},
    {.name = "disk-seekrandom",
     .what = "seek a random key and step ten on, 1 M keys, in cache",
     .rocksdb = {.must = 3, .aim = 4.5},
     .leveldb = Bounds{.must = 2},
     .lmdb = Bounds{.must = 0.9, .aim = 1.3},
     .make = seek_random},
    {.name = "disk-readseq",
     .what = "walk forward over 1 M keys, in cache",
     .rocksdb = {.must = 5, .aim = 8},
     .leveldb = Bounds{.must = 2.5},
     .lmdb = Bounds{.must = 0.8, .aim = 1.1},
     .make = walk_forward},
    {.name = "disk-readreverse",
     .what = "walk backward over 1 M keys, in cache",
     .rocksdb = {.must = 5, .aim = 8},
     .leveldb = Bounds{.must = 2.5},
     .lmdb = Bounds{.must = 0.8, .aim = 1.1},
     .make = walk_backward},
    {.name = "disk-readwhilewriting",
     .what = "read, 1 M keys, uniform, beside a thread that overwrites",
     .rocksdb = {.must = 3, .aim = 6},
     .leveldb = Bounds{.must = 3},
     .make = read_while_writing},
    short_values(kWorkloadA, "disk-ycsb-a"),
    short_values(kWorkloadB, "disk-ycsb-b"),
    short_values(kWorkloadC, "disk-ycsb-c"),
    short_values(kWorkloadD, "disk-ycsb-d"),
    short_values(kWorkloadE, "disk-ycsb-e"),
    short_values(kWorkloadF, "disk-ycsb-f"),
    long_values(kWorkloadA, "disk-ycsb-a-1k"),
    long_values(kWorkloadB, "disk-ycsb-b-1k"),
    long_values(kWorkloadC, "disk-ycsb-c-1k"),
    long_values(kWorkloadD, "disk-ycsb-d-1k"),
    long_values(kWorkloadE, "disk-ycsb-e-1k"),
    long_values(kWorkloadF, "disk-ycsb-f-1k"),
    {.name = "disk-zipf-cold",
     .what = "read, Zipf 0.99, data four times as large as memory",
     .rocksdb = {.must = 1.3, .aim = 2},
     .leveldb = Bounds{.must = 1.3},
     .lmdb = Bounds{.must = 1},
     .make = read_zipf_cold,
     .key_count = kColdKeyCount,
     .memory_bytes = kColdMemoryBytes,
     .caching = Caching::kLimited},
    {.name = "disk-values-100k-fill",
     .what = "insert 1,500 values of 100 KB, surviving the process",
     .rocksdb = {.must = 2, .aim = 3},
     .blobs = Bounds{.must = 1.2},
     .leveldb = Bounds{.must = 2},
     .make = fill,
     .key_count = kHugeValueCount,
     .value_bytes = kHugeValueBytes,
     .state = StoreState::kEmpty},
    {.name = "disk-values-100k-read",
     .what = "read of 1,500 values of 100 KB, uniform, in cache",
     .rocksdb = {.must = 2, .aim = 3},
     .blobs = Bounds{.must = 1.2},
     .leveldb = Bounds{.must = 2},
     .make = read_random,
     .key_count = kHugeValueCount,
     .value_bytes = kHugeValueBytes},
    {.name = "disk-size-lz4",
     .what = "bytes on disk for a key of 16 and a value of 100, merged; peers with LZ4",
     .rocksdb = kSizeBounds,
     .leveldb = Bounds{.must = 1},
     .lmdb = Bounds{.must = 1 / 0.7},
     .make = measure_size,
     .compression = BlockCompression::kLz4,
     .unit = "B",
     .rounds_max = 1},
    {.name = "disk-size-zstd",
     .what = "bytes on disk for a key of 16 and a value of 100, merged; peers with ZSTD",
     .rocksdb = kSizeBounds,
     .leveldb = Bounds{.must = 1},
     .lmdb = Bounds{.must = 1 / 0.7},
     .make = measure_size,
     .compression = BlockCompression::kZstd,
     .unit = "B",
     .rounds_max = 1},
    {.name = "disk-write-amplification",
     .what = "bytes to the disk for each byte written, 4 times 400 K random keys",
     .rocksdb = {.must = 1, .aim = 1},
     .make = measure_writes,
     .key_count = 400'000,
     .memory_bytes = std::size_t{64} << 20U,
     .state = StoreState::kEmpty,
     .unit = "x",
     .rounds_max = 1},
    {.name = "disk-open",
     .what = "open 10 M keys, until the first read is answered; fewer with --seconds",
     .rocksdb = {.must = 2, .aim = 4},
     .make = reopen,
     .key_count = 10'000'000},
});

}  // namespace

std::span<const DiskRow> disk_row_table() {
  return kRows;
}

}  // namespace ashlar::bench
