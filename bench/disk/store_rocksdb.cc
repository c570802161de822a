// RocksDB 7.8, set up as its own users do who want it fast: lock-free cache, hash index in data
// blocks, filters of ten bits a key, index and filters out of the cache's reach, pipelined writes.

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "disk/engines.h"

namespace ashlar::bench {
namespace {

rocksdb::Slice slice_of(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

class RocksDbReader final : public DiskReader {
 public:
  RocksDbReader(rocksdb::DB& db, std::size_t value_bytes) : DiskReader(value_bytes), db_(db) {}

  Found get(std::string_view key) override {
    const rocksdb::Status status = db_.Get(read_options_, slice_of(key), &value_);
    if (status.IsNotFound()) return Found::kAbsent;
    return status.ok() ? judge(key, value_) : Found::kFailed;
  }

  bool multi_get(std::span<const std::string_view> keys) override {
    slices_.clear();
    for (const auto key : keys) slices_.push_back(slice_of(key));
    values_.resize(keys.size());
    statuses_.resize(keys.size());
    for (auto& value : values_) value.Reset();
    db_.MultiGet(read_options_, db_.DefaultColumnFamily(), keys.size(), slices_.data(),
                 values_.data(), statuses_.data());
    bool is_right = true;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!statuses_[i].ok()) return false;
      value_.assign(values_[i].data(), values_[i].size());
      is_right &= judge(keys[i], value_) == Found::kRight;
    }
    return is_right;
  }

  void refresh() override { rows_.reset(); }

  const StoreRow* seek(std::string_view from) override {
    open_walk();
    rows_->Seek(slice_of(from));
    return row();
  }
  const StoreRow* seek_to_first() override {
    open_walk();
    rows_->SeekToFirst();
    return row();
  }
  const StoreRow* seek_to_last() override {
    open_walk();
    rows_->SeekToLast();
    return row();
  }
  const StoreRow* next() override {
    rows_->Next();
    return row();
  }
  const StoreRow* previous() override {
    rows_->Prev();
    return row();
  }

  bool has_failed() const override { return rows_ && !rows_->status().ok(); }

 private:
  void open_walk() {
    if (!rows_) rows_.reset(db_.NewIterator(read_options_));
  }

  const StoreRow* row() {
    if (!rows_->Valid()) return nullptr;
    row_ = {.key = rows_->key().ToStringView(), .value = rows_->value().ToStringView()};
    return &row_;
  }

  rocksdb::DB& db_;
  rocksdb::ReadOptions read_options_;
  std::string value_;
  std::vector<rocksdb::Slice> slices_;
  std::vector<rocksdb::PinnableSlice> values_;
  std::vector<rocksdb::Status> statuses_;
  std::unique_ptr<rocksdb::Iterator> rows_;
  StoreRow row_;
};

class RocksDbStore final : public DiskStore {
 public:
  RocksDbStore(std::unique_ptr<rocksdb::DB> db, std::size_t value_bytes)
      : db_(std::move(db)), value_bytes_(value_bytes) {}

  bool put(std::string_view key, std::string_view value) override {
    return db_->Put({}, slice_of(key), slice_of(value)).ok();
  }
  bool write(std::span<const Pair> pairs) override {
    rocksdb::WriteBatch batch;
    for (const auto& pair : pairs) {
      if (!batch.Put(slice_of(pair.key), slice_of(pair.value)).ok()) return false;
    }
    return db_->Write({}, &batch).ok();
  }
  bool erase(std::string_view key) override { return db_->Delete({}, slice_of(key)).ok(); }
  std::unique_ptr<DiskReader> make_reader() override {
    return std::make_unique<RocksDbReader>(*db_, value_bytes_);
  }
  bool compact() override {
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    return db_->Flush({}).ok() && db_->CompactRange(options, nullptr, nullptr).ok();
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::size_t value_bytes_;
};

rocksdb::CompressionType compression_of(BlockCompression compression) {
  switch (compression) {
    case BlockCompression::kNone:
      return rocksdb::kNoCompression;
    case BlockCompression::kLz4:
      return rocksdb::kLZ4Compression;
    case BlockCompression::kZstd:
      return rocksdb::kZSTD;
  }
  return rocksdb::kNoCompression;
}

rocksdb::BlockBasedTableOptions table_options(const StoreSettings& settings) {
  // Two memtables may be full of rows at once; what is left of the memory caches blocks.
  const std::size_t cache_bytes = settings.memory_bytes - 2 * settings.memtable_bytes();
  rocksdb::BlockBasedTableOptions options;
  // What the cache is told to expect of an entry decides how many it has room for.
  const std::size_t entry_bytes = std::max(options.block_size, settings.value_bytes);
  options.block_cache = rocksdb::HyperClockCacheOptions(cache_bytes, entry_bytes).MakeSharedCache();
  options.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  options.cache_index_and_filter_blocks = false;
  options.format_version = 5;
  return options;
}

rocksdb::Options options_of(const StoreSettings& settings) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.max_background_jobs = 2;
  options.enable_pipelined_write = true;
  options.max_open_files = -1;
  options.write_buffer_size = settings.memtable_bytes();
  options.compression = compression_of(settings.compression);
  const rocksdb::BlockBasedTableOptions table = table_options(settings);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.use_direct_reads = settings.caching == Caching::kLimited;
  options.use_direct_io_for_flush_and_compaction = options.use_direct_reads;
  if (settings.value_place == ValuePlace::kBlobFiles) {
    options.enable_blob_files = true;
    options.blob_cache = table.block_cache;
    options.min_blob_size = 4096;
    options.blob_compression_type = options.compression;
    options.enable_blob_garbage_collection = true;
  }
  return options;
}

}  // namespace

std::unique_ptr<DiskStore> open_rocksdb(const StoreSettings& settings) {
  rocksdb::DB* db = nullptr;
  const auto opened = rocksdb::DB::Open(options_of(settings), settings.directory, &db);
  if (!opened.ok()) throw std::runtime_error("rocksdb: " + opened.ToString());
  return std::make_unique<RocksDbStore>(std::unique_ptr<rocksdb::DB>(db), settings.value_bytes);
}

}  // namespace ashlar::bench
