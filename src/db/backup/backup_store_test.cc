// What a backup relies on: whatever befalls the machine or the disk while its list is installed,
// the directory holds the backup before or the new one, with all that it names; and what is not
// ours stays.

#include "db/backup/backup_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "os/faulty_disk.h"
#include "os/simulated_disk.h"
#include "testing/seed.h"

namespace ashlar::db {
namespace {

using Kind = BackupFile::Kind;

const std::string kPath = "/copy";

constexpr os::PowerCut kAllCuts[] = {os::PowerCut::kKeepNothing, os::PowerCut::kKeepEverything,
                                     os::PowerCut::kKeepRandom, os::PowerCut::kTorn};

BackupList list_of(std::uint64_t number) {
  return {.number = number,
          .engine = Engine::kMemory,
          .log_id = 1,
          .moment_ms = 1,
          .begin = {},
          .end = 8 * number,
          .last_commit = number,
          .files = {{Kind::kCheckpoint, number, 1, 1}, {Kind::kLog, number, 1, 1}}};
}

/// Makes the files of a list, durable but for their names.
bool write_files(os::Disk& disk, const BackupStore& store, const BackupList& list) {
  for (const BackupFile& file : list.files) {
    const auto made = os::File::open(disk, store.path_of(file), os::OpenMode::kCreate);
    if (!made || !(*made)->write(0, std::to_string(list.number)) || !(*made)->sync()) return false;
  }
  return true;
}

/// Opens the store and installs the next backup. Returns whether that was acknowledged.
bool install_next(os::Disk& disk) {
  const auto store = BackupStore::open(disk, kPath);
  if (!store) return false;
  const BackupList list = list_of((*store)->newest_number() + 1);
  return write_files(disk, **store, list) && (*store)->install(list).has_value();
}

/// The number of the newest backup, which is whole; 0 without any.
std::uint64_t found_on(os::SimulatedDisk& disk) {
  const auto store = BackupStore::open_as_is(disk, kPath);
  if (!store) {
    // Before the first: nothing, or a directory that holds none yet.
    EXPECT_TRUE(store.error().code() == ErrorCode::kInvalidArgument ||
                store.error().code() == ErrorCode::kCorruption);
    return 0;
  }
  const auto list = (*store)->read_newest();
  EXPECT_TRUE(list.has_value()) << list.error().message();
  if (!list) return 0;
  for (const BackupFile& file : list->files) {
    EXPECT_EQ(disk.read_all((*store)->path_of(file)), std::to_string(list->number));
  }
  return list->number;
}

/// A disk on which `count` backups were installed one after the other.
std::unique_ptr<os::SimulatedDisk> disk_with(int count) {
  auto disk = std::make_unique<os::SimulatedDisk>();
  for (int i = 0; i < count; ++i) EXPECT_TRUE(install_next(*disk));
  return disk;
}

std::vector<std::string> names_on(os::Disk& disk) {
  return os::list_directory(disk, kPath).value();
}

TEST(BackupStore, KeepsTheNewestOnly) {
  const auto disk = disk_with(3);
  EXPECT_EQ(found_on(*disk), 3U);
  EXPECT_EQ(names_on(*disk), (std::vector<std::string>{"0000000003.backup", "0000000003.checkpoint",
                                                       "0000000003.log", "BACKUP", "LOCK"}));
}

// K6: the power goes away before every call of a first backup and of one that follows another.
TEST(BackupStore, IsWholeWhereverThePowerGoesAway) {
  for (const std::uint64_t earlier : {0U, 1U}) {
    const auto before = disk_with(static_cast<int>(earlier));
    const auto counting = before->clone();
    ASSERT_TRUE(install_next(*counting));
    const std::uint64_t call_count = counting->call_count();
    ASSERT_GT(call_count, 15U);
    for (std::uint64_t call = 0; call <= call_count; ++call) {
      const auto stopped = before->clone();
      stopped->stop_before(call);
      const bool is_acknowledged = install_next(*stopped);
      for (const os::PowerCut cut : kAllCuts) {
        for (std::uint64_t seed = 0; seed < 8; ++seed) {
          const auto disk = stopped->clone();
          disk->cut_power(cut, testing::seed() + seed);
          const std::uint64_t found = found_on(*disk);
          ASSERT_TRUE(found == earlier + 1 || (found == earlier && !is_acknowledged))
              << "call " << call;
          // The next one goes on from there, however the power goes away then.
          ASSERT_TRUE(install_next(*disk)) << "call " << call;
          disk->cut_power(os::PowerCut::kKeepNothing, testing::seed() + seed);
          ASSERT_EQ(found_on(*disk), found + 1) << "call " << call;
        }
      }
    }
  }
}

// K6: the process dies, the next one begins a backup from what it finds, and then the power goes
// away: what it found must not turn into the one before, whose files are gone.
TEST(BackupStore, StaysWhatAnOpeningHasFound) {
  const auto before = disk_with(1);
  for (std::uint64_t call = 0; call < 30; ++call) {
    const auto stopped = before->clone();
    stopped->stop_before(call);
    (void)install_next(*stopped);
    stopped->crash_process();
    const std::uint64_t found = found_on(*stopped);
    ASSERT_TRUE(BackupStore::open(*stopped, kPath).has_value());
    for (std::uint64_t seed = 0; seed < 16; ++seed) {
      const auto disk = stopped->clone();
      disk->cut_power(os::PowerCut::kKeepRandom, testing::seed() + seed);
      ASSERT_EQ(found_on(*disk), found) << "call " << call;
    }
  }
}

// K6: any call of a backup fails; what is given up leaves the one before as it was.
TEST(BackupStore, KeepsTheOneBeforeWhenACallFails) {
  bool has_failed = true;
  for (std::uint64_t nth = 0; has_failed; ++nth) {
    const auto below = disk_with(1);
    os::FaultyDisk disk(*below);
    disk.fail(os::CallKind::kAny, nth, os::Fault::kEnospc, os::FaultSpan::kOnce);
    bool is_installed = false;
    if (const auto store = BackupStore::open(disk, kPath)) {
      const BackupList list = list_of(2);
      is_installed = write_files(disk, **store, list) && (*store)->install(list).has_value();
      if (!is_installed) (*store)->give_up();
    }
    has_failed = disk.call_count(os::CallKind::kAny) > nth;
    disk.heal();
    const std::uint64_t found = found_on(*below);
    // Between the rename and the end of the directory's sync either may be found.
    EXPECT_TRUE(found == (is_installed ? 2U : 1U) || (!is_installed && found == 2U)) << nth;
    EXPECT_TRUE(install_next(*below)) << nth;
    EXPECT_EQ(found_on(*below), found + 1) << nth;
    EXPECT_EQ(names_on(*below).size(), 5U) << nth;
  }
}

// K7
TEST(BackupStore, TouchesNothingThatIsNotOurs) {
  auto disk = disk_with(1);
  for (const char* name : {"/letter", "/0000000009.sst", "/0000000009.table.gz"}) {
    disk->close(disk->open(kPath + name, os::OpenMode::kCreate));
  }
  disk->close(disk->open(kPath + "/0000000009.table", os::OpenMode::kCreate));
  ASSERT_TRUE(install_next(*disk));
  const std::vector<std::string> names = names_on(*disk);
  EXPECT_EQ(names.size(), 8U) << "all but what an earlier backup could have left";

  // Without the mark it is no directory of ours, whatever else is in it.
  ASSERT_EQ(disk->remove(kPath + "/BACKUP"), 0);
  const auto refused = BackupStore::open(*disk, kPath);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message(), "/copy: is neither empty nor a backup");
  EXPECT_EQ(names_on(*disk).size(), 7U);
}

TEST(BackupStore, SaysWhatItDoesNotUnderstand) {
  auto disk = disk_with(1);
  disk->overwrite(kPath + "/BACKUP", 14, "2");
  EXPECT_EQ(BackupStore::open(*disk, kPath).error().message(),
            "/copy/BACKUP: is of a version that is not known here");
  EXPECT_EQ(BackupStore::open_as_is(*disk, kPath).error().code(), ErrorCode::kInvalidArgument);
  disk->overwrite(kPath + "/BACKUP", 0, "A");
  EXPECT_EQ(BackupStore::open(*disk, kPath).error().message(),
            "/copy/BACKUP at 0: says nothing that is a version");
  const auto store = BackupStore::open_as_is(*disk, kPath);
  ASSERT_TRUE(store.has_value());
  EXPECT_FALSE((*store)->is_mark_good());
  EXPECT_EQ(BackupStore::open_as_is(*disk, "/none").error().message(),
            "/none: there is no such directory");
  ASSERT_EQ(disk->make_directory("/empty"), 0);
  EXPECT_EQ(BackupStore::open_as_is(*disk, "/empty").error().message(), "/empty: is no backup");
}

// K6: an older list does not take the place of a damaged one, and nothing is removed.
TEST(BackupStore, RefusesADamagedList) {
  auto disk = disk_with(1);
  disk->overwrite(kPath + "/0000000001.backup", 30, "x");
  const std::size_t name_count = names_on(*disk).size();
  const auto refused = BackupStore::open(*disk, kPath);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(names_on(*disk).size(), name_count);
}

TEST(BackupStore, IsOneWritersOrManyReaders) {
  auto disk = disk_with(1);
  {
    const auto writer = BackupStore::open(*disk, kPath);
    EXPECT_EQ(BackupStore::open_as_is(*disk, kPath).error().code(), ErrorCode::kUnavailable);
    EXPECT_EQ(BackupStore::open(*disk, kPath).error().code(), ErrorCode::kUnavailable);
  }
  const auto reader = BackupStore::open_as_is(*disk, kPath);
  EXPECT_TRUE(BackupStore::open_as_is(*disk, kPath).has_value());
  EXPECT_EQ(BackupStore::open(*disk, kPath).error().message(),
            "/copy/LOCK: a backup is being written here, or being read");
}

}  // namespace
}  // namespace ashlar::db
