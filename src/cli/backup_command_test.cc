// What a person relies on who backs up, verifies and restores with the command: it says what it has
// done and by its status how that went, and one database comes back as it was.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "cli/cli_rig_test.h"

namespace ashlar::cli {
namespace {

class BackupCommandTest : public ::testing::TestWithParam<Engine>, protected CliRig {
 protected:
  Answer back_up() { return run({"backup", path(), path("copy")}); }
  /// Of the rows: the two halves are flushed apart.
  static std::string row_file_count() { return GetParam() == Engine::kDisk ? "2" : "1"; }
  Answer verify() { return run({"verify", path("copy")}); }
  Answer restore(const std::string& to = "restored") {
    return run({"restore", path("copy"), path(to)});
  }
};

TEST_P(BackupCommandTest, BringsADatabaseBack) {
  fill(200, GetParam());
  const std::string rows = run({"dump", path()}).out;
  const Answer made = back_up();
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_TRUE(made.out.starts_with(path("copy") + ": backup 1 of the ")) << made.out;
  EXPECT_NE(made.out.find("0 files were there, " + row_file_count() + " are linked, "),
            std::string::npos)
      << made.out;
  const Answer verified = verify();
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
  EXPECT_NE(verified.out.find(" bytes checked: all is well\n"), std::string::npos);
  const Answer restored = restore();
  EXPECT_EQ(restored.status, 0) << restored.err;
  EXPECT_TRUE(restored.out.starts_with(path("restored") + ": restored from " + path("copy")))
      << restored.out;
  EXPECT_EQ(run({"check", path("restored")}).status, 0);
  EXPECT_EQ(run({"dump", path("restored")}).out, rows);
}

TEST_P(BackupCommandTest, GoesOnFromAnEarlierOne) {
  fill(200, GetParam());
  ASSERT_EQ(back_up().status, 0);
  const Answer again = back_up();
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_TRUE(again.out.starts_with(path("copy") + ": backup 2 of ")) << again.out;
  const std::string kept = GetParam() == Engine::kDisk ? "2 files were there, 0 are linked"
                                                       : "0 files were there, 1 are linked";
  EXPECT_NE(again.out.find(kept), std::string::npos) << again.out;
}

TEST_P(BackupCommandTest, TellsOfDamageByItsPlace) {
  fill(200, GetParam());
  ASSERT_EQ(back_up().status, 0);
  const std::string file =
      GetParam() == Engine::kDisk ? "copy/0000000001.manifest" : "copy/0000000001.checkpoint";
  flip(file, 60);
  const Answer verified = verify();
  EXPECT_EQ(verified.status, 1);
  EXPECT_TRUE(verified.out.starts_with(path(file) + ": offset ")) << verified.out;
  EXPECT_NE(verified.out.find(" bytes checked: 1 damaged\n"), std::string::npos) << verified.out;
  const Answer restored = restore();
  EXPECT_EQ(restored.status, 1);
  EXPECT_NE(restored.err.find(path(file) + " at 0: "), std::string::npos) << restored.err;
  EXPECT_FALSE(std::filesystem::exists(path("restored")));
}

INSTANTIATE_TEST_SUITE_P(, BackupCommandTest, ::testing::Values(Engine::kMemory, Engine::kDisk),
                         [](const ::testing::TestParamInfo<Engine>& engine) {
                           return engine.param == Engine::kDisk ? "disk" : "memory";
                         });

class BackupCommandRefusals : public ::testing::Test, protected CliRig {};

TEST_F(BackupCommandRefusals, MakeNothing) {
  const Answer none = run({"backup", path("none"), path("copy")});
  EXPECT_EQ(none.status, 2);
  EXPECT_FALSE(std::filesystem::exists(path("none")));
  EXPECT_FALSE(std::filesystem::exists(path("copy")));
  EXPECT_EQ(run({"verify", path("none")}).status, 2);
  EXPECT_EQ(run({"restore", path("none"), path("restored")}).status, 2);
  EXPECT_FALSE(std::filesystem::exists(path("restored")));
  EXPECT_EQ(run({"backup", path()}).status, 2);
  EXPECT_EQ(run({"restore", path(), ""}).status, 2);
}

// One that is open is backed up where it is open.
TEST_F(BackupCommandRefusals, NameWhoHasTheDatabaseOpen) {
  const Db db = open();
  const Answer refused = run({"backup", path(), path("copy")});
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("is open in process "), std::string::npos) << refused.err;
}

// K10
TEST_F(BackupCommandRefusals, LeaveWhatIsThere) {
  fill(10);
  ASSERT_EQ(run({"backup", path(), path("copy")}).status, 0);
  const Answer refused = run({"restore", path("copy"), path()});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.err, "ashlar: " + path() + ": is there already, and not empty\n");
  EXPECT_EQ(run({"check", path()}).status, 0);
}

// A backup is no database, and no command takes it for one.
TEST_F(BackupCommandRefusals, KeepABackupFromBeingOpened) {
  fill(10);
  ASSERT_EQ(run({"backup", path(), path("copy")}).status, 0);
  for (const char* command : {"check", "repair", "info", "dump"}) {
    EXPECT_EQ(run({command, path("copy")}).status, 2) << command;
  }
  EXPECT_EQ(run({"load", path("copy")}, "# ashlar dump 1 text\n").status, 2);
  EXPECT_EQ(run({"verify", path("copy")}).status, 0);
  EXPECT_EQ(run({"verify", path()}).status, 2);
}

}  // namespace
}  // namespace ashlar::cli
