/// \file
/// A database on a simulated disk, with a checkpoint and several segments, and ways to damage it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ashlar/db.h"
#include "db/access.h"
#include "db/calling_thread_test.h"
#include "db/directory.h"
#include "db/inspection/inspect.h"
#include "lsm/engine/tiny_settings_test.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"

namespace ashlar::db {

class DamageRig {
 public:
  using Rows = std::map<std::string, std::string>;

  static constexpr const char* kPath = "/data";

  explicit DamageRig(Engine engine = Engine::kMemory)
      : engine_(engine), disk_(std::make_unique<os::SimulatedDisk>()) {}

  /// All values stand in their rows, unless others are asked for.
  static Result<Db> open(os::Disk& disk, const os::Clock& clock, Engine engine = Engine::kMemory,
                         std::size_t large_value_bytes = std::size_t{1} << 20U) {
    Options options;
    options.directory = kPath;
    options.engine = engine;
    options.memory_budget_bytes = kDiskMemoryBudgetBytesMin;
    Environment environment = in_calling_thread(
        disk, clock,
        {.segment_bytes = std::size_t{32} << 10U, .ring_bytes = std::size_t{16} << 10U});
    environment.disk_engine = lsm::tiny_settings(options);
    environment.disk_engine->large_value_bytes = large_value_bytes;
    return Access::open(options, environment);
  }
  Result<Db> open() { return open(*disk_, clock_, engine_, large_value_bytes_); }

  enum class End : std::uint8_t { kClose, kKill };

  /// Writes keys `from` to `to`, each in a commit of its own, after a checkpoint at `checkpoint_at`
  /// where that is among them.
  void write(int from, int to, int checkpoint_at, End end) {
    auto db = open();
    ASSERT_TRUE(db.has_value()) << db.error().message();
    for (int i = from; i < to; ++i) {
      if (i == checkpoint_at) {
        ASSERT_TRUE(db->checkpoint().has_value());
      }
      ASSERT_TRUE(db->put(key(i), value(i)).has_value());
    }
    if (end == End::kKill) {
      disk_->crash_process();  // What follows of the close reaches nothing.
    } else {
      ASSERT_TRUE(db->close().has_value());
    }
  }

  static std::string key(int i) { return "key:" + std::to_string(1000 + i); }
  static std::string value(int i) {
    return std::to_string(i) + std::string(900 + static_cast<std::size_t>(i % 50), 'v');
  }

  /// Keys 0 to `count`, as they were written.
  static Rows rows_up_to(int count) {
    Rows rows;
    for (int i = 0; i < count; ++i) rows.emplace(key(i), value(i));
    return rows;
  }

  static Rows rows_of(Db& db) {
    Rows rows;
    auto found = db.scan();
    EXPECT_TRUE(found.has_value());
    for (found->seek_to_first(); found->is_valid(); found->next()) {
      rows.emplace(found->key(), found->value());
    }
    return rows;
  }

  Rows rows() {
    auto db = open();
    EXPECT_TRUE(db.has_value()) << db.error().message();
    return db ? rows_of(*db) : Rows{};
  }

  static Result<Inspection> inspect(os::Disk& disk) {
    ASHLAR_TRY_ASSIGN(const auto directory, Directory::open_as_is(disk, kPath));
    return db::inspect(disk, *directory);
  }
  Result<Inspection> inspect() { return inspect(*disk_); }

  static std::string at(std::string_view name) {
    return std::string(kPath) + "/" + std::string(name);
  }

  std::vector<std::string> names_in(std::string_view folder) {
    return os::list_directory(*disk_, at(folder)).value();
  }

  void flip(std::string_view name, std::uint64_t offset) {
    const char byte = static_cast<char>(disk_->read_all(at(name))[offset] ^ 0x20);
    disk_->overwrite(at(name), offset, {&byte, 1});
  }
  void truncate(std::string_view name, std::uint64_t bytes) {
    auto file = os::File::open(*disk_, at(name), os::OpenMode::kReadWrite);
    ASSERT_TRUE((*file)->truncate(bytes).has_value());
    ASSERT_TRUE((*file)->sync().has_value());
  }
  void remove(std::string_view name) {
    ASSERT_TRUE(os::remove_file(*disk_, at(name)).value());
    const std::string path = at(name);
    ASSERT_TRUE(os::sync_directory(*disk_, path.substr(0, path.find_last_of('/'))).has_value());
  }
  void create(std::string_view name, std::string_view content) {
    auto file = os::File::open(*disk_, at(name), os::OpenMode::kCreate);
    ASSERT_TRUE((*file)->write(0, content).has_value());
    ASSERT_TRUE((*file)->sync().has_value());
  }

  const Engine engine_;
  std::size_t large_value_bytes_ = std::size_t{1} << 20U;
  os::ManualClock clock_;
  std::unique_ptr<os::SimulatedDisk> disk_;
};

}  // namespace ashlar::db
