// What a test on disk may rely on: its directory is new, its own, and gone afterwards.

#include "testing/temporary_directory.h"

#include <gtest/gtest.h>

#include <fstream>

namespace ashlar::testing {
namespace {

TEST(TemporaryDirectory, IsNewAndEmpty) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(std::filesystem::is_directory(directory.path()));
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(TemporaryDirectory, IsNobodyElses) {
  const TemporaryDirectory first;
  const TemporaryDirectory second;
  EXPECT_NE(first.path(), second.path());
}

TEST(TemporaryDirectory, GoesAwayWithItsContent) {
  std::filesystem::path path;
  {
    const TemporaryDirectory directory;
    path = directory.path();
    std::filesystem::create_directory(path / "inner");
    std::ofstream(path / "inner" / "file") << "content";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace ashlar::testing
