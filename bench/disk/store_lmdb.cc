// LMDB 0.9.24 at the durability of the others: MDB_NOSYNC with a writable map, whose pages outlive
// the process. A read transaction is kept until something has been written, as a user would keep it
// who knows; then it is renewed.

#include <lmdb.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>

#include "disk/engines.h"

namespace ashlar::bench {
namespace {

// Of address space and of a sparse file, not of memory or disk.
constexpr std::size_t kMapBytes = std::size_t{64} << 30U;

// LMDB takes pointers to what it does not change.
MDB_val val_of(std::string_view bytes) {
  return {.mv_size = bytes.size(), .mv_data = const_cast<char*>(bytes.data())};
}

std::string_view view_of(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

void throw_unless_done(int code, const char* call) {
  if (code != 0) throw std::runtime_error(std::string("lmdb: ") + call + ": " + mdb_strerror(code));
}

/// What readers and writers of one environment share.
struct LmdbEnvironment {
  MDB_env* env = nullptr;
  MDB_dbi dbi = 0;
  std::atomic<std::uint64_t> commit_count = 0;  // Readers renew when it has changed.

  LmdbEnvironment() = default;
  LmdbEnvironment(const LmdbEnvironment&) = delete;
  LmdbEnvironment& operator=(const LmdbEnvironment&) = delete;
  ~LmdbEnvironment() { mdb_env_close(env); }
};

class LmdbReader final : public DiskReader {
 public:
  LmdbReader(LmdbEnvironment& environment, std::size_t value_bytes)
      : DiskReader(value_bytes), environment_(environment), seen_count_(commit_count()) {
    throw_unless_done(mdb_txn_begin(environment.env, nullptr, MDB_RDONLY, &txn_), "mdb_txn_begin");
    throw_unless_done(mdb_cursor_open(txn_, environment.dbi, &cursor_), "mdb_cursor_open");
  }
  LmdbReader(const LmdbReader&) = delete;
  LmdbReader& operator=(const LmdbReader&) = delete;
  ~LmdbReader() override {
    mdb_cursor_close(cursor_);
    mdb_txn_abort(txn_);
  }

  Found get(std::string_view key) override {
    if (!renew_if_written()) return Found::kFailed;
    MDB_val wanted = val_of(key);
    MDB_val found;
    const int code = mdb_get(txn_, environment_.dbi, &wanted, &found);
    if (code == MDB_NOTFOUND) return Found::kAbsent;
    if (code != 0) return Found::kFailed;
    value_.assign(view_of(found));
    return judge(key, value_);
  }

  bool multi_get(std::span<const std::string_view> keys) override {
    bool is_right = true;
    for (const auto key : keys) is_right &= get(key) == Found::kRight;
    return is_right;
  }

  void refresh() override { has_failed_ = has_failed_ || !renew_if_written(); }

  const StoreRow* seek(std::string_view from) override {
    key_ = val_of(from);
    return step(MDB_SET_RANGE);
  }
  const StoreRow* seek_to_first() override { return step(MDB_FIRST); }
  const StoreRow* seek_to_last() override { return step(MDB_LAST); }
  const StoreRow* next() override { return step(MDB_NEXT); }
  const StoreRow* previous() override { return step(MDB_PREV); }

  bool has_failed() const override { return has_failed_; }

 private:
  std::uint64_t commit_count() const noexcept {
    return environment_.commit_count.load(std::memory_order_acquire);
  }

  bool renew_if_written() {
    const std::uint64_t now = commit_count();
    if (now == seen_count_) return true;
    seen_count_ = now;
    mdb_txn_reset(txn_);
    return mdb_txn_renew(txn_) == 0 && mdb_cursor_renew(txn_, cursor_) == 0;
  }

  const StoreRow* step(MDB_cursor_op operation) {
    MDB_val value;
    const int code = mdb_cursor_get(cursor_, &key_, &value, operation);
    if (code != 0) {
      has_failed_ = has_failed_ || code != MDB_NOTFOUND;
      return nullptr;
    }
    row_ = {.key = view_of(key_), .value = view_of(value)};
    return &row_;
  }

  LmdbEnvironment& environment_;
  std::uint64_t seen_count_;
  MDB_txn* txn_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
  MDB_val key_ = {};
  StoreRow row_;
  std::string value_;
  bool has_failed_ = false;
};

class LmdbStore final : public DiskStore {
 public:
  explicit LmdbStore(const StoreSettings& settings) : value_bytes_(settings.value_bytes) {
    throw_unless_done(mdb_env_create(&environment_.env), "mdb_env_create");
    throw_unless_done(mdb_env_set_mapsize(environment_.env, kMapBytes), "mdb_env_set_mapsize");
    // Data that is larger than memory is read at random: reading ahead would waste the disk.
    const unsigned ahead = settings.caching == Caching::kLimited ? MDB_NORDAHEAD : 0U;
    constexpr unsigned kFlags = MDB_NOSYNC | MDB_WRITEMAP | MDB_NOTLS;
    throw_unless_done(
        mdb_env_open(environment_.env, settings.directory.c_str(), kFlags | ahead, 0600),
        "mdb_env_open");
    MDB_txn* txn = nullptr;
    throw_unless_done(mdb_txn_begin(environment_.env, nullptr, 0, &txn), "mdb_txn_begin");
    throw_unless_done(mdb_dbi_open(txn, nullptr, 0, &environment_.dbi), "mdb_dbi_open");
    throw_unless_done(mdb_txn_commit(txn), "mdb_txn_commit");
  }

  bool put(std::string_view key, std::string_view value) override {
    return commit([&](MDB_txn* txn) { return put_into(txn, key, value); });
  }
  bool write(std::span<const Pair> pairs) override {
    return commit([&](MDB_txn* txn) {
      int code = 0;
      for (const auto& pair : pairs) {
        if (code == 0) code = put_into(txn, pair.key, pair.value);
      }
      return code;
    });
  }
  bool erase(std::string_view key) override {
    return commit([&](MDB_txn* txn) {
      MDB_val wanted = val_of(key);
      const int code = mdb_del(txn, environment_.dbi, &wanted, nullptr);
      return code == MDB_NOTFOUND ? 0 : code;
    });
  }
  std::unique_ptr<DiskReader> make_reader() override {
    return std::make_unique<LmdbReader>(environment_, value_bytes_);
  }

  bool compact() override { return true; }  // Its one file is always as it is read.

 private:
  int put_into(MDB_txn* txn, std::string_view key, std::string_view value) {
    MDB_val to = val_of(key);
    MDB_val bytes = val_of(value);
    return mdb_put(txn, environment_.dbi, &to, &bytes, 0);
  }

  template <typename Change>
  bool commit(Change change) {
    MDB_txn* txn = nullptr;
    if (mdb_txn_begin(environment_.env, nullptr, 0, &txn) != 0) return false;
    if (change(txn) != 0) {
      mdb_txn_abort(txn);
      return false;
    }
    const bool is_done = mdb_txn_commit(txn) == 0;
    environment_.commit_count.fetch_add(1, std::memory_order_release);
    return is_done;
  }

  LmdbEnvironment environment_;
  std::size_t value_bytes_;
};

}  // namespace

std::unique_ptr<DiskStore> open_lmdb(const StoreSettings& settings) {
  return std::make_unique<LmdbStore>(settings);
}

}  // namespace ashlar::bench
