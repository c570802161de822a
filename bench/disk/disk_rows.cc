#include "disk/disk_rows.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "disk/disk_row_table.h"
#include "disk/memory_cage.h"

namespace ashlar::bench {
namespace {

RowOutcome skipped(const Row& row, const std::string& reason) {
  RowOutcome outcome;
  outcome.results.push_back({.name = std::string(row.name),
                             .peer = std::string(kDiskRocksDbName),
                             .must = row.must,
                             .note = reason});
  return outcome;
}

RowOutcome run_disk_row(const Row& row, const Settings& settings) {
  const DiskRow& disk_row = *std::ranges::find(disk_row_table(), row.name, &DiskRow::name);
  if (disk_row.caching == Caching::kLimited && !MemoryCage::is_available()) {
    return skipped(row, "takes the right to make memory control groups (version 1)");
  }
  Settings own = settings;
  own.rounds = std::min(settings.rounds, disk_row.rounds_max);

  Contenders contenders;
  for (const auto& engine : disk_engines()) {
    const bool is_wanted = engine.value_place == ValuePlace::kWithKeys || disk_row.blobs;
    if (is_wanted) contenders.push_back(disk_row.make(engine, disk_row, own));
  }

  std::vector<PeerBounds> more;
  const auto add = [&more](std::string_view peer, const std::optional<Bounds>& bounds) {
    if (bounds) more.push_back({.peer = peer, .must = bounds->must, .aim = bounds->aim});
  };
  add(kDiskRocksDbBlobsName, disk_row.blobs);
  add(kDiskLevelDbName, disk_row.leveldb);
  add(kDiskLmdbName, disk_row.lmdb);
  return compare(row, own, contenders,
                 {.peer = kDiskRocksDbName, .unit = disk_row.unit, .more = more});
}

}  // namespace

std::span<const Row> disk_rows() {
  static const std::vector<Row> kRows = [] {
    std::vector<Row> rows;
    for (const auto& row : disk_row_table()) {
      rows.push_back({.name = row.name,
                      .what = row.what,
                      .must = row.rocksdb.must,
                      .aim = row.rocksdb.aim,
                      .run = run_disk_row});
    }
    return rows;
  }();
  return kRows;
}

}  // namespace ashlar::bench
