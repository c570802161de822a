// What recovery relies on: a checkpoint gives back what was written, and nothing once it is
// damaged.

#include "memory/checkpoint/checkpoint_file.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/coding.h"
#include "memory/checkpoint/checkpoint_layout.h"
#include "memory/checkpoint/checkpoint_reader.h"
#include "os/posix_disk.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/temporary_directory.h"

namespace ashlar::memory {
namespace {

using Rows = std::map<std::string, std::string>;

class CheckpointTest : public ::testing::Test {
 protected:
  std::string path() const { return (temporary_.path() / "checkpoint").string(); }

  void write(const Rows& rows) {
    auto writer =
        CheckpointWriter::create(disk_, path(), {.position = 4096, .chain = 3, .commit = 8}, 1'000);
    ASSERT_TRUE(writer.has_value());
    for (const auto& [key, value] : rows) {
      ASSERT_TRUE((*writer)->add({.key = key, .value = value}).has_value());
    }
    ASSERT_TRUE((*writer)->finish(8192).has_value());
    EXPECT_EQ((*writer)->row_count(), rows.size());
  }

  Result<CheckpointReport> read(Rows& rows) {
    return read_checkpoint(disk_, path(), [&](std::string_view payload) -> Result<void> {
      engine::PayloadReader reader(payload);
      while (const auto stored = reader.next()) rows.emplace(stored->key, stored->value);
      EXPECT_TRUE(reader.is_good());
      return {};
    });
  }

  testing::TemporaryDirectory temporary_;
  os::PosixDisk disk_;
};

TEST_F(CheckpointTest, BringsItsRowsBack) {
  Rows rows;
  for (int i = 0; i < 5000; ++i) {
    rows["key:" + std::to_string(i)] = std::string(static_cast<std::size_t>(i % 300), 'v');
  }
  // Each far longer than a block; the second also than zstd looks back.
  rows["long"] = std::string(std::size_t{1} << 20U, 'l');
  testing::Random random(testing::seed());
  rows["longer"] = random.bytes(std::size_t{9} << 20U);
  write(rows);
  Rows found;
  const auto report = read(found);
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_EQ(found, rows);
  EXPECT_EQ(report->origin.position, 4096U);
  EXPECT_EQ(report->origin.chain, 3U);
  EXPECT_EQ(report->origin.commit, 8U);
  EXPECT_EQ(report->end, 8192U);
  EXPECT_EQ(report->row_count, rows.size());
}

TEST_F(CheckpointTest, MayBeEmpty) {
  write({});
  Rows found;
  EXPECT_TRUE(read(found).has_value());
  EXPECT_TRUE(found.empty());
}

// K1: every flipped bit and every length but the right one is noticed.
TEST_F(CheckpointTest, IsRefusedWhenItIsDamaged) {
  testing::Random random(testing::seed());
  Rows rows;
  for (int i = 0; i < 40; ++i) rows["key:" + std::to_string(i)] = random.bytes(20);
  write(rows);
  auto file = os::File::open(disk_, path(), os::OpenMode::kReadWrite);
  ASSERT_TRUE(file.has_value());
  const std::uint64_t bytes = (*file)->size().value();
  for (std::uint64_t bit = 0; bit < bytes * 8; bit += 1 + random.below(5)) {
    char byte = 0;
    ASSERT_TRUE((*file)->read(bit / 8, {&byte, 1}).has_value());
    const char flipped = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit % 8));
    ASSERT_TRUE((*file)->write(bit / 8, {&flipped, 1}).has_value());
    Rows found;
    const auto report = read(found);
    ASSERT_FALSE(report.has_value()) << "bit " << bit;
    EXPECT_EQ(report.error().code(), ErrorCode::kCorruption);
    ASSERT_TRUE((*file)->write(bit / 8, {&byte, 1}).has_value());
  }
  for (std::uint64_t length = 0; length < bytes; length += 1 + random.below(50)) {
    Rows whole;
    ASSERT_TRUE(read(whole).has_value());
    std::string content(bytes, '\0');
    ASSERT_TRUE((*file)->read(0, content).has_value());
    ASSERT_TRUE((*file)->truncate(length).has_value());
    Rows found;
    EXPECT_FALSE(read(found).has_value()) << "length " << length;
    ASSERT_TRUE((*file)->write(0, content).has_value());
  }
}

// K3: at, below and above its limits.
TEST(CheckpointLimits, AreThoseOfTheLongestRowAndOfZstd) {
  using checkpoint_layout::can_stand_for;
  using checkpoint_layout::kRawBytesMax;
  constexpr std::uint64_t kManyBytes = std::uint64_t{1} << 30U;
  EXPECT_TRUE(can_stand_for(kManyBytes, kRawBytesMax - 1));
  EXPECT_TRUE(can_stand_for(kManyBytes, kRawBytesMax));
  EXPECT_FALSE(can_stand_for(kManyBytes, kRawBytesMax + 1));
  EXPECT_TRUE(can_stand_for(8, std::uint64_t{8} << 15U));
  EXPECT_FALSE(can_stand_for(7, std::uint64_t{8} << 15U));
}

// The memory is never touched: a row is refused by its length.
TEST_F(CheckpointTest, RefusesARowThatNoDatabaseTakes) {
  auto writer = CheckpointWriter::create(disk_, path(), engine::LogPlace{}, 1'000);
  ASSERT_TRUE(writer.has_value());
  const std::string_view value("v", kValueBytesHardMax + 1);
  const auto added = (*writer)->add({.key = "key", .value = value});
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().code(), ErrorCode::kCorruption);
  EXPECT_EQ((*writer)->row_count(), 0U);
  const std::string long_key(kKeyBytesHardMax + 1, 'k');
  EXPECT_FALSE((*writer)->add({.key = long_key, .value = "v"}).has_value());
  EXPECT_TRUE((*writer)->add({.key = std::string(kKeyBytesHardMax, 'k'), .value = "v"}));
}

// Whoever wrote it: a length that no block can have is refused before memory is taken for it.
TEST_F(CheckpointTest, IsRefusedWhenABlockClaimsTooMuch) {
  write({});
  constexpr std::uint32_t kRawBytes = 0xffff'ffff;
  const std::string stored(16, '\0');
  std::string block;
  base::append_number(block, static_cast<std::uint32_t>(stored.size()));
  base::append_number(block, kRawBytes);
  base::append_number(block, checkpoint_layout::block_checksum(stored, 0, kRawBytes));
  block += stored;
  auto file = os::File::open(disk_, path(), os::OpenMode::kReadWrite);
  ASSERT_TRUE(file.has_value() &&
              (*file)->write(checkpoint_layout::kHeaderBytes, block).has_value());
  Rows found;
  const auto report = read(found);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(report.error().message().find("at 48: block 0 is damaged"), std::string_view::npos)
      << report.error().message();
}

}  // namespace
}  // namespace ashlar::memory
