/// \file
/// A database of either engine on a simulated disk, so small that flushes and compactions happen
/// all the time, its backups, and databases restored from them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ashlar/db.h"
#include "db/access.h"
#include "db/backup/backup_store.h"
#include "db/backup/restore.h"
#include "db/backup/verify.h"
#include "db/calling_thread_test.h"
#include "lsm/engine/tiny_settings_test.h"
#include "os/file.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"

namespace ashlar::db {

inline constexpr const char* kData = "/data";
inline constexpr const char* kCopy = "/copy";
inline constexpr const char* kRestored = "/restored";

/// What a key has: its value, and its deadline.
using BackedUpRows = std::map<std::string, std::pair<std::string, std::int64_t>>;

inline BackedUpRows rows_of(Db& db) {
  BackedUpRows rows;
  auto found = db.scan();
  EXPECT_TRUE(found.has_value());
  for (found->seek_to_first(); found->is_valid(); found->next()) {
    const auto expiry = db.expiry_of(found->key()).value();
    rows.emplace(found->key(), std::pair(std::string(found->value()), expiry->resolve_ms(0)));
  }
  EXPECT_TRUE(found->status().has_value());
  return rows;
}

class BackupRig {
 public:
  explicit BackupRig(Engine engine)
      : engine_(engine), disk_(std::make_unique<os::SimulatedDisk>()) {}

  Result<Db> try_open(os::Disk& disk, const std::string& path = kData,
                      std::uint64_t new_log_id = 7) const {
    Options options;
    options.directory = path;
    options.engine = engine_;
    options.memory_budget_bytes = kDiskMemoryBudgetBytesMin;
    options.history_bytes_max = history_bytes_max_;
    Environment environment = in_calling_thread(
        disk, clock_,
        {.segment_bytes = std::size_t{32} << 10U, .ring_bytes = std::size_t{16} << 10U});
    environment.hash_seed = new_log_id;
    environment.disk_engine = lsm::tiny_settings(options);
    return Access::open(options, environment);
  }
  Db open(const std::string& path = kData) {
    auto db = try_open(*disk_, path);
    EXPECT_TRUE(db.has_value()) << db.error().message();
    return std::move(*db);
  }

  static std::string key(int i) { return "key:" + std::to_string(1000 + i); }
  static std::string value(int i) {
    return std::to_string(i) + std::string(100 + static_cast<std::size_t>(i % 50), 'v');
  }

  /// Puts keys `from` to `to`, every fifth with a deadline.
  void put(Db& db, int from, int to) const {
    for (int i = from; i < to; ++i) {
      const Expiry expiry =
          i % 5 == 0 ? Expiry::at_ms(clock_.now_ms() + 1'000 + i) : Expiry::never();
      ASSERT_TRUE(db.put(key(i), value(i), expiry, Durability::kProcess).has_value());
    }
  }

  Result<BackupReport> restore(os::Disk& disk, const std::string& to = kRestored,
                               std::uint64_t new_log_id = 99) const {
    return restore_backup(disk, {.backup = kCopy, .directory = to}, new_log_id, {});
  }

  /// The rows of a database restored from the copy, which must be sound.
  BackedUpRows restored_rows(os::Disk& disk) const {
    const auto check = verify_backup(disk, kCopy, {});
    EXPECT_TRUE(check.has_value()) << check.error().message();
    if (!check) return {};
    for (const BackupDamage& damage : check->damages) {
      ADD_FAILURE() << damage.path << ": offset " << damage.offset << ": " << damage.what;
    }
    const auto restored = restore(disk);
    EXPECT_TRUE(restored.has_value()) << restored.error().message();
    if (!restored) return {};
    auto db = try_open(disk, kRestored);
    EXPECT_TRUE(db.has_value()) << db.error().message();
    if (!db) return {};
    BackedUpRows rows = rows_of(*db);
    EXPECT_TRUE(db->close().has_value());
    return rows;
  }
  BackedUpRows restored_rows() { return restored_rows(*disk_->clone()); }

  std::vector<std::string> names_in(const std::string& path) const {
    return os::list_directory(*disk_, path).value();
  }
  std::size_t count_in_copy(std::string_view suffix) const {
    std::size_t count = 0;
    for (const std::string& name : names_in(kCopy)) count += name.ends_with(suffix) ? 1U : 0U;
    return count;
  }
  void flip(const std::string& path, std::uint64_t offset) {
    const char byte = static_cast<char>(disk_->read_all(path)[offset] ^ 0x20);
    disk_->overwrite(path, offset, {&byte, 1});
  }

  const Engine engine_;
  os::ManualClock clock_;
  std::uint64_t history_bytes_max_ = 0;  // Of databases that are opened from now on.
  std::unique_ptr<os::SimulatedDisk> disk_;
};

/// For suites that hold for both engines.
class OfBothEngines : public ::testing::TestWithParam<Engine>, protected BackupRig {
 protected:
  OfBothEngines() : BackupRig(GetParam()) {}
};

inline std::string name_of_engine(const ::testing::TestParamInfo<Engine>& engine) {
  return engine.param == Engine::kDisk ? "disk" : "memory";
}

}  // namespace ashlar::db
