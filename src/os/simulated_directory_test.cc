// What tests of recovery rely on: a change of names that was not synced is kept or lost as a whole
// and on its own, one that was synced is there after every power cut.

#include "os/simulated_directory.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::os {
namespace {

SimulatedEntry file_of(const std::string& content) {
  auto file = std::make_shared<SimulatedFile>();
  file->write(0, content);
  file->sync();
  return {.file = std::move(file), .directory = nullptr};
}

// The names and the content that each leads to: "a=1 b=2".
std::string describe(const SimulatedDirectory& directory) {
  std::string all;
  for (const std::string& name : directory.names()) {
    const SimulatedEntry* const entry = directory.find(name);
    std::string content = "directory";
    if (entry->file != nullptr) {
      content.assign(entry->file->bytes(), '?');
      entry->file->read(0, content);
    }
    if (!all.empty()) all += ' ';
    all += name;
    all += '=';
    all += content;
  }
  return all;
}

std::string after_cut(const SimulatedDirectory& directory, PowerCut how, std::uint64_t seed) {
  CutRandom random(seed);
  const auto twin = directory.clone();
  twin->cut_power(how, random);
  twin->check();
  return describe(*twin);
}

std::set<std::string> all_after_cuts(const SimulatedDirectory& directory) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    seen.insert(after_cut(directory, PowerCut::kKeepRandom, seed));
  }
  return seen;
}

TEST(SimulatedDirectory, KnowsTheNamesItWasGiven) {
  SimulatedDirectory directory;
  EXPECT_EQ(directory.find("a"), nullptr);
  directory.create("a", file_of("1"));
  directory.create("b", file_of("2"));
  directory.rename("a", "b");
  directory.create("c", {.file = nullptr, .directory = std::make_shared<SimulatedDirectory>()});
  EXPECT_EQ(describe(directory), "b=1 c=directory");
  directory.remove("b");
  EXPECT_EQ(describe(directory), "c=directory");
  directory.check();
}

// F3
TEST(SimulatedDirectory, NoPowerCutTakesBackWhatWasSynced) {
  SimulatedDirectory directory;
  directory.create("a", file_of("1"));
  directory.create("b", file_of("2"));
  directory.create("c", file_of("3"));
  directory.rename("a", "d");
  directory.remove("b");
  directory.sync();
  EXPECT_EQ(all_after_cuts(directory), std::set<std::string>{"c=3 d=1"});
  EXPECT_EQ(after_cut(directory, PowerCut::kKeepNothing, 1), "c=3 d=1");
}

TEST(SimulatedDirectory, EachChangeIsKeptOrLostOnItsOwn) {
  SimulatedDirectory directory;
  directory.create("old", file_of("0"));
  directory.sync();
  directory.create("a", file_of("1"));
  directory.create("b", file_of("2"));
  directory.remove("old");
  EXPECT_EQ(all_after_cuts(directory),
            (std::set<std::string>{"", "a=1", "b=2", "a=1 b=2", "old=0", "a=1 old=0", "b=2 old=0",
                                   "a=1 b=2 old=0"}));
  EXPECT_EQ(after_cut(directory, PowerCut::kKeepNothing, 1), "old=0");
  EXPECT_EQ(after_cut(directory, PowerCut::kKeepEverything, 1), "a=1 b=2");
  EXPECT_EQ(after_cut(directory, PowerCut::kTorn, 1), "a=1 b=2");
}

TEST(SimulatedDirectory, ALostRenameLeavesBothFilesUnderTheirOldNames) {
  SimulatedDirectory directory;
  directory.create("current", file_of("1"));
  directory.create("next", file_of("2"));
  directory.sync();
  directory.rename("next", "current");
  EXPECT_EQ(all_after_cuts(directory), (std::set<std::string>{"current=1 next=2", "current=2"}));
}

TEST(SimulatedDirectory, NoFileEndsWithTwoNamesWhicheverRenameIsLost) {
  SimulatedDirectory directory;
  directory.create("a", file_of("1"));
  directory.sync();
  directory.rename("a", "b");
  directory.rename("b", "c");
  EXPECT_EQ(all_after_cuts(directory), (std::set<std::string>{"a=1", "b=1", "c=1"}));
}

TEST(SimulatedDirectory, ALostDirectoryTakesAlongWhatIsBelow) {
  SimulatedDirectory root;
  const auto below = std::make_shared<SimulatedDirectory>();
  root.create("below", {.file = nullptr, .directory = below});
  below->create("a", file_of("1"));
  below->sync();
  EXPECT_EQ(after_cut(root, PowerCut::kKeepNothing, 1), "");
  root.sync();
  below->create("b", file_of("2"));
  CutRandom random(1);
  root.cut_power(PowerCut::kKeepNothing, random);
  EXPECT_EQ(describe(*root.find("below")->directory), "a=1");
}

TEST(SimulatedDirectory, ACloneIsEqualAndApart) {
  SimulatedDirectory directory;
  directory.create("a", file_of("1"));
  directory.sync();
  directory.rename("a", "b");
  const auto twin = directory.clone();
  twin->check();
  twin->find("b")->file->overwrite(0, std::string("X"));
  twin->sync();
  EXPECT_EQ(describe(*twin), "b=X");
  EXPECT_EQ(describe(directory), "b=1");
  EXPECT_EQ(after_cut(directory, PowerCut::kKeepNothing, 1), "a=1");
}

TEST(SimulatedDirectory, VisitsEachFileThatHasAName) {
  SimulatedDirectory root;
  const auto below = std::make_shared<SimulatedDirectory>();
  root.create("a", file_of("1"));
  root.create("below", {.file = nullptr, .directory = below});
  below->create("b", file_of("22"));
  root.create("gone", file_of("333"));
  root.remove("gone");
  std::uint64_t bytes = 0;
  root.for_each_file([&bytes](SimulatedFile& file) { bytes += file.bytes(); });
  EXPECT_EQ(bytes, 3U);
}

void change_at_random(testing::Random& random, SimulatedDirectory& directory) {
  const std::string name(1, static_cast<char>('a' + random.below(4)));
  const std::string other(1, static_cast<char>('a' + random.below(4)));
  if (directory.find(name) == nullptr) {
    directory.create(name, file_of(name));
  } else if (random.chance(30)) {
    directory.remove(name);
  } else if (name != other) {
    directory.rename(name, other);
  }
}

// F3, F7
TEST(SimulatedDirectory, KeepsItsInvariantsOverRandomHistories) {
  testing::Random random(testing::seed());
  SimulatedDirectory directory;
  for (int i = 0; i < 500; ++i) {
    change_at_random(random, directory);
    if (random.chance(10)) directory.sync();
    directory.check();
    if (random.chance(20)) {
      EXPECT_EQ(after_cut(directory, PowerCut::kKeepEverything, 1), describe(directory));
    }
  }
  directory.sync();
  EXPECT_EQ(after_cut(directory, PowerCut::kKeepNothing, 1), describe(directory));
}

TEST(SimulatedDirectoryDeathTest, RefusesNamesThatAreTakenOrMissing) {
  SimulatedDirectory directory;
  directory.create("a", file_of("1"));
  EXPECT_DEATH(directory.create("a", file_of("2")), "only a name that is free is given");
  EXPECT_DEATH(directory.remove("b"), "only a name that is there is removed");
  EXPECT_DEATH(directory.create("b", {}), "a name leads to a file or to a directory");
}

}  // namespace
}  // namespace ashlar::os
