// Ashlar's disk engine, through its public API only.

#include <optional>
#include <stdexcept>
#include <utility>

#include "ashlar/db.h"
#include "disk/engines.h"

namespace ashlar::bench {
namespace {

class AshlarReader final : public DiskReader {
 public:
  AshlarReader(const Db& db, std::size_t value_bytes) : DiskReader(value_bytes), db_(db) {}

  Found get(std::string_view key) override {
    const auto found = db_.get(key);  // The Value is the copy.
    if (!found) return Found::kFailed;
    const auto& value = *found;
    return value ? judge(key, value->view()) : Found::kAbsent;
  }

  bool multi_get(std::span<const std::string_view> keys) override {
    const auto found = db_.multi_get(keys);
    if (!found || found->size() != keys.size()) return false;
    bool is_right = true;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto& value = (*found)[i];
      is_right &= value && judge(keys[i], value->view()) == Found::kRight;
    }
    return is_right;
  }

  void refresh() override { rows_.reset(); }

  const StoreRow* seek(std::string_view from) override {
    if (!open_walk()) return nullptr;
    rows_->seek(from);
    return row();
  }
  const StoreRow* seek_to_first() override {
    if (!open_walk()) return nullptr;
    rows_->seek_to_first();
    return row();
  }
  const StoreRow* seek_to_last() override {
    if (!open_walk()) return nullptr;
    rows_->seek_to_last();
    return row();
  }
  const StoreRow* next() override {
    rows_->next();
    return row();
  }
  const StoreRow* previous() override {
    rows_->previous();
    return row();
  }

  bool has_failed() const override {
    return has_failed_ || (rows_.has_value() && !rows_->status().has_value());
  }

 private:
  bool open_walk() {
    if (rows_.has_value()) return true;
    auto opened = db_.scan();
    if (opened) rows_.emplace(std::move(*opened));
    has_failed_ = has_failed_ || !opened.has_value();
    return rows_.has_value();
  }

  const StoreRow* row() {
    if (!rows_->is_valid()) return nullptr;
    row_ = {.key = rows_->key(), .value = rows_->value()};
    return &row_;
  }

  const Db& db_;
  std::optional<Iterator> rows_;
  StoreRow row_;
  bool has_failed_ = false;
};

class AshlarStore final : public DiskStore {
 public:
  AshlarStore(Db db, std::size_t value_bytes) : db_(std::move(db)), value_bytes_(value_bytes) {}

  bool put(std::string_view key, std::string_view value) override {
    return db_.put(key, value, Expiry::never(), Durability::kProcess).has_value();
  }
  bool write(std::span<const Pair> pairs) override {
    WriteBatch batch;
    for (const auto& pair : pairs) batch.put(pair.key, pair.value);
    return db_.write(batch, Durability::kProcess).has_value();
  }
  bool erase(std::string_view key) override {
    return db_.erase(key, Durability::kProcess).has_value();
  }
  std::unique_ptr<DiskReader> make_reader() override {
    return std::make_unique<AshlarReader>(db_, value_bytes_);
  }
  bool compact() override { return db_.compact().has_value(); }

 private:
  Db db_;
  std::size_t value_bytes_;
};

TableCompression compression_of(BlockCompression compression) {
  switch (compression) {
    case BlockCompression::kNone:
      return TableCompression::kNone;
    case BlockCompression::kLz4:
      return TableCompression::kLz4;
    case BlockCompression::kZstd:
      return TableCompression::kZstd;
  }
  return TableCompression::kNone;
}

}  // namespace

std::unique_ptr<DiskStore> open_ashlar(const StoreSettings& settings) {
  auto opened = Db::open({.directory = settings.directory + "/db",
                          .engine = Engine::kDisk,
                          .table_compression = compression_of(settings.compression),
                          .memory_budget_bytes = settings.memory_bytes});
  if (!opened) throw std::runtime_error("ashlar: " + std::string(opened.error().message()));
  return std::make_unique<AshlarStore>(std::move(*opened), settings.value_bytes);
}

}  // namespace ashlar::bench
