// What `ashlar check` promises: 0 only when all is well, and each damage on a line with its place.

#include <gtest/gtest.h>

#include <string>

#include "cli/cli_rig_test.h"

namespace ashlar::cli {
namespace {

TEST(CheckCommand, SumsUpWhatIsSound) {
  CliRig rig;
  rig.fill(20);
  const auto answer = rig.run({"check", rig.path()});
  EXPECT_EQ(answer.status, kGood) << answer.out;
  EXPECT_TRUE(answer.out.starts_with(rig.path() +
                                     ": 10 rows in checkpoint 1, 11 frames of the log behind it, "))
      << answer.out;
  EXPECT_TRUE(answer.out.ends_with(" bytes checked: all is well\n"));
}

TEST(CheckCommand, PrintsDamageByFileAndOffset) {
  CliRig rig;
  rig.fill(20);
  rig.flip("data/checkpoint/0000000001.checkpoint", 70);
  const auto answer = rig.run({"check", rig.path()});
  EXPECT_EQ(answer.status, kDamage);
  EXPECT_TRUE(answer.out.starts_with(
      rig.path() + "/checkpoint/0000000001.checkpoint: offset 48: block 0 is damaged\n"))
      << answer.out;
  EXPECT_NE(answer.out.find("1 damaged; see `ashlar repair"), std::string::npos);
}

TEST(CheckCommand, LooksAtTables) {
  CliRig rig;
  rig.fill(20, Engine::kDisk);
  const auto sound = rig.run({"check", rig.path()});
  EXPECT_EQ(sound.status, kGood) << sound.out;
  EXPECT_TRUE(sound.out.starts_with(rig.path() + ": 10 rows in 1 tables by manifest 2, 11 frames"))
      << sound.out;
  rig.flip("data/tables/0000000001.table", 10);
  const auto damaged = rig.run({"check", rig.path()});
  EXPECT_EQ(damaged.status, kDamage);
  EXPECT_TRUE(damaged.out.starts_with(rig.path() +
                                      "/tables/0000000001.table: offset 0: block 0 is damaged\n"))
      << damaged.out;
}

TEST(CheckCommand, NotesStrangersWithoutAlarm) {
  CliRig rig;
  rig.fill(2);
  rig.write("data/letter", "dear");
  const auto answer = rig.run({"check", rig.path()});
  EXPECT_EQ(answer.status, kGood);
  EXPECT_TRUE(answer.out.starts_with("note: " + rig.path() + "/letter: does not belong here\n"));
}

TEST(CheckCommand, RefusesWhatIsNoDatabase) {
  CliRig rig;
  rig.fill(2);
  EXPECT_EQ(rig.run({"check", rig.path("data/log")}).status, kFailed);
  rig.write("data/FORMAT", "ashlar directory 7\n");
  EXPECT_EQ(rig.run({"check", rig.path()}).status, kFailed);
}

}  // namespace
}  // namespace ashlar::cli
