// What `ashlar info` promises: figures from the files, for people and for machines.

#include <gtest/gtest.h>

#include <string>

#include "cli/cli_rig_test.h"

namespace ashlar::cli {
namespace {

TEST(InfoCommand, TellsPeople) {
  CliRig rig;
  rig.fill(20);
  const auto answer = rig.run({"info", rig.path()});
  EXPECT_EQ(answer.status, kGood);
  for (const char* part :
       {"format        ashlar directory 1\n", "checkpoint    number 1, 10 rows, ",
        "log           1 segments, numbers 1 to 1, ", "11 frames behind the checkpoint\n",
        "end           closed in order\n", "newest        about 20", "up to commit 21\n"}) {
    EXPECT_NE(answer.out.find(part), std::string::npos) << part << "\n" << answer.out;
  }
}

TEST(InfoCommand, TellsMachines) {
  CliRig rig;
  rig.fill(20);
  const auto answer = rig.run({"info", "--json", rig.path()});
  EXPECT_EQ(answer.status, kGood);
  for (const char* part :
       {"\"damage_count\": 0", "\"rows\": 10", "\"frames_behind_checkpoint\": 11",
        "\"was_closed\": true", "\"last_commit\": 21"}) {
    EXPECT_NE(answer.out.find(part), std::string::npos) << part << "\n" << answer.out;
  }
}

TEST(InfoCommand, TellsOfDamageWithoutFailing) {
  CliRig rig;
  rig.fill(20);
  rig.flip("data/log/0000000001.log", 40);
  const auto answer = rig.run({"info", rig.path()});
  EXPECT_EQ(answer.status, kGood);
  EXPECT_NE(answer.out.find("damage        1; see `ashlar check"), std::string::npos) << answer.out;
}

TEST(InfoCommand, TellsOfTablesByLevel) {
  CliRig rig;
  rig.fill(20, Engine::kDisk);
  const auto text = rig.run({"info", rig.path()});
  EXPECT_EQ(text.status, kGood);
  for (const char* part :
       {"format        ashlar directory 1 disk\n", "engine        disk\n",
        "manifest      number 2, ", "tables        1 tables, ", "10 rows, 0 of them erases\n",
        "level 0: 1 tables", "11 frames behind the tables\n"}) {
    EXPECT_NE(text.out.find(part), std::string::npos) << part << text.out;
  }
  EXPECT_EQ(text.out.find("checkpoint"), std::string::npos) << text.out;
  const auto json = rig.run({"info", rig.path(), "--json"});
  for (const char* part : {"\"engine\": \"disk\"", "\"manifest\": 2", "\"level\": 6",
                           "\"rows\": 10", "\"sound_tables\": 1"}) {
    EXPECT_NE(json.out.find(part), std::string::npos) << part << json.out;
  }
}

}  // namespace
}  // namespace ashlar::cli
