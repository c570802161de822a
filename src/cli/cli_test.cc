// What scripts rely on: the exit status of a command line, right or wrong, and help where it
// belongs.

#include "cli/cli.h"

#include <gtest/gtest.h>

#include <string>

#include "cli/cli_rig_test.h"

namespace ashlar::cli {
namespace {

TEST(Cli, TellsItsVersion) {
  const auto answer = CliRig().run({"--version"});
  EXPECT_EQ(answer.status, kGood);
  EXPECT_TRUE(answer.out.starts_with("ashlar 0.")) << answer.out;
}

TEST(Cli, HelpsOnStandardOutput) {
  const auto answer = CliRig().run({"--help"});
  EXPECT_EQ(answer.status, kGood);
  for (const char* word : {"check", "repair", "info", "dump", "load", "convert", "backup", "verify",
                           "restore", "Exit status"}) {
    EXPECT_NE(answer.out.find(word), std::string::npos) << word;
  }
  const auto about_repair = CliRig().run({"repair", "--help"});
  EXPECT_EQ(about_repair.status, kGood);
  EXPECT_NE(about_repair.out.find("--dry-run"), std::string::npos);
}

TEST(Cli, RefusesAWrongCommandLineOnStandardError) {
  CliRig rig;
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                    {"mend", "x"},
                                                    {"check"},
                                                    {"check", "a", "b"},
                                                    {"dump", "x", "--form=xml"},
                                                    {"load", "x", "--durability", "quorum"},
                                                    {"check", "--bad"}}) {
    const auto answer = rig.run(arguments);
    EXPECT_EQ(answer.status, kFailed);
    EXPECT_TRUE(answer.out.empty());
    EXPECT_FALSE(answer.err.empty());
  }
}

TEST(Cli, MakesNoDirectoryByLooking) {
  CliRig rig;
  for (const char* command : {"check", "repair", "info", "dump"}) {
    const auto answer = rig.run({command, rig.path("nowhere")});
    EXPECT_EQ(answer.status, kFailed) << command;
    EXPECT_NE(answer.err.find("nowhere"), std::string::npos) << command;
  }
  EXPECT_FALSE(std::filesystem::exists(rig.path("nowhere")));
}

TEST(Cli, NamesTheHolderOfADirectoryThatIsOpen) {
  CliRig rig;
  const Db db = rig.open();
  for (const char* command : {"check", "repair", "info", "dump", "load"}) {
    const auto answer = rig.run({command, rig.path()}, "# ashlar dump 1 text\n");
    EXPECT_EQ(answer.status, kFailed) << command;
    EXPECT_NE(answer.err.find("is open in process " + std::to_string(getpid())), std::string::npos)
        << answer.err;
  }
}

}  // namespace
}  // namespace ashlar::cli
