#include "disk/engines.h"

#include <array>

namespace ashlar::bench {
namespace {

constexpr auto kEngines = std::to_array<DiskEngine>({
    {.name = kDiskAshlarName, .open = open_ashlar},
#ifdef ASHLAR_BENCH_ROCKSDB
    {.name = kDiskRocksDbName, .open = open_rocksdb},
    {.name = kDiskRocksDbBlobsName, .open = open_rocksdb, .value_place = ValuePlace::kBlobFiles},
#endif
#ifdef ASHLAR_BENCH_LEVELDB
    {.name = kDiskLevelDbName, .open = open_leveldb},
#endif
#ifdef ASHLAR_BENCH_LMDB
    {.name = kDiskLmdbName, .open = open_lmdb},
#endif
});

}  // namespace

std::span<const DiskEngine> disk_engines() {
  return kEngines;
}

}  // namespace ashlar::bench
