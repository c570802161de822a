/// \file
/// Stores that keep a log on disk: Ashlar with a directory and, where it is installed, RocksDB.
/// Each is made in a directory of its own, which goes with it.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "ashlar/db.h"
#include "backend_ashlar.h"
#include "bench_directory.h"

#ifdef ASHLAR_BENCH_ROCKSDB
#include <rocksdb/db.h>
#include <rocksdb/table.h>
#endif

namespace ashlar::bench {

/// Threads: thread-safe.
class DurableAshlar {
 public:
  static constexpr std::string_view kName = "ashlar";

  DurableAshlar()
      : directory_("ashlar"),
        db_(open_or_throw({.directory = directory_.path() + "/db",
                           .memory_budget_bytes = std::size_t{4} << 30U})) {}

  bool put(std::string_view key, std::string_view value, bool is_synced) {
    const Durability durability = is_synced ? Durability::kDisk : Durability::kProcess;
    return db_.put(key, value, Expiry::never(), durability).has_value();
  }
  bool has(std::string_view key, std::string_view value) {
    const auto found = db_.get(key);
    return found && *found && (*found)->view() == value;
  }

 private:
  BenchDirectory directory_;
  Db db_;
};

/// The name of the peer RocksDB, whether it was built or not.
inline constexpr std::string_view kRocksDbName = "rocksdb";

#ifdef ASHLAR_BENCH_ROCKSDB

/// Threads: thread-safe.
class RocksDbBackend {
 public:
  static constexpr std::string_view kName = kRocksDbName;

  RocksDbBackend() : directory_("rocksdb") {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    options.max_background_jobs = 2;
    options.enable_pipelined_write = true;
    options.write_buffer_size = std::size_t{128} << 20U;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status opened = rocksdb::DB::Open(options, directory_.path(), &db);
    if (!opened.ok()) throw std::runtime_error("rocksdb: " + opened.ToString());
    db_.reset(db);
  }

  bool put(std::string_view key, std::string_view value, bool is_synced) {
    rocksdb::WriteOptions options;
    options.sync = is_synced;
    return db_->Put(options, {key.data(), key.size()}, {value.data(), value.size()}).ok();
  }
  bool has(std::string_view key, std::string_view value) {
    std::string found;
    return db_->Get({}, {key.data(), key.size()}, &found).ok() && found == value;
  }

 private:
  BenchDirectory directory_;
  std::unique_ptr<rocksdb::DB> db_;
};

#endif

}  // namespace ashlar::bench
