/// \file
/// The engines that the disk rows compare.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "disk/disk_store.h"

namespace ashlar::bench {

inline constexpr std::string_view kDiskAshlarName = "ashlar";
inline constexpr std::string_view kDiskRocksDbName = "rocksdb";
inline constexpr std::string_view kDiskRocksDbBlobsName = "rocksdb, blob files";
inline constexpr std::string_view kDiskLevelDbName = "leveldb";
inline constexpr std::string_view kDiskLmdbName = "lmdb";

/// A way to open a store.
struct DiskEngine {
  std::string_view name;
  /// Opens the store in `settings.directory`, making it when there is none. Throws
  /// std::runtime_error with the reason when it cannot.
  std::unique_ptr<DiskStore> (*open)(const StoreSettings& settings);
  ValuePlace value_place = ValuePlace::kWithKeys;  ///< Other places are for long values only.
};

/// Ours first, then the peers that were installed when the bench was built.
std::span<const DiskEngine> disk_engines();

std::unique_ptr<DiskStore> open_ashlar(const StoreSettings& settings);
std::unique_ptr<DiskStore> open_rocksdb(const StoreSettings& settings);
std::unique_ptr<DiskStore> open_leveldb(const StoreSettings& settings);
std::unique_ptr<DiskStore> open_lmdb(const StoreSettings& settings);

}  // namespace ashlar::bench
