/// \file
/// A row of the disk engines as data: what is stored, what is done with it, what is demanded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "contender.h"
#include "disk/engines.h"

namespace ashlar::bench {

/// What the ratio to a peer must be, and should; what a designated initialiser may leave out needs
/// one of its own, or g++ warns.
struct Bounds {
  double must;
  std::optional<double> aim = {};  // NOLINT(readability-redundant-member-init)
};

/// What is in the store when a round begins.
enum class StoreState : std::uint8_t {
  kEmpty,
  kAsLoaded,   ///< Loaded in no order, merged as far as the engine did by itself.
  kCompacted,  ///< Loaded in the order of keys, then merged as far as it goes.
};

/// In which order a row writes its keys.
enum class KeyOrder : std::uint8_t { kRandom, kAscending };

/// The shares of one kind of load, in percent, and which keys it asks for.
struct Workload {
  int read_percent = 0;
  int update_percent = 0;
  int insert_percent = 0;
  int scan_percent = 0;
  int modify_percent = 0;  ///< A read, then a write of the same key.
  enum class Choice : std::uint8_t { kZipf, kLatest } choice = Choice::kZipf;
};

struct DiskRow;

/// Makes one side of a row.
using MakeDiskContender = std::unique_ptr<Contender> (*)(const DiskEngine& engine,
                                                         const DiskRow& row,
                                                         const Settings& settings);

/// One row.
struct DiskRow {
  std::string_view name;
  std::string_view what;
  Bounds rocksdb;  ///< The peer of the row.
  // NOLINTBEGIN(readability-redundant-member-init)
  std::optional<Bounds> blobs = {};    ///< RocksDB with blob files; absent: it does not take part.
  std::optional<Bounds> leveldb = {};  ///< Absent: for information. So with LMDB.
  std::optional<Bounds> lmdb = {};
  // NOLINTEND(readability-redundant-member-init)
  MakeDiskContender make;

  std::uint64_t key_count = 1'000'000;
  std::size_t value_bytes = kValueBytes;
  std::size_t memory_bytes = std::size_t{512} << 20U;
  StoreState state = StoreState::kCompacted;
  KeyOrder order = KeyOrder::kRandom;
  BlockCompression compression = BlockCompression::kNone;
  Caching caching = Caching::kAllInCache;
  std::size_t batch_count = 1;  ///< Keys in one read or write.
  Workload workload = {};
  std::string_view unit = "ns";
  int rounds_max = 1000;
};

}  // namespace ashlar::bench
