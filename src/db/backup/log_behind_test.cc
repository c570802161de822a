// What somebody relies on who goes back to a moment: the database is what it was then, not a commit
// more or less, or it is told why that cannot be.

#include "db/backup/log_behind.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "ashlar/changes.h"
#include "db/backup/backup_rig_test.h"
#include "db/inspection/inspect.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::db {
namespace {

class LogBehindTest : public OfBothEngines {
 protected:
  void SetUp() override { history_bytes_max_ = std::uint64_t{1} << 30U; }

  static std::uint64_t newest(Db& db) { return ChangeStream::bounds(db).value().newest; }

  Result<BackupReport> restore_to(const RestoreOptions& goal, const std::string& to) {
    RestoreOptions options = goal;
    options.backup = kCopy;
    options.directory = to;
    if (options.log.empty()) options.log = kData;
    return restore_backup(*disk_, options, ++restore_count_ + 1'000, {});
  }

  /// What is in a database restored so, which is sound.
  BackedUpRows rows_at(const RestoreOptions& goal, std::uint64_t last_commit) {
    const std::string to = "/restored" + std::to_string(restore_count_);
    const auto restored = restore_to(goal, to);
    EXPECT_TRUE(restored.has_value()) << restored.error().message();
    if (!restored) return {};
    EXPECT_EQ(restored->last_commit, last_commit);
    Db db = open(to);
    EXPECT_GE(newest(db), last_commit);
    return rows_of(db);
  }

  std::string refusal(const RestoreOptions& goal) {
    const auto restored = restore_to(goal, "/refused" + std::to_string(restore_count_));
    return restored ? "" : std::string(restored.error().message());
  }

  std::uint64_t restore_count_ = 0;
};

// K11: over closings, checkpoints and segments that were given up, to any commit, and by its time.
TEST_P(LogBehindTest, GoesToAnyCommit) {
  testing::Random random(testing::seed());
  std::map<std::uint64_t, BackedUpRows> states;
  std::map<std::uint64_t, std::int64_t> moments;
  auto db = std::make_unique<Db>(open());
  put(*db, 0, 40);
  ASSERT_TRUE(db->backup(kCopy).has_value());
  const std::uint64_t first = newest(*db);
  for (int i = 0; i < 600; ++i) {
    clock_.advance(1);  // No deadline passes before all is over.
    const std::string a_key = key(static_cast<int>(random.below(80)));
    if (random.chance(2)) {
      ASSERT_TRUE(db->close().has_value());
      db.reset();
      db = std::make_unique<Db>(open());
    }
    if (random.chance(3)) {
      ASSERT_TRUE(db->checkpoint().has_value());
    }
    const std::uint64_t before = newest(*db);
    if (random.chance(25)) {
      ASSERT_TRUE(db->erase(a_key, Durability::kProcess).has_value());
    } else if (random.chance(20)) {
      const auto until = Expiry::at_ms(clock_.now_ms() + 100'000'000);
      ASSERT_TRUE(db->expire(a_key, until, Durability::kProcess).has_value());
    } else {
      const std::string a_value(random.below(1'000), 'v');
      ASSERT_TRUE(db->put(a_key, a_value, Expiry::never(), Durability::kProcess).has_value());
    }
    const std::uint64_t commit = newest(*db);
    if (commit == before) continue;  // An erase that found nothing is no commit.
    moments[commit] = clock_.now_ms();
    states[commit] = rows_of(*db);
  }
  EXPECT_GE(names_in(std::string(kData) + "/history").size(), 2U) << "segments were given up";
  for (int i = 0; i < 100; ++i) {
    auto at = states.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random.below(states.size())));
    ASSERT_GE(at->first, first);
    EXPECT_TRUE(rows_at({.sequence_max = at->first}, at->first) == at->second) << at->first;
    if (at->first == first) continue;
    const std::int64_t moment = moments[at->first];
    EXPECT_TRUE(rows_at({.moment_ms_max = moment}, at->first) == at->second) << at->first;
  }
  const auto& [newest_commit, newest_rows] = *states.rbegin();
  EXPECT_TRUE(rows_at({}, newest_commit) == newest_rows) << "as far as it goes";
}

// What was restored is a database: it goes on, is sound, and its changes have the same numbers.
TEST_P(LogBehindTest, MakesADatabaseThatGoesOn) {
  {
    Db db = open();
    put(db, 0, 20);
    ASSERT_TRUE(db.backup(kCopy).has_value());
    put(db, 20, 60);
    ASSERT_TRUE(db.close().has_value());
  }
  ASSERT_TRUE(restore_to({.sequence_max = 50}, kRestored).has_value());
  {
    const auto directory = Directory::open_as_is(*disk_, kRestored);
    const auto found = inspect(*disk_, **directory);
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(found->report.is_sound());
  }
  Db db = open(kRestored);
  EXPECT_EQ(rows_of(db).size(), 50U);
  put(db, 70, 71);
  ChangeStream stream = ChangeStream::open(db, 50).value();
  const CommitChanges* const commit = stream.next(std::chrono::milliseconds(100)).value();
  ASSERT_NE(commit, nullptr);
  EXPECT_EQ(commit->changes.front().key, key(70));
}

// Segments that were copied elsewhere serve as well as those where they were made.
TEST_P(LogBehindTest, TakesSegmentsFromAnyDirectory) {
  {
    Db db = open();
    put(db, 0, 20);
    ASSERT_TRUE(db.backup(kCopy).has_value());
    put(db, 20, 400);
    ASSERT_TRUE(db.checkpoint().has_value());
    ASSERT_TRUE(db.close().has_value());
  }
  ASSERT_EQ(disk_->make_directory("/archive"), 0);
  for (const std::string& folder : {std::string("/data/history"), std::string("/data/log")}) {
    for (const std::string& name : names_in(folder)) {
      if (!log::segment_number(name)) continue;
      const auto bytes = disk_->read_all(folder + "/" + name);
      (void)os::remove_file(*disk_, "/archive/" + name);
      const auto file = os::File::open(*disk_, "/archive/" + name, os::OpenMode::kCreate);
      ASSERT_TRUE((*file)->write(0, bytes).has_value());
    }
  }
  EXPECT_EQ(rows_at({.log = "/archive", .sequence_max = 333}, 333).size(), 333U);
  EXPECT_NE(refusal({.log = "/nowhere", .sequence_max = 333}), "");
}

TEST_P(LogBehindTest, SaysWhyItCannotBe) {
  const std::int64_t before_ms = clock_.now_ms();
  {
    Db other = open("/other");
    put(other, 0, 30);
    clock_.advance(1'000);
    Db db = open();
    put(db, 0, 20);
    ASSERT_TRUE(db.backup(kCopy).has_value());
    put(db, 20, 30);
    ASSERT_TRUE(db.close().has_value());
  }
  EXPECT_EQ(refusal({.sequence_max = 19}),
            "/copy: the backup goes up to commit 20, beyond what is to be restored: take one that"
            " was made before");
  EXPECT_EQ(refusal({.moment_ms_max = before_ms}),
            "/copy: the backup goes up to commit 20, beyond what is to be restored: take one that"
            " was made before");
  EXPECT_EQ(refusal({.sequence_max = 77}), "/data: the log ends with commit 31, before 77");
  EXPECT_EQ(refusal({.log = "/copy", .sequence_max = 25}),
            "/copy: the log ends with commit 21, before 25");
  const auto no_log =
      restore_backup(*disk_, {.backup = kCopy, .directory = kRestored, .sequence_max = 25}, 99, {});
  ASSERT_FALSE(no_log.has_value());
  EXPECT_EQ(no_log.error().code(), ErrorCode::kInvalidArgument);
}

TEST_P(LogBehindTest, RefusesTheLogOfAnotherDatabase) {
  {
    Db db = open();
    put(db, 0, 20);
    ASSERT_TRUE(db.backup(kCopy).has_value());
    auto other = try_open(*disk_, "/other", 8);
    ASSERT_TRUE(other.has_value());
    put(*other, 0, 40);
    ASSERT_TRUE(other->close().has_value());
  }
  EXPECT_NE(refusal({.log = "/other", .sequence_max = 25}).find("another database"),
            std::string::npos);
}

// Without a history the log may have gone on: then the oldest commit that is left is named.
TEST_P(LogBehindTest, NamesTheOldestWhereTheLogIsGone) {
  history_bytes_max_ = 0;
  {
    Db db = open();
    put(db, 0, 20);
    ASSERT_TRUE(db.backup(kCopy).has_value());
    for (int round = 0; round < 20; ++round) {
      put(db, 100, 200);
      ASSERT_TRUE(db.checkpoint().has_value());
    }
    ASSERT_TRUE(db.close().has_value());
  }
  const std::string message = refusal({.sequence_max = 1'000});
  EXPECT_NE(message.find("no longer kept"), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(, LogBehindTest, ::testing::Values(Engine::kMemory, Engine::kDisk),
                         name_of_engine);

}  // namespace
}  // namespace ashlar::db
