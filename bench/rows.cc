#include "rows.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "disk/disk_rows.h"

namespace ashlar::bench {

namespace {

constexpr std::array<Row, 24> kRows = {{
    {.name = "mem-get", .what = "read, 1 M keys, uniform", .must = 3, .aim = 5, .run = run_get},
    {.name = "mem-get-hot",
     .what = "read, 10 K keys, uniform",
     .must = 1.5,
     .aim = 3,
     .run = run_get_hot},
    {.name = "mem-set",
     .what = "overwrite, 1 M keys, uniform",
     .must = 2.5,
     .aim = 4,
     .run = run_set},
    {.name = "mem-insert",
     .what = "insert 1 M keys into an empty store",
     .must = 5,
     .aim = 8,
     .run = run_insert},
    {.name = "mem-delete",
     .what = "delete all of 1 M keys, shuffled",
     .must = 5,
     .aim = 8,
     .run = run_delete},
    {.name = "mem-batch-get",
     .what = "read 10 keys in one batch, 1 M keys",
     .must = 4,
     .aim = 7,
     .run = run_batch_get},
    {.name = "mem-batch-set",
     .what = "overwrite 10 keys in one batch, 1 M keys",
     .must = 4,
     .aim = 7,
     .run = run_batch_set},
    {.name = "mem-mixed-95-5",
     .what = "2 threads, 95 % reads, Zipf 0.99",
     .must = 2.5,
     .aim = 4,
     .run = run_mixed_95_5},
    {.name = "mem-mixed-50-50",
     .what = "2 threads, 50 % reads, Zipf 0.99",
     .must = 2.5,
     .aim = 4,
     .run = run_mixed_50_50},
    {.name = "mem-scan",
     .what = "100 rows in order from a random start",
     .must = 1.5,
     .aim = 3,
     .run = run_scan},
    {.name = "mem-bytes-per-key",
     .what = "memory of a key of 16 and a value of 100 bytes",
     .must = 155,
     .aim = 142,
     .run = run_bytes_per_key},
    {.name = "mem-expiry-churn",
     .what = "1 M keys expire a second: dead share, latency",
     .must = 5,
     .aim = 1,
     .run = run_expiry_churn},
    {.name = "mem-hit-ratio",
     .what = "Zipf 0.99 with scans, budget of 10 %, against LRU",
     .must = 2,
     .aim = 4,
     .run = run_hit_ratio},
    {.name = "log-fillseq",
     .what = "insert 1 M ascending keys, surviving the process",
     .must = 4,
     .aim = 7,
     .run = run_log_fillseq},
    {.name = "log-fillrandom",
     .what = "insert 1 M random keys, surviving the process",
     .must = 4,
     .aim = 7,
     .run = run_log_fillrandom},
    {.name = "log-sync-1",
     .what = "1 thread, each write survives a power cut",
     .must = 1.5,
     .aim = 1.9,
     .run = run_log_sync_1},
    {.name = "log-sync-16",
     .what = "16 threads, each write survives a power cut",
     .must = 2.5,
     .aim = 4,
     .run = run_log_sync_16},
    {.name = "log-recovery",
     .what = "open 1 GiB of log, until the first read is answered",
     .must = 2,
     .aim = 4,
     .run = run_log_recovery},
    {.name = "checkpoint",
     .what = "write 1 M keys to a file beside a writer: time, memory, latency",
     .must = 1,
     .aim = 1.5,
     .run = run_checkpoint},
    {.name = "txn-low",
     .what = "transaction of 4 reads and 2 writes, 1 M keys, uniform",
     .must = 3,
     .aim = 6,
     .run = run_txn_low},
    {.name = "txn-low-disk",
     .what = "the same on the disk engine",
     .must = 3,
     .aim = 6,
     .run = run_txn_low_disk},
    {.name = "txn-high",
     .what = "the same, 2 threads, Zipf 0.99 over 1 K keys",
     .must = 2,
     .aim = 3,
     .run = run_txn_high},
    {.name = "txn-counter",
     .what = "8 threads count one number up",
     .must = 2,
     .aim = 4,
     .run = run_txn_counter},
    {.name = "txn-serializable-cost",
     .what = "a serializable transaction against one at a snapshot",
     .must = 1 / 1.15,
     .aim = 1 / 1.07,
     .run = run_txn_serializable_cost},
}};

}  // namespace

std::span<const Row> all_rows() {
  static const std::vector<Row> kAll = [] {
    std::vector<Row> rows(kRows.begin(), kRows.end());
    std::ranges::copy(disk_rows(), std::back_inserter(rows));
    return rows;
  }();
  return kAll;
}

}  // namespace ashlar::bench
