// What a journal relies on: the newest checkpoint counts, whatever an earlier process left undone.

#include "db/checkpoint_store.h"

#include <gtest/gtest.h>

#include <string>

#include "os/posix_disk.h"
#include "os/simulated_disk.h"
#include "testing/seed.h"
#include "testing/temporary_directory.h"

namespace ashlar::db {
namespace {

class CheckpointStoreTest : public ::testing::Test {
 protected:
  std::string path() const { return (temporary_.path() / "checkpoint").string(); }

  void install(CheckpointStore& store, std::uint64_t position) {
    const auto writer = store.begin({.position = position, .chain = 1, .commit = 1}, 1'000);
    ASSERT_TRUE(writer.has_value());
    ASSERT_TRUE((*writer)->finish(position).has_value());
    ASSERT_TRUE(store.install().has_value());
  }

  std::optional<std::uint64_t> newest_position() {
    CheckpointStore store(disk_, path());
    EXPECT_TRUE(store.open().has_value());
    const auto report = store.load([](std::string_view) -> Result<void> { return {}; });
    EXPECT_TRUE(report.has_value());
    if (!report || !*report) return std::nullopt;
    return (*report)->origin.position;
  }

  testing::TemporaryDirectory temporary_;
  os::PosixDisk disk_;
};

TEST_F(CheckpointStoreTest, HasNoneAtFirst) {
  EXPECT_EQ(newest_position(), std::nullopt);
}

TEST_F(CheckpointStoreTest, KeepsTheNewestOnly) {
  CheckpointStore store(disk_, path());
  ASSERT_TRUE(store.open().has_value());
  for (const std::uint64_t position : {8U, 16U, 24U}) install(store, position);
  EXPECT_EQ(store.newest_path(), path() + "/" + checkpoint_name(3));
  EXPECT_EQ(newest_position(), 24U);
  EXPECT_EQ(os::list_directory(disk_, path())->size(), 1U);
}

TEST_F(CheckpointStoreTest, ForgetsWhatWasNotInstalled) {
  CheckpointStore store(disk_, path());
  ASSERT_TRUE(store.open().has_value());
  install(store, 8);
  ASSERT_TRUE(store.begin({.position = 16}, 1'000).has_value());
  EXPECT_EQ(newest_position(), 8U);
  EXPECT_EQ(os::list_directory(disk_, path())->size(), 1U);
}

// K4: the process ends before the name of a new checkpoint is durable; the next one opens it, and
// then the power goes.
TEST(CheckpointStorePowerCut, OneOfTwoCheckpointsIsLeft) {
  const auto nothing = [](std::string_view) -> Result<void> { return {}; };
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    os::SimulatedDisk disk;
    ASSERT_TRUE(os::make_directory(disk, "/c").has_value());
    CheckpointStore first(disk, "/c");
    ASSERT_TRUE(first.open().has_value());
    const auto older = first.begin({.position = 8, .chain = 1, .commit = 1}, 1'000);
    ASSERT_TRUE((*older)->finish(8).has_value());
    ASSERT_TRUE(first.install().has_value());
    const auto newer = first.begin({.position = 16, .chain = 1, .commit = 2}, 1'000);
    ASSERT_TRUE((*newer)->finish(16).has_value());
    ASSERT_TRUE(os::rename_file(disk, "/c/unfinished", "/c/" + checkpoint_name(2)).has_value());
    disk.crash_process();

    CheckpointStore second(disk, "/c");
    ASSERT_TRUE(second.open().has_value());
    ASSERT_TRUE(second.load(nothing).value().has_value());
    disk.cut_power(os::PowerCut::kKeepRandom, testing::seed() + seed);

    CheckpointStore third(disk, "/c");
    ASSERT_TRUE(third.open().has_value());
    EXPECT_TRUE(third.load(nothing).value().has_value()) << "cut " << testing::seed() + seed;
  }
}

// What an older checkpoint holds may be all that is left: a damaged newer one does not take it
// along.
TEST_F(CheckpointStoreTest, KeepsAnOlderOneUntilTheNewestHasProvedGood) {
  CheckpointStore store(disk_, path());
  ASSERT_TRUE(store.open().has_value());
  install(store, 8);
  const std::string newer = path() + "/" + checkpoint_name(2);
  ASSERT_TRUE(os::File::open(disk_, newer, os::OpenMode::kCreate).has_value());
  CheckpointStore again(disk_, path());
  ASSERT_TRUE(again.open().has_value());
  const auto report = again.load([](std::string_view) -> Result<void> { return {}; });
  EXPECT_EQ(report.error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(os::list_directory(disk_, path())->size(), 2U);
}

}  // namespace
}  // namespace ashlar::db
