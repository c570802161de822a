// What `ashlar repair` promises: it says what it does, does nothing when told so, and `check` is
// content afterwards.

#include <gtest/gtest.h>

#include <string>

#include "cli/cli_rig_test.h"

namespace ashlar::cli {
namespace {

TEST(RepairCommand, HasNothingToDoOnASoundDirectory) {
  CliRig rig;
  rig.fill(20);
  const auto answer = rig.run({"repair", rig.path()});
  EXPECT_EQ(answer.status, kGood);
  EXPECT_EQ(answer.out, rig.path() + ": nothing is damaged, nothing to do\n");
}

TEST(RepairCommand, TellsItsPlanAndChangesNothing) {
  CliRig rig;
  rig.fill(20);
  rig.flip("data/log/0000000001.log", 40);
  const auto answer = rig.run({"repair", "--dry-run", rig.path()});
  EXPECT_EQ(answer.status, kGood);
  EXPECT_NE(answer.out.find("damage: " + rig.path() + "/log/0000000001.log: offset 0: "),
            std::string::npos)
      << answer.out;
  EXPECT_NE(answer.out.find("would put aside: log/0000000001.log -> " + rig.path() +
                            "/0000000001.aside\n"),
            std::string::npos);
  EXPECT_NE(answer.out.find("nothing was changed"), std::string::npos);
  EXPECT_EQ(rig.run({"check", rig.path()}).status, kDamage);
}

TEST(RepairCommand, LeavesADirectoryThatCheckIsContentWith) {
  CliRig rig;
  rig.fill(20);
  rig.flip("data/log/0000000001.log", 40);
  rig.flip("data/checkpoint/0000000001.checkpoint", 60);
  const auto answer = rig.run({"repair", rig.path()});
  EXPECT_EQ(answer.status, kGood) << answer.err;
  EXPECT_TRUE(answer.out.ends_with(": repaired\n"));
  const auto checked = rig.run({"check", rig.path()});
  EXPECT_EQ(checked.status, kGood) << checked.out;
  EXPECT_NE(checked.out.find("0000000001.aside: holds what a repair has put aside"),
            std::string::npos);
  EXPECT_EQ(rig.open().stats()->key_count, 20U) << "the log alone was enough";
}

TEST(RepairCommand, TellsTheKeysThatATableHasLost) {
  CliRig rig;
  rig.fill(20, Engine::kDisk);
  rig.flip("data/tables/0000000001.table", 10);
  const auto repaired = rig.run({"repair", rig.path()});
  EXPECT_EQ(repaired.status, kGood) << repaired.err;
  EXPECT_NE(repaired.out.find("lost: tables/0000000001.table: rows with keys from \"key:0\" to "
                              "\"key:9\" cannot be read"),
            std::string::npos)
      << repaired.out;
  EXPECT_EQ(rig.run({"check", rig.path()}).status, kGood);
}

}  // namespace
}  // namespace ashlar::cli
