// What a journal relies on: the newest checkpoint counts, whatever an earlier process left undone.

#include "db/checkpoint_store.h"

#include <gtest/gtest.h>

#include <string>

#include "os/posix_disk.h"
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
