// What opening a directory relies on: one opener at a time, and nobody else's files.

#include "db/directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "os/posix_disk.h"
#include "testing/temporary_directory.h"

namespace ashlar::db {
namespace {

class DirectoryTest : public ::testing::Test {
 protected:
  std::string path() const { return (temporary_.path() / "data").string(); }

  testing::TemporaryDirectory temporary_;
  os::PosixDisk disk_;
};

TEST_F(DirectoryTest, IsMadeAndFoundAgain) {
  for (int i = 0; i < 2; ++i) {
    const auto opened = Directory::open(disk_, path());
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    EXPECT_EQ((*opened)->log_path(), path() + "/log");
  }
}

TEST_F(DirectoryTest, TellsASecondOpenerWhoHasIt) {
  const auto first = Directory::open(disk_, path());
  ASSERT_TRUE(first.has_value());
  const auto second = Directory::open(disk_, path());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(second.error().message(),
            path() + ": is open in process " + std::to_string(getpid()) + ", which is this one");
}

// D6: other databases have a file LOCK too.
TEST_F(DirectoryTest, LeavesADirectoryOfOthersAlone) {
  ASSERT_TRUE(os::make_directory(disk_, path()).has_value());
  ASSERT_TRUE(os::File::open(disk_, path() + "/letter.txt", os::OpenMode::kCreate).has_value());
  EXPECT_EQ(Directory::open(disk_, path()).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(os::list_directory(disk_, path())->size(), 1U) << "no lock file was made";
  const auto lock = os::File::open(disk_, path() + "/LOCK", os::OpenMode::kCreate);
  ASSERT_TRUE((*lock)->write(0, std::string_view("theirs")).has_value());
  EXPECT_EQ(Directory::open(disk_, path()).error().code(), ErrorCode::kInvalidArgument);
  std::string text(6, ' ');
  EXPECT_EQ((*lock)->read_some(0, text), 6U);
  EXPECT_EQ(text, "theirs");
}

TEST_F(DirectoryTest, RefusesAFormatThatItDoesNotKnow) {
  ASSERT_TRUE(Directory::open(disk_, path()).has_value());
  const auto file = os::File::open(disk_, path() + "/FORMAT", os::OpenMode::kReadWrite);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE((*file)->write(0, std::string_view("ashlar directory 2\n")).has_value());
  const auto opened = Directory::open(disk_, path());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(DirectoryTest, NeedsTheDirectoryAbove) {
  const auto opened = Directory::open(disk_, path() + "/deeper/still");
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::kIo);
}

TEST_F(DirectoryTest, RefusesADamagedFormat) {
  ASSERT_TRUE(Directory::open(disk_, path()).has_value());
  const auto file = os::File::open(disk_, path() + "/FORMAT", os::OpenMode::kReadWrite);
  ASSERT_TRUE((*file)->write(0, std::string_view("X")).has_value());
  const auto opened = Directory::open(disk_, path());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
  EXPECT_TRUE(opened.error().message().starts_with(path() + "/FORMAT at 0: "));
}

TEST_F(DirectoryTest, IsLookedAtWithoutAChange) {
  ASSERT_TRUE(Directory::open(disk_, path()).has_value());
  ASSERT_TRUE(os::remove_file(disk_, path() + "/LOCK").has_value());
  const auto opened = Directory::open_as_is(disk_, path());
  ASSERT_TRUE(opened.has_value());
  EXPECT_FALSE((*opened)->is_locked());
  EXPECT_EQ(os::list_directory(disk_, path())->size(), 1U) << "no lock file was made";
}

TEST_F(DirectoryTest, IsNotLookedAtWhileItIsOpen) {
  const auto first = Directory::open(disk_, path());
  const auto second = Directory::open_as_is(disk_, path());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
  EXPECT_NE(second.error().message().find(std::to_string(getpid())), std::string_view::npos);
}

// The text in LOCK is of whoever had it open before.
TEST_F(DirectoryTest, TellsAnOpenerThatItIsBeingLookedAt) {
  ASSERT_TRUE(Directory::open(disk_, path()).has_value());
  const auto looking = Directory::open_as_is(disk_, path());
  ASSERT_TRUE(looking.has_value());
  for (const bool is_repair : {false, true}) {
    const auto opened =
        is_repair ? Directory::open_for_repair(disk_, path()) : Directory::open(disk_, path());
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code(), ErrorCode::kUnavailable);
    EXPECT_EQ(
        opened.error().message(),
        path() + ": is being looked at, as `ashlar check` does: try again when that has ended");
  }
}

TEST_F(DirectoryTest, IsLookedAtByManyAtOnce) {
  ASSERT_TRUE(Directory::open(disk_, path()).has_value());
  auto first = Directory::open_as_is(disk_, path());
  auto second = Directory::open_as_is(disk_, path());
  ASSERT_TRUE(first.has_value() && second.has_value());
  first->reset();
  EXPECT_FALSE(Directory::open(disk_, path()).has_value()) << "one looks still";
  second->reset();
  EXPECT_TRUE(Directory::open(disk_, path()).has_value());
}

TEST_F(DirectoryTest, IsNotMadeByLooking) {
  EXPECT_EQ(Directory::open_as_is(disk_, path()).error().code(), ErrorCode::kIo);
  ASSERT_TRUE(os::make_directory(disk_, path()).has_value());
  EXPECT_EQ(Directory::open_as_is(disk_, path()).error().code(), ErrorCode::kInvalidArgument);
}

// D7: rows are looked for where their engine has them, and nowhere else.
TEST_F(DirectoryTest, IsOpenedByTheEngineThatItWasMadeForAndNoOther) {
  for (const Engine engine : {Engine::kMemory, Engine::kDisk}) {
    const bool has_tables = engine == Engine::kDisk;
    const Engine other = has_tables ? Engine::kMemory : Engine::kDisk;
    const std::string path = this->path() + (has_tables ? "-disk" : "-memory");
    ASSERT_TRUE(Directory::open(disk_, path, engine).has_value());
    ASSERT_TRUE(Directory::open(disk_, path, engine).has_value());
    const auto refused = Directory::open(disk_, path, other);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(refused.error().message(),
              path + (has_tables ? ": is of the disk engine, and was to be opened with the memory"
                                   " engine: `ashlar convert` makes a copy for that"
                                 : ": is of the memory engine, and was to be opened with the disk"
                                   " engine: `ashlar convert` makes a copy for that"));
    EXPECT_EQ(engine_of(disk_, path).value(), engine);
  }
}

TEST_F(DirectoryTest, TellsTheEngineByItsFoldersWhenTheFormatIsLost) {
  for (const Engine engine : {Engine::kMemory, Engine::kDisk}) {
    const std::string path = this->path() + std::string(rows_folder(engine));
    EXPECT_EQ(engine_of(disk_, path).value(), std::nullopt) << "there is nothing";
    ASSERT_TRUE(os::make_directory(disk_, path).has_value());
    EXPECT_EQ(engine_of(disk_, path).value(), std::nullopt) << "it is empty";
    ASSERT_TRUE(os::make_directory(disk_, path + "/" + std::string(rows_folder(engine))));
    EXPECT_EQ(engine_of(disk_, path).value(), std::nullopt) << "it may be of others";
    ASSERT_TRUE(os::make_directory(disk_, path + "/log").has_value());
    EXPECT_EQ(engine_of(disk_, path).value(), engine);
    const auto opened = Directory::open(disk_, path, engine);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption) << "a database without a format";
    ASSERT_TRUE(os::make_directory(disk_, path + "/checkpoint").has_value());
    ASSERT_TRUE(os::make_directory(disk_, path + "/tables").has_value());
    EXPECT_EQ(engine_of(disk_, path).value(), std::nullopt) << "of both";
  }
}

TEST_F(DirectoryTest, TellsNoEngineOfAnotherFormat) {
  ASSERT_TRUE(Directory::open(disk_, path(), Engine::kDisk).has_value());
  ASSERT_TRUE(os::make_directory(disk_, path() + "/log").has_value());
  ASSERT_TRUE(os::make_directory(disk_, path() + "/tables").has_value());
  const auto file = os::File::open(disk_, path() + "/FORMAT", os::OpenMode::kReadWrite);
  ASSERT_TRUE((*file)->write(0, std::string_view("ashlar directory 2 disk\n")).has_value());
  EXPECT_EQ(engine_of(disk_, path()).value(), std::nullopt);
}

}  // namespace
}  // namespace ashlar::db
