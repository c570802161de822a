// LevelDB 1.23: filters of ten bits a key, the same memory as the others have. Its only compression
// is Snappy, which stands in for LZ4 and for ZSTD. Checksums are not verified by reads, which is
// its default: it maps its files and would verify a block again each time it is looked into.

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "disk/engines.h"

namespace ashlar::bench {
namespace {

leveldb::Slice slice_of(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::string_view view_of(const leveldb::Slice& slice) {
  return {slice.data(), slice.size()};
}

class LevelDbReader final : public DiskReader {
 public:
  LevelDbReader(leveldb::DB& db, std::size_t value_bytes) : DiskReader(value_bytes), db_(db) {}

  Found get(std::string_view key) override {
    const leveldb::Status status = db_.Get(read_options_, slice_of(key), &value_);
    if (status.IsNotFound()) return Found::kAbsent;
    return status.ok() ? judge(key, value_) : Found::kFailed;
  }

  bool multi_get(std::span<const std::string_view> keys) override {
    bool is_right = true;
    for (const auto key : keys) is_right &= get(key) == Found::kRight;
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
    row_ = {.key = view_of(rows_->key()), .value = view_of(rows_->value())};
    return &row_;
  }

  leveldb::DB& db_;
  leveldb::ReadOptions read_options_;
  std::string value_;
  std::unique_ptr<leveldb::Iterator> rows_;
  StoreRow row_;
};

class LevelDbStore final : public DiskStore {
 public:
  explicit LevelDbStore(const StoreSettings& settings)
      : cache_(leveldb::NewLRUCache(cache_bytes(settings))),
        filter_(leveldb::NewBloomFilterPolicy(10)),
        value_bytes_(settings.value_bytes) {
    leveldb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = settings.memtable_bytes();
    options.block_cache = cache_.get();
    options.filter_policy = filter_.get();
    options.max_open_files = 10'000;
    options.max_file_size = std::size_t{8} << 20U;
    options.compression = settings.compression == BlockCompression::kNone
                              ? leveldb::kNoCompression
                              : leveldb::kSnappyCompression;
    leveldb::DB* db = nullptr;
    const auto opened = leveldb::DB::Open(options, settings.directory, &db);
    if (!opened.ok()) throw std::runtime_error("leveldb: " + opened.ToString());
    db_.reset(db);
  }

  bool put(std::string_view key, std::string_view value) override {
    return db_->Put({}, slice_of(key), slice_of(value)).ok();
  }
  bool write(std::span<const Pair> pairs) override {
    leveldb::WriteBatch batch;
    for (const auto& pair : pairs) batch.Put(slice_of(pair.key), slice_of(pair.value));
    return db_->Write({}, &batch).ok();
  }
  bool erase(std::string_view key) override { return db_->Delete({}, slice_of(key)).ok(); }
  std::unique_ptr<DiskReader> make_reader() override {
    return std::make_unique<LevelDbReader>(*db_, value_bytes_);
  }
  bool compact() override {
    db_->CompactRange(nullptr, nullptr);  // It returns nothing; reads would meet the error.
    return true;
  }

 private:
  // It maps its files, so under a limit the page cache of the system is its better cache.
  static std::size_t cache_bytes(const StoreSettings& settings) {
    return settings.caching == Caching::kLimited
               ? settings.memory_bytes / 8
               : settings.memory_bytes - 2 * settings.memtable_bytes();
  }

  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;  // Goes before what it uses.
  std::size_t value_bytes_;
};

}  // namespace

std::unique_ptr<DiskStore> open_leveldb(const StoreSettings& settings) {
  return std::make_unique<LevelDbStore>(settings);
}

}  // namespace ashlar::bench
