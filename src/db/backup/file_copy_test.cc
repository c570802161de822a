// What a backup relies on: a copy has every byte, survives once it was made, and its checksum tells
// it from every other content.

#include "db/backup/file_copy.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hash.h"
#include "os/file.h"
#include "os/simulated_disk.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::db {
namespace {

class FileCopyTest : public ::testing::Test {
 protected:
  void create(const std::string& path, const std::string& content) {
    const auto file = os::File::open(disk_, path, os::OpenMode::kCreate);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE((*file)->write(0, content).has_value());
  }

  os::SimulatedDisk disk_;
  const std::string from_ = "/from";
  const std::string to_ = "/to";
};

TEST_F(FileCopyTest, CopiesEveryByteAndMakesThemDurable) {
  testing::Random random(testing::seed());
  const std::string content = random.bytes((2U << 20U) + 5);
  create(from_, content);
  std::uint64_t seen_bytes = 0;
  const auto copied = copy_file(disk_, {.from = from_, .to = to_},
                                [&](std::uint64_t bytes) { seen_bytes += bytes; });
  ASSERT_TRUE(copied.has_value()) << copied.error().message();
  EXPECT_EQ(copied->bytes, content.size());
  EXPECT_EQ(seen_bytes, content.size());
  ASSERT_TRUE(os::sync_directory(disk_, "/").has_value());
  disk_.cut_power(os::PowerCut::kKeepNothing, 1);
  EXPECT_EQ(disk_.read_all(to_), content);
  EXPECT_EQ(sum_file(disk_, to_, {}).value(), *copied);
}

// docs/formats/backup.md tells how it is computed.
TEST_F(FileCopyTest, HasTheChecksumOfItsDescription) {
  constexpr std::size_t kPiece = std::size_t{1} << 20U;
  const std::string content(kPiece + 3, 'x');
  create(from_, content);
  const std::uint64_t first = base::hash_key(std::string_view(content).substr(0, kPiece), 0);
  EXPECT_EQ(sum_file(disk_, from_, {})->checksum, base::hash_key("xxx", first));
  create(to_, "");
  EXPECT_EQ(sum_file(disk_, to_, {}).value(), FileSum{});
}

TEST_F(FileCopyTest, RefusesWhatIsNotThereAndWhatIs) {
  EXPECT_EQ(sum_file(disk_, from_, {}).error().message(), "/from at 0: the file is missing");
  create(from_, "x");
  create(to_, "y");
  EXPECT_EQ(copy_file(disk_, {.from = from_, .to = to_}, {}).error().code(),
            ErrorCode::kUnavailable);
  EXPECT_EQ(disk_.read_all(to_), "y");
}

}  // namespace
}  // namespace ashlar::db
