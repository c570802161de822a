// What somebody relies on who makes a backup: it has every commit that was acknowledged before, in
// a state that once was, and costs no more than what is new; and what it cannot stand for it
// refuses.

#include "db/backup/backup.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "db/backup/backup_rig_test.h"
#include "lsm/manifest_store.h"
#include "lsm/table_store.h"
#include "os/faulty_disk.h"
#include "testing/forwarding_disk.h"

namespace ashlar::db {
namespace {

/// A disk whose directories lie on file systems of their own.
class ScatteredDisk final : public testing::ForwardingDisk {
 public:
  using ForwardingDisk::ForwardingDisk;
  int link(const std::string& /*from*/, const std::string& /*to*/) override { return -EXDEV; }
};

class BackupTest : public OfBothEngines {};

// K8
TEST_P(BackupTest, HoldsWhatTheDatabaseHolds) {
  Db db = open();
  put(db, 0, 400);
  for (int i = 0; i < 400; i += 7) ASSERT_TRUE(db.erase(key(i)).value());
  ASSERT_TRUE(db.put("large", std::string(200'000, 'L')).has_value());
  ASSERT_TRUE(db.put("empty", "").has_value());
  WriteBatch batch;
  for (int i = 400; i < 420; ++i) batch.put(key(i), value(i));
  ASSERT_TRUE(db.write(batch, Durability::kNone).has_value());
  ASSERT_TRUE(db.persist(key(5)).value());
  const auto report = db.backup(kCopy);
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_EQ(report->number, 1U);
  EXPECT_EQ(report->engine, GetParam());
  EXPECT_EQ(report->last_commit, 400U + 58 + 2 + 1 + 1);
  EXPECT_EQ(report->reused_file_count, 0U);
  EXPECT_GT(report->linked_file_count, 0U);
  EXPECT_LT(report->written_bytes, report->file_bytes);
  EXPECT_EQ(restored_rows(), rows_of(db));
}

TEST_P(BackupTest, OfAnEmptyDatabaseIsOne) {
  Db db = open();
  const auto report = db.backup(kCopy);
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_EQ(report->last_commit, 0U);
  EXPECT_EQ(restored_rows(), BackedUpRows());
}

// T1: a deadline goes along, and passes in the restored database as it does in the other.
TEST_P(BackupTest, KeepsDeadlines) {
  Db db = open();
  put(db, 0, 50);
  ASSERT_TRUE(db.backup(kCopy).has_value());
  ASSERT_TRUE(restore(*disk_).has_value());
  clock_.advance(1'020);
  Db restored = open(kRestored);
  EXPECT_FALSE(restored.exists(key(20)).value());
  EXPECT_TRUE(restored.exists(key(25)).value());
  EXPECT_EQ(rows_of(restored), rows_of(db));
}

// A backup stands for its own moment, whatever becomes of the database afterwards.
TEST_P(BackupTest, DoesNotChangeWithTheDatabase) {
  Db db = open();
  put(db, 0, 300);
  const BackedUpRows before = rows_of(db);
  ASSERT_TRUE(db.backup(kCopy).has_value());
  for (int i = 0; i < 300; i += 2) ASSERT_TRUE(db.erase(key(i), Durability::kProcess).value());
  put(db, 300, 900);
  ASSERT_TRUE(db.compact().has_value());
  ASSERT_TRUE(db.checkpoint().has_value());
  EXPECT_EQ(restored_rows(), before);
}

// K6: the second takes the place of the first, with nothing left of what only that one needed.
TEST_P(BackupTest, ReplacesTheOneBefore) {
  Db db = open();
  put(db, 0, 300);
  ASSERT_TRUE(db.backup(kCopy).has_value());
  put(db, 200, 500);
  ASSERT_TRUE(db.compact().has_value());
  const auto second = db.backup(kCopy);
  ASSERT_TRUE(second.has_value()) << second.error().message();
  EXPECT_EQ(second->number, 2U);
  EXPECT_EQ(count_in_copy(".backup"), 1U);
  EXPECT_EQ(count_in_copy(".log"), 1U);
  EXPECT_EQ(names_in(kCopy).size(), second->file_count + 3) << "LOCK, BACKUP and the list";
  EXPECT_EQ(restored_rows(), rows_of(db));
}

TEST_P(BackupTest, GoesOnAfterTheDatabaseWasReopened) {
  {
    Db db = open();
    put(db, 0, 100);
    ASSERT_TRUE(db.backup(kCopy).has_value());
    ASSERT_TRUE(db.close().has_value());
  }
  {
    Db db = open();
    const auto second = db.backup(kCopy);
    ASSERT_TRUE(second.has_value()) << second.error().message();
    EXPECT_EQ(restored_rows(), rows_of(db));
    put(db, 50, 150);
    ASSERT_TRUE(db.backup(kCopy).has_value());
    EXPECT_EQ(restored_rows(), rows_of(db));
  }
}

TEST_P(BackupTest, CopiesWhereFilesCannotBeShared) {
  ScatteredDisk scattered(*disk_);
  auto db = try_open(scattered);
  ASSERT_TRUE(db.has_value());
  put(*db, 0, 400);
  const auto report = db->backup(kCopy);
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_EQ(report->linked_file_count, 0U);
  EXPECT_EQ(report->written_bytes, report->file_bytes);
  EXPECT_EQ(restored_rows(), rows_of(*db));
}

TEST_P(BackupTest, TellsHowFarItIs) {
  Db db = open();
  put(db, 0, 400);
  BackupProgress last;
  const auto report = db.backup(kCopy, [&](const BackupProgress& progress) {
    EXPECT_GT(progress.bytes_done, last.bytes_done);
    last = progress;
  });
  ASSERT_TRUE(report.has_value());
  EXPECT_GT(last.bytes_total, 0U);
  EXPECT_EQ(last.bytes_done, last.bytes_total);
}

// What a snapshot or a scan sees is not disturbed, and does not get into the backup.
TEST_P(BackupTest, IsOfTheLatestStateThoughASnapshotIsHeld) {
  Db db = open();
  put(db, 0, 100);
  const Snapshot snapshot = db.snapshot().value();
  ASSERT_TRUE(db.erase(key(1)).value());
  ASSERT_TRUE(db.backup(kCopy).has_value());
  EXPECT_TRUE(db.exists(key(1), &snapshot).value());
  EXPECT_EQ(restored_rows(), rows_of(db));
}

// K7
TEST_P(BackupTest, TouchesNothingThatIsSomebodyElses) {
  Db db = open();
  put(db, 0, 10);
  ASSERT_EQ(disk_->make_directory("/mine"), 0);
  disk_->close(disk_->open("/mine/0000000001.table", os::OpenMode::kCreate));
  const auto refused = db.backup("/mine");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().message(), "/mine: is neither empty nor a backup");
  EXPECT_EQ(names_in("/mine"), std::vector<std::string>{"0000000001.table"});
  for (const char* path : {"", "/data", "/data/log", "/data/copy"}) {
    EXPECT_EQ(db.backup(path).error().code(), ErrorCode::kInvalidArgument) << path;
  }
}

TEST_P(BackupTest, IsNotMadeOverOneOfAnotherDatabase) {
  Db db = open();
  put(db, 0, 100);
  ASSERT_TRUE(db.backup(kCopy).has_value());
  auto other = try_open(*disk_, "/other", 8);
  ASSERT_TRUE(other.has_value());
  const auto refused = other->backup(kCopy);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message(),
            "/copy: holds a backup of another database, or of what this one was restored from:"
            " choose another directory");
  ASSERT_TRUE(restore(*disk_).has_value());
  Db restored = open(kRestored);
  EXPECT_EQ(restored.backup(kCopy).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(restored.backup("/copy of the restored").has_value());
  const auto check = verify_backup(*disk_, kCopy, {});
  EXPECT_TRUE(check->is_sound());
  EXPECT_EQ(check->backup.number, 1U);
}

// A directory that was put back by other means is behind what was backed up of it since.
TEST_P(BackupTest, IsNotMadeOfAnEarlierState) {
  {
    Db db = open();
    put(db, 0, 100);
  }
  const auto earlier = disk_->clone();
  {
    Db db = open();
    put(db, 100, 200);
    ASSERT_TRUE(db.backup("/copy").has_value());
  }
  // The backup of later beside the database of earlier.
  ASSERT_EQ(earlier->make_directory(kCopy), 0);
  for (const std::string& name : names_in(kCopy)) {
    const std::string path = std::string(kCopy) + "/" + name;
    const auto file = os::File::open(*earlier, path, os::OpenMode::kCreate);
    ASSERT_TRUE((*file)->write(0, disk_->read_all(path)).has_value());
  }
  auto db = try_open(*earlier);
  ASSERT_TRUE(db.has_value());
  const auto refused = db->backup(kCopy);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message().find("a later state of the database, up to commit 20"),
            std::string::npos)
      << refused.error().message();
}

TEST_P(BackupTest, IsMadeByOneAtATime) {
  Db db = open();
  ASSERT_TRUE(db.backup(kCopy).has_value());
  const auto reader = BackupStore::open_as_is(*disk_, kCopy);
  ASSERT_TRUE(reader.has_value());
  EXPECT_TRUE(verify_backup(*disk_, kCopy, {}).has_value()) << "many may read";
  const auto refused = db.backup(kCopy);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnavailable);
}

INSTANTIATE_TEST_SUITE_P(, BackupTest, ::testing::Values(Engine::kMemory, Engine::kDisk),
                         name_of_engine);

// K8: what is committed while the checkpoint is being copied is in the log that goes along.
TEST(MemoryBackup, HasTheLogUpToItsEnd) {
  BackupRig rig(Engine::kMemory);
  Db db = rig.open();
  rig.put(db, 0, 100);
  bool is_over = false;
  const auto report = db.backup(kCopy, [&](const BackupProgress&) {
    if (std::exchange(is_over, true)) return;
    rig.put(db, 50, 150);
    ASSERT_TRUE(db.erase(BackupRig::key(3), Durability::kDisk).value());
    ASSERT_TRUE(db.persist(BackupRig::key(5), Durability::kDisk).value());
  });
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_EQ(report->last_commit, 202U);
  EXPECT_EQ(rig.restored_rows(), rows_of(db));
}

class TableBackupTest : public ::testing::Test, protected BackupRig {
 protected:
  TableBackupTest() : BackupRig(Engine::kDisk) {}

  std::string first_table(const std::string& path) {
    for (const std::string& name : names_in(path)) {
      if (lsm::table_number(name)) return path + "/" + name;
    }
    ADD_FAILURE() << "there is a table";
    return {};
  }
};

TEST_F(TableBackupTest, TakesOnlyTablesThatAreNew) {
  Db db = open();
  put(db, 0, 500);
  ASSERT_TRUE(db.compact().has_value());
  const BackupReport first = db.backup(kCopy).value();
  ASSERT_GT(first.linked_file_count, 3U);
  const BackupReport again = db.backup(kCopy).value();
  EXPECT_EQ(again.reused_file_count, first.linked_file_count);
  EXPECT_EQ(again.linked_file_count, 0U);
  put(db, 2'000, 2'010);
  const BackupReport more = db.backup(kCopy).value();
  EXPECT_EQ(more.reused_file_count, first.linked_file_count);
  EXPECT_EQ(more.linked_file_count, 1U);
  EXPECT_EQ(restored_rows(), rows_of(db));
}

// V37: a compaction in the midst of a backup takes no table away from it.
TEST_F(TableBackupTest, IsNotDisturbedByACompaction) {
  Db db = open();
  put(db, 0, 500);
  ASSERT_TRUE(db.checkpoint().has_value());
  const BackedUpRows rows = rows_of(db);
  bool has_compacted = false;
  const auto report = db.backup(kCopy, [&](const BackupProgress&) {
    if (has_compacted) return;
    has_compacted = true;
    put(db, 100, 900);
    ASSERT_TRUE(db.compact().has_value());
  });
  ASSERT_TRUE(report.has_value()) << report.error().message();
  ASSERT_TRUE(has_compacted);
  EXPECT_EQ(restored_rows(), rows);
}

// A backup never takes over damage without telling.
TEST_F(TableBackupTest, RefusesATableThatIsDamaged) {
  Db db = open();
  put(db, 0, 500);
  ASSERT_TRUE(db.checkpoint().has_value());
  const std::string table = first_table("/data/tables");
  flip(table, 100);
  const auto refused = db.backup(kCopy);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kCorruption);
  EXPECT_TRUE(refused.error().message().starts_with(table + " at ")) << refused.error().message();
  EXPECT_EQ(verify_backup(*disk_, kCopy, {}).error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(names_in(kCopy), (std::vector<std::string>{"BACKUP", "LOCK"})) << "nothing is left";
  flip(table, 100);
  EXPECT_TRUE(db.backup(kCopy).has_value());
}

TEST_F(TableBackupTest, RefusesToGoOnFromOneThatHasLostATable) {
  Db db = open();
  put(db, 0, 500);
  ASSERT_TRUE(db.backup(kCopy).has_value());
  const std::string table = first_table(kCopy);
  ASSERT_EQ(disk_->remove(table), 0);
  EXPECT_EQ(db.backup(kCopy).error().message(), table + " at 0: the file is missing");
  const auto file = os::File::open(*disk_, table, os::OpenMode::kCreate);
  ASSERT_TRUE((*file)->write(0, std::string_view("abc")).has_value());
  EXPECT_EQ(db.backup(kCopy).error().message(),
            table + " at 3: the file is not as long as it was when it was backed up");
}

// Two copies of a directory have tables of one number and different rows: the figures tell.
TEST_F(TableBackupTest, NoticesATableOfTheSameNumberThatIsAnother) {
  {
    Db db = open();
    put(db, 0, 10);
  }
  auto twin_disk = disk_->clone();
  {
    Db db = open();
    put(db, 10, 200);
    ASSERT_TRUE(db.backup(kCopy).has_value());
  }
  ASSERT_EQ(twin_disk->make_directory(kCopy), 0);
  for (const std::string& name : names_in(kCopy)) {
    const std::string path = std::string(kCopy) + "/" + name;
    const auto file = os::File::open(*twin_disk, path, os::OpenMode::kCreate);
    ASSERT_TRUE((*file)->write(0, disk_->read_all(path)).has_value());
  }
  auto twin = try_open(*twin_disk);
  ASSERT_TRUE(twin.has_value());
  put(*twin, 1'000, 1'300);
  const auto refused = twin->backup(kCopy);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message().find("is another table than the one of that number"),
            std::string::npos)
      << refused.error().message();
}

// Without files there is nothing to back up.
TEST(Backup, IsRefusedWithoutADirectory) {
  auto db = Db::open();
  ASSERT_TRUE(db.has_value());
  EXPECT_EQ(db->backup(kCopy).error().message(),
            "a database without a directory has no files to back up");
  ASSERT_TRUE(db->close().has_value());
  EXPECT_EQ(db->backup(kCopy).error().code(), ErrorCode::kClosed);
}

}  // namespace
}  // namespace ashlar::db
