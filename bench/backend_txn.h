/// \file
/// Stores with transactions: Ashlar with either engine, and RocksDB's two kinds where it is
/// installed. All keep a log that survives the process, and make sure that what was read stands.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "ashlar/transaction.h"
#include "backend_ashlar.h"
#include "bench_directory.h"

#ifdef ASHLAR_BENCH_ROCKSDB
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/optimistic_transaction_db.h>
#include <rocksdb/utilities/transaction.h>
#include <rocksdb/utilities/transaction_db.h>
#endif

namespace ashlar::bench {

inline constexpr std::size_t kTxnMemoryBytes = std::size_t{1} << 30U;

/// Four keys to read and two to write, with their value.
struct TxnPlan {
  std::array<std::string_view, 4> reads;
  std::array<std::string_view, 2> writes;
  std::string_view value;
};

/// Threads: thread-safe.
template <Engine kEngine, Isolation kIsolation = Isolation::kSerializable>
class AshlarTransactions {
 public:
  static constexpr std::string_view kName =
      kIsolation == Isolation::kSnapshot ? "ashlar, snapshot" : "ashlar";

  AshlarTransactions()
      : directory_(kIsolation == Isolation::kSnapshot ? "ashlar-snapshot" : "ashlar"),
        db_(open_or_throw({.directory = directory_.path() + "/db",
                           .engine = kEngine,
                           .memory_budget_bytes = kTxnMemoryBytes})) {}

  bool put(std::string_view key, std::string_view value) {
    return db_.put(key, value, Expiry::never(), Durability::kProcess).has_value();
  }

  bool has(std::string_view key) { return db_.exists(key).value_or(false); }

  /// Merges what was loaded as far as that goes.
  bool settle() { return db_.compact().has_value(); }

  /// Runs one until it commits. Returns: whether it did, and every read found something
  bool run(const TxnPlan& plan) {
    return transact(
               db_,
               [&](Transaction& transaction) -> Result<void> {
                 for (const std::string_view key : plan.reads) {
                   auto found = transaction.get(key);
                   if (!found) return std::unexpected(found.error());
                   if (!*found) return std::unexpected(absent());
                 }
                 for (const std::string_view key : plan.writes) {
                   if (auto put = transaction.put(key, plan.value); !put) return put;
                 }
                 return {};
               },
               kOptions)
        .has_value();
  }

  /// Reads the number under `key`, and adds one to it.
  bool count_up(std::string_view key) {
    return transact(
               db_,
               [&](Transaction& transaction) -> Result<void> {
                 auto found = transaction.get(key);
                 if (!found) return std::unexpected(found.error());
                 if (!*found) return std::unexpected(absent());
                 return transaction.put(key, std::to_string(std::stoull(text(**found)) + 1));
               },
               kOptions)
        .has_value();
  }
  std::uint64_t number(std::string_view key) { return std::stoull(text(*db_.get(key).value())); }

 private:
  static constexpr TransactOptions kOptions{
      .isolation = kIsolation, .durability = Durability::kProcess, .run_count_max = 1'000'000};

  static std::string text(const Value& value) { return std::string(value.view()); }
  static Error absent() {
    return Error::of_literal(ErrorCode::kInvalidArgument, "a key that was loaded is absent");
  }

  BenchDirectory directory_;
  Db db_;
};

#ifdef ASHLAR_BENCH_ROCKSDB

/// How either kind is opened.
struct RocksDbOptimistic {
  static constexpr std::string_view kName = "rocksdb optimistic";
  using Database = rocksdb::OptimisticTransactionDB;
  static rocksdb::Status open(const rocksdb::Options& options, const std::string& path,
                              Database** db) {
    return Database::Open(options, path, db);
  }
  using TransactionOptions = rocksdb::OptimisticTransactionOptions;
  static TransactionOptions options() { return {}; }
};
struct RocksDbPessimistic {
  static constexpr std::string_view kName = "rocksdb locking";
  using Database = rocksdb::TransactionDB;
  static rocksdb::Status open(const rocksdb::Options& options, const std::string& path,
                              Database** db) {
    return Database::Open(options, rocksdb::TransactionDBOptions(), path, db);
  }
  using TransactionOptions = rocksdb::TransactionOptions;
  static TransactionOptions options() {
    TransactionOptions options;
    options.deadlock_detect = true;
    return options;
  }
};

/// Threads: thread-safe.
template <typename Kind>
class RocksDbTransactions {
 public:
  static constexpr std::string_view kName = Kind::kName;

  RocksDbTransactions() : directory_("rocksdb") {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    options.max_background_jobs = 2;
    options.write_buffer_size = kTxnMemoryBytes / 16;
    // What validates transactions looks into memtables.
    options.max_write_buffer_size_to_maintain = static_cast<std::int64_t>(kTxnMemoryBytes / 16);
    rocksdb::BlockBasedTableOptions table;
    table.block_cache =
        rocksdb::HyperClockCacheOptions(kTxnMemoryBytes / 4 * 3, 8192).MakeSharedCache();
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    typename Kind::Database* db = nullptr;
    const rocksdb::Status opened = Kind::open(options, directory_.path(), &db);
    if (!opened.ok()) throw std::runtime_error("rocksdb: " + opened.ToString());
    db_.reset(db);
  }

  bool put(std::string_view key, std::string_view value) {
    return db_->Put({}, slice(key), slice(value)).ok();
  }

  bool has(std::string_view key) {
    rocksdb::PinnableSlice value;
    return db_->Get({}, db_->DefaultColumnFamily(), slice(key), &value).ok();
  }

  bool settle() {
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    return db_->Flush({}).ok() && db_->CompactRange(options, nullptr, nullptr).ok();
  }

  bool run(const TxnPlan& plan) {
    return until_committed([&](rocksdb::Transaction& transaction) {
      std::string value;
      for (const std::string_view key : plan.reads) {
        const auto status = transaction.GetForUpdate({}, slice(key), &value);
        if (!status.ok()) return status;
      }
      for (const std::string_view key : plan.writes) {
        const auto status = transaction.Put(slice(key), slice(plan.value));
        if (!status.ok()) return status;
      }
      return rocksdb::Status();
    });
  }

  bool count_up(std::string_view key) {
    return until_committed([&](rocksdb::Transaction& transaction) {
      std::string value;
      const auto status = transaction.GetForUpdate({}, slice(key), &value);
      if (!status.ok()) return status;
      return transaction.Put(slice(key), std::to_string(std::stoull(value) + 1));
    });
  }
  std::uint64_t number(std::string_view key) {
    std::string value;
    return db_->Get({}, slice(key), &value).ok() ? std::stoull(value) : 0;
  }

 private:
  static rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
  static bool is_conflict(const rocksdb::Status& status) {
    return status.IsBusy() || status.IsTimedOut() || status.IsTryAgain();
  }

  /// Keeps the transaction object of a thread, as its own users do. Threads end before the store.
  template <typename Body>
  bool until_committed(Body body) {
    thread_local std::unique_ptr<rocksdb::Transaction> kept;
    const typename Kind::TransactionOptions options = Kind::options();
    while (true) {
      rocksdb::Transaction* const reused = kept.release();
      kept.reset(db_->BeginTransaction({}, options, reused));
      rocksdb::Status status = body(*kept);
      if (status.ok()) status = kept->Commit();
      if (status.ok()) return true;
      (void)kept->Rollback();
      if (!is_conflict(status)) return false;
    }
  }

  BenchDirectory directory_;
  std::unique_ptr<typename Kind::Database> db_;
};

#endif

}  // namespace ashlar::bench
