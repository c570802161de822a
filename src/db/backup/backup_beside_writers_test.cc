// What somebody relies on who makes a backup of a database in use: it is of one moment, after every
// commit that was acknowledged before it was begun (K8).

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "ashlar/db.h"
#include "db/access.h"
#include "lsm/engine/tiny_settings_test.h"
#include "testing/temporary_directory.h"

namespace ashlar::db {
namespace {

constexpr std::size_t kWriterCount = 3;

class BackupBesideWriters : public ::testing::TestWithParam<Engine> {
 protected:
  std::string path(const std::string& name) const { return (temporary_.path() / name).string(); }

  Result<Db> open(const std::string& name) const {
    Options options;
    options.directory = path(name);
    options.engine = GetParam();
    options.memory_budget_bytes = std::size_t{64} << 20U;
    Environment environment;
    environment.log.segment_bytes = std::size_t{256} << 10U;
    environment.log.ring_bytes = std::size_t{64} << 10U;
    environment.disk_engine = lsm::tiny_settings(options);
    return Access::open(options, environment);
  }

  static std::string key_of(std::size_t writer, const char* what) {
    return std::to_string(writer) + ":" + what;
  }

  /// Each commit of a writer sets two keys to its count, and adds a row.
  static void write(Db& db, std::size_t writer, std::atomic<std::uint64_t>& acknowledged,
                    const std::atomic<bool>& is_over) {
    for (std::uint64_t count = 1; !is_over.load(); ++count) {
      WriteBatch batch;
      batch.put(key_of(writer, "first"), std::to_string(count));
      batch.put(key_of(writer, "row ") + std::to_string(count), std::string(300, 'r'));
      batch.put(key_of(writer, "last"), std::to_string(count));
      ASSERT_TRUE(db.write(batch, Durability::kNone).has_value());
      acknowledged.store(count);
    }
  }

  static std::uint64_t count_in(const Db& db, const std::string& key) {
    const auto value = db.get(key).value();
    return value ? std::stoull(std::string(value->view())) : 0;
  }

  testing::TemporaryDirectory temporary_;
};

TEST_P(BackupBesideWriters, IsAPrefixOfTheCommits) {
  auto db = open("data");
  ASSERT_TRUE(db.has_value()) << db.error().message();
  std::vector<std::atomic<std::uint64_t>> acknowledged(kWriterCount);
  std::atomic<bool> is_over = false;
  std::vector<std::jthread> writers;
  for (std::size_t writer = 0; writer < kWriterCount; ++writer) {
    writers.emplace_back([&, writer] { write(*db, writer, acknowledged[writer], is_over); });
  }
  for (int round = 0; round < 5; ++round) {
    std::vector<std::uint64_t> before(kWriterCount);
    for (std::size_t writer = 0; writer < kWriterCount; ++writer) {
      while (acknowledged[writer].load() < 50U * static_cast<unsigned>(round + 1)) {
        std::this_thread::yield();
      }
      before[writer] = acknowledged[writer].load();
    }
    const auto report = db->backup(path("copy"));
    ASSERT_TRUE(report.has_value()) << report.error().message();
    ASSERT_TRUE(verify_backup(path("copy"))->is_sound());
    const std::string name = "restored " + std::to_string(round);
    const auto done = restore_backup({.backup = path("copy"), .directory = path(name)});
    ASSERT_TRUE(done.has_value()) << done.error().message();
    const auto restored = open(name);
    ASSERT_TRUE(restored.has_value()) << restored.error().message();
    std::uint64_t commit_count = 0;
    for (std::size_t writer = 0; writer < kWriterCount; ++writer) {
      const std::uint64_t count = count_in(*restored, key_of(writer, "first"));
      EXPECT_GE(count, before[writer]) << "what was acknowledged is there";
      EXPECT_EQ(count, count_in(*restored, key_of(writer, "last"))) << "C1";
      for (std::uint64_t i = 1; i <= count + 1; ++i) {
        const std::string row = key_of(writer, "row ") + std::to_string(i);
        ASSERT_EQ(restored->exists(row).value(), i <= count)
            << "no commit is missing before others";
      }
      commit_count += count;
    }
    EXPECT_EQ(commit_count, report->last_commit) << "and none is there of those behind";
  }
  is_over.store(true);
}

INSTANTIATE_TEST_SUITE_P(, BackupBesideWriters, ::testing::Values(Engine::kMemory, Engine::kDisk),
                         [](const ::testing::TestParamInfo<Engine>& engine) {
                           return engine.param == Engine::kDisk ? "disk" : "memory";
                         });

}  // namespace
}  // namespace ashlar::db
