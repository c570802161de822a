// What somebody relies on who restores a backup: the directory is a database with all of it, or
// there is none of that name; and nothing else is written to.

#include "db/backup/restore.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "db/backup/backup_rig_test.h"
#include "db/inspection/inspect.h"
#include "os/faulty_disk.h"
#include "os/posix_disk.h"
#include "testing/temporary_directory.h"

namespace ashlar::db {
namespace {

class RestoreTest : public OfBothEngines {
 protected:
  BackedUpRows make(int count) {
    Db db = open();
    put(db, 0, count);
    EXPECT_TRUE(db.backup(kCopy).has_value());
    return rows_of(db);
  }
  std::string refusal(const std::string& to) {
    const auto restored = restore(*disk_, to);
    return restored ? "" : std::string(restored.error().message());
  }
};

// K10
TEST_P(RestoreTest, MakesADatabaseThatIsSoundAndGoesOn) {
  const BackedUpRows rows = make(300);
  const auto restored = restore(*disk_, "/restored/");
  ASSERT_TRUE(restored.has_value()) << restored.error().message();
  EXPECT_EQ(restored->last_commit, 300U);
  for (int opening = 0; opening < 3; ++opening) {
    {
      const auto directory = Directory::open_as_is(*disk_, kRestored);
      const auto found = inspect(*disk_, **directory);
      ASSERT_TRUE(found.has_value());
      EXPECT_TRUE(found->report.is_sound());
    }
    Db db = open(kRestored);
    EXPECT_EQ(rows_of(db).size(), rows.size() + static_cast<std::size_t>(10 * opening));
    put(db, 1'000 + 10 * opening, 1'010 + 10 * opening);
    if (opening == 1) {
      ASSERT_TRUE(db.checkpoint().has_value());
    }
    ASSERT_TRUE(db.close().has_value());
  }
}

// Neither database takes a piece of the other's log for one of its own.
TEST_P(RestoreTest, MakesAnotherDatabase) {
  make(20);
  ASSERT_TRUE(restore(*disk_, "/one", 50).has_value());
  ASSERT_TRUE(restore(*disk_, "/two", 51).has_value());
  const std::string log = "/log/0000000001.log";
  EXPECT_NE(disk_->read_all("/one" + log), disk_->read_all("/two" + log));
  Db one = open("/one");
  Db two = open("/two");
  ASSERT_TRUE(one.backup("/copy of one").has_value());
  EXPECT_EQ(two.backup("/copy of one").error().code(), ErrorCode::kInvalidArgument);
}

TEST_P(RestoreTest, WritesToNothingThatIsThere) {
  make(20);
  ASSERT_EQ(disk_->make_directory("/mine"), 0);
  disk_->close(disk_->open("/mine/letter", os::OpenMode::kCreate));
  EXPECT_EQ(refusal("/mine"), "/mine: is there already, and not empty");
  EXPECT_EQ(refusal(kData), "/data: is there already, and not empty");
  EXPECT_EQ(refusal("/copy"), "/copy: is inside of the backup");
  EXPECT_EQ(refusal("/copy/new"), "/copy/new: is inside of the backup");
  EXPECT_EQ(refusal(""), "\"\": an empty name leads nowhere");
  ASSERT_EQ(disk_->make_directory("/new.unfinished"), 0);
  EXPECT_EQ(refusal("/new"),
            "/new.unfinished: is of a restore that was stopped, or is under way:"
            " remove it first");
  EXPECT_EQ(names_in("/mine"), std::vector<std::string>{"letter"});
  EXPECT_EQ(names_in("/"), (std::vector<std::string>{"copy", "data", "mine", "new.unfinished"}));
}

// K10: whatever is damaged, there is no database of that name afterwards.
TEST_P(RestoreTest, RefusesWhatIsDamaged) {
  make(100);
  const auto sound = disk_->clone();
  for (const std::string& name : names_in(kCopy)) {
    if (name == "LOCK" || name == "BACKUP") continue;
    disk_ = sound->clone();
    flip(std::string(kCopy) + "/" + name, 90);
    const auto refused = restore(*disk_);
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_EQ(refused.error().code(), ErrorCode::kCorruption) << name;
    EXPECT_NE(refused.error().message().find(name + " at "), std::string::npos)
        << refused.error().message();
    EXPECT_EQ(disk_->open(std::string(kRestored) + "/FORMAT", os::OpenMode::kRead), -ENOENT);
  }
  EXPECT_EQ(refusal("/no/where"),
            "/no/where.unfinished: make directory: No such file or directory");
}

// K10: any call fails, or is the last: the directory has its name when it is whole and durable.
TEST_P(RestoreTest, IsThereWhollyOrNotAtAll) {
  const BackedUpRows rows = make(40);
  bool has_failed = true;
  for (std::uint64_t nth = 0; has_failed; ++nth) {
    const auto below = disk_->clone();
    os::FaultyDisk disk(*below);
    disk.fail(os::CallKind::kAny, nth, os::Fault::kEio, os::FaultSpan::kForEver);
    const bool is_restored = restore(disk).has_value();
    has_failed = disk.call_count(os::CallKind::kAny) > nth;
    below->cut_power(is_restored ? os::PowerCut::kKeepNothing : os::PowerCut::kKeepRandom, nth);
    std::vector<std::string> names;
    if (below->list(kRestored, names) == -ENOENT) {
      EXPECT_FALSE(is_restored) << nth;
      continue;
    }
    auto db = try_open(*below, kRestored);
    ASSERT_TRUE(db.has_value()) << nth << ": " << db.error().message();
    EXPECT_EQ(rows_of(*db), rows) << nth;
  }
}

INSTANTIATE_TEST_SUITE_P(, RestoreTest, ::testing::Values(Engine::kMemory, Engine::kDisk),
                         name_of_engine);

// The public calls, on the disk of the machine; an empty directory may be there.
TEST(Restore, WorksOnTheDiskOfTheMachine) {
  const testing::TemporaryDirectory temporary;
  const auto path = [&](const char* name) { return (temporary.path() / name).string(); };
  for (const Engine engine : {Engine::kMemory, Engine::kDisk}) {
    const std::string name = engine == Engine::kDisk ? "disk" : "memory";
    const std::string copy = path("copy of ") + name;
    const std::string restored = path("restored ") + name;
    auto db = Db::open({.directory = path("data ") + name, .engine = engine});
    ASSERT_TRUE(db.has_value());
    ASSERT_TRUE(db->put("key", "value").has_value());
    const auto report = db->backup(copy);
    ASSERT_TRUE(report.has_value()) << report.error().message();
    EXPECT_EQ(report->linked_file_count, 1U);
    ASSERT_TRUE(ashlar::verify_backup(copy)->is_sound());
    os::PosixDisk disk;
    ASSERT_TRUE(os::make_directory(disk, restored).has_value());
    const auto done = ashlar::restore_backup({.backup = copy, .directory = restored});
    ASSERT_TRUE(done.has_value()) << done.error().message();
    const auto again = Db::open({.directory = restored, .engine = engine});
    ASSERT_TRUE(again.has_value()) << again.error().message();
    EXPECT_EQ(again->get("key").value()->view(), "value");
  }
}

}  // namespace
}  // namespace ashlar::db
