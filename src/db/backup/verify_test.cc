// What somebody relies on who has verified a backup: no byte of it is other than it was written,
// and it opens. Whatever is wrong is told by file and offset.

#include "db/backup/verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "db/backup/backup_rig_test.h"
#include "db/backup/file_copy.h"

namespace ashlar::db {
namespace {

class VerifyTest : public OfBothEngines {
 protected:
  void make(int count) {
    Db db = open();
    put(db, 0, count);
    ASSERT_TRUE(db.backup(kCopy).has_value());
    ASSERT_TRUE(db.close().has_value());
  }
  Result<BackupCheck> verify() { return verify_backup(*disk_, kCopy, {}); }

  static std::string at(const std::string& name) { return std::string(kCopy) + "/" + name; }

  /// The one damage that there is, as the command tells it.
  std::string only_damage() {
    const auto check = verify();
    if (!check) return std::string(check.error().message());
    if (check->damages.size() != 1) return std::to_string(check->damages.size()) + " damages";
    const BackupDamage& damage = check->damages.front();
    return damage.path + ": offset " + std::to_string(damage.offset) + ": " + damage.what;
  }

  /// Writes the list anew as `change` leaves it.
  template <typename Change>
  void change_list(Change change) {
    BackupList list = read_backup_list(*disk_, at("0000000001.backup"), 1).value();
    change(list);
    ASSERT_EQ(disk_->remove(at("0000000001.backup")), 0);
    const auto file = os::File::open(*disk_, at("0000000001.backup"), os::OpenMode::kCreate);
    ASSERT_TRUE((*file)->write(0, encode_backup_list(list)).has_value());
  }
};

TEST_P(VerifyTest, FindsNothingInABackupThatIsSound) {
  make(300);
  std::uint64_t seen_bytes = 0;
  const auto check = verify_backup(*disk_, kCopy, [&](const BackupProgress& progress) {
    seen_bytes = progress.bytes_done;
    EXPECT_LE(progress.bytes_done, progress.bytes_total);
  });
  ASSERT_TRUE(check.has_value()) << check.error().message();
  EXPECT_TRUE(check->is_sound());
  EXPECT_EQ(check->backup.last_commit, 300U);
  EXPECT_EQ(check->checked_bytes, check->backup.file_bytes);
  EXPECT_EQ(seen_bytes, check->backup.file_bytes);
}

// K9: every byte of every file that a backup consists of.
TEST_P(VerifyTest, FindsEveryByteThatWasFlipped) {
  make(8);
  for (const std::string& name : names_in(kCopy)) {
    if (name == "LOCK") continue;
    const std::uint64_t bytes = disk_->read_all(at(name)).size();
    ASSERT_GT(bytes, 0U);
    for (std::uint64_t offset = 0; offset < bytes; ++offset) {
      // Of the long run of zeros behind a short log some.
      if (name.ends_with(".log") && offset > 5'500 && offset % 97 != 0) continue;
      flip(at(name), offset);
      const auto check = verify();
      const bool is_found = !check || !check->is_sound();
      ASSERT_TRUE(is_found) << name << " at " << offset;
      if (check) {
        EXPECT_TRUE(std::ranges::any_of(
            check->damages, [&](const BackupDamage& damage) { return damage.path == at(name); }))
            << name << " at " << offset;
      }
      flip(at(name), offset);
    }
  }
  EXPECT_TRUE(verify()->is_sound());
}

// K9
TEST_P(VerifyTest, FindsFilesThatAreMissingOrCutShort) {
  make(100);
  for (const std::string& name : names_in(kCopy)) {
    if (name == "LOCK" || name.ends_with(".backup")) continue;
    const auto sound = disk_->clone();
    const std::uint64_t bytes = disk_->read_all(at(name)).size();
    ASSERT_EQ(disk_->truncate(disk_->open(at(name), os::OpenMode::kReadWrite), bytes - 1), 0);
    EXPECT_FALSE(verify()->is_sound()) << name;
    ASSERT_EQ(disk_->truncate(disk_->open(at(name), os::OpenMode::kReadWrite), bytes + 1), 0);
    EXPECT_FALSE(verify()->is_sound()) << name;
    ASSERT_EQ(disk_->remove(at(name)), 0);
    EXPECT_FALSE(verify()->is_sound()) << name;
    disk_ = sound->clone();
  }
}

TEST_P(VerifyTest, TellsWhatIsWrongAndWhere) {
  make(100);
  const auto sound = disk_->clone();
  flip(at("0000000001.log"), 5'000);
  EXPECT_EQ(only_damage(),
            "/copy/0000000001.log: offset 0: the file is not what it was: its"
            " checksum is another one");
  disk_ = sound->clone();
  flip(at("0000000001.log"), 20);
  EXPECT_EQ(only_damage(), "/copy/0000000001.log: offset 0: the header is damaged");
  disk_ = sound->clone();
  flip(at("0000000001.backup"), 40);
  EXPECT_EQ(only_damage().substr(0, 33), "/copy/0000000001.backup: offset 1");
  disk_ = sound->clone();
  flip(at("BACKUP"), 3);
  EXPECT_EQ(only_damage(), "/copy/BACKUP: offset 0: is missing, or says nothing that is a version");
  ASSERT_EQ(disk_->remove(at("0000000001.backup")), 0);
  EXPECT_EQ(only_damage(), "/copy at 0: no backup in it was ever finished");
}

// K9: each file may be what its checksum says, and still not belong to the others.
TEST_P(VerifyTest, FindsAListThatDoesNotFit) {
  make(100);
  const auto sound = disk_->clone();
  const auto expect_found = [&](auto change) {
    disk_ = sound->clone();
    change_list(change);
    const auto check = verify();
    ASSERT_TRUE(check.has_value()) << check.error().message();
    EXPECT_FALSE(check->is_sound());
    EXPECT_FALSE(restore(*disk_).has_value() && try_open(*disk_, kRestored).has_value() &&
                 check->is_sound());
  };
  expect_found([](BackupList& list) { list.log_id ^= 1U; });
  expect_found([](BackupList& list) { list.last_commit += 1; });
  expect_found([](BackupList& list) { list.end += 8; });
  expect_found([](BackupList& list) { list.begin.chain += 2; });
  if (GetParam() == Engine::kDisk) {
    expect_found([](BackupList& list) { list.files.erase(list.files.begin()); });
    expect_found([](BackupList& list) { list.files.front().number = 70; });
  }
}

INSTANTIATE_TEST_SUITE_P(, VerifyTest, ::testing::Values(Engine::kMemory, Engine::kDisk),
                         name_of_engine);

}  // namespace
}  // namespace ashlar::db
