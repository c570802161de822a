// What the tools rely on: of a damaged checkpoint every block that is whole comes back, nothing
// else does, and the damage is told by its place.

#include "memory/checkpoint/checkpoint_reader.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/coding.h"
#include "memory/checkpoint/checkpoint_layout.h"
#include "os/simulated_disk.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::memory {
namespace {

using Rows = std::map<std::string, std::string>;

class CheckpointReaderTest : public ::testing::Test {
 protected:
  // Some ten blocks, of values that do not compress.
  void SetUp() override {
    testing::Random random(testing::seed());
    for (int i = 0; i < 600; ++i) rows_["key:" + std::to_string(i)] = random.bytes(1000);
    const engine::LogPlace origin{.position = 4096, .chain = 3, .commit = 8};
    auto writer = CheckpointWriter::create(disk_, kPath, origin, 1'000);
    for (const auto& [key, value] : rows_) {
      ASSERT_TRUE((*writer)->add({.key = key, .value = value}).has_value());
    }
    ASSERT_TRUE((*writer)->finish(8192).has_value());
    content_ = disk_.read_all(kPath);
  }

  CheckpointSalvage salvage() {
    found_.clear();
    auto result = salvage_checkpoint(disk_, kPath, [&](std::string_view payload) -> Result<void> {
      engine::PayloadReader reader(payload);
      while (const auto stored = reader.next()) found_.emplace(stored->key, stored->value);
      return {};
    });
    EXPECT_TRUE(result.has_value());
    return result ? std::move(*result) : CheckpointSalvage{};
  }

  void flip(std::uint64_t offset) {
    disk_.overwrite(kPath, offset, std::string(1, static_cast<char>(content_[offset] ^ 0x10)));
  }
  void mend(std::uint64_t offset) { disk_.overwrite(kPath, offset, content_.substr(offset, 1)); }

  /// Whether all that was found was written.
  bool is_part_of_rows() const {
    return std::ranges::all_of(found_, [this](const auto& row) {
      const auto at = rows_.find(row.first);
      return at != rows_.end() && at->second == row.second;
    });
  }

  static constexpr const char* kPath = "/checkpoint";
  os::SimulatedDisk disk_;
  Rows rows_;
  Rows found_;
  std::string content_;
};

TEST_F(CheckpointReaderTest, FindsNothingWrongWithASoundOne) {
  const CheckpointSalvage salvaged = salvage();
  EXPECT_TRUE(salvaged.damages.empty());
  EXPECT_EQ(found_, rows_);
  EXPECT_EQ(salvaged.read_row_count, rows_.size());
  EXPECT_EQ(salvaged.report.moment_ms, 1'000);
  EXPECT_EQ(salvaged.report.end, 8192U);
  EXPECT_GT(salvaged.read_block_count, 5U);
}

// K1: one flipped byte anywhere costs one block at most, and no row that was not written appears.
TEST_F(CheckpointReaderTest, LosesOneBlockToAFlippedByte) {
  testing::Random random(testing::seed());
  for (int round = 0; round < 60; ++round) {
    const std::uint64_t offset = random.below(content_.size());
    flip(offset);
    const CheckpointSalvage salvaged = salvage();
    ASSERT_EQ(salvaged.damages.size(), 1U) << "byte " << offset;
    EXPECT_LE(salvaged.damages[0].offset, offset);
    EXPECT_GE(salvaged.damages[0].offset + salvaged.damages[0].bytes, offset);
    EXPECT_TRUE(is_part_of_rows());
    EXPECT_GE(found_.size(), rows_.size() - 70) << "byte " << offset;
    mend(offset);
  }
}

TEST_F(CheckpointReaderTest, ReadsOnWithoutItsHeader) {
  flip(20);
  const CheckpointSalvage salvaged = salvage();
  EXPECT_FALSE(salvaged.has_header);
  EXPECT_TRUE(salvaged.has_footer);
  EXPECT_EQ(found_, rows_);
}

TEST_F(CheckpointReaderTest, TellsWhereAFileThatWasCutEnds) {
  auto file = os::File::open(disk_, kPath, os::OpenMode::kReadWrite);
  for (const std::uint64_t bytes :
       {content_.size() / 2, std::size_t{50}, std::size_t{48}, std::size_t{10}, std::size_t{0}}) {
    ASSERT_TRUE((*file)->truncate(bytes).has_value());
    const CheckpointSalvage salvaged = salvage();
    EXPECT_FALSE(salvaged.damages.empty()) << bytes;
    EXPECT_FALSE(salvaged.has_footer) << bytes;
    EXPECT_TRUE(is_part_of_rows());
  }
}

TEST_F(CheckpointReaderTest, FindsBlocksBehindALongHole) {
  disk_.overwrite(kPath, 1000, std::string(200'000, 'x'));
  const CheckpointSalvage salvaged = salvage();
  ASSERT_EQ(salvaged.damages.size(), 1U);
  EXPECT_EQ(salvaged.damages[0].what, "blocks 0 to 3 are damaged");
  EXPECT_EQ(salvaged.report.row_count, rows_.size());
  EXPECT_LT(found_.size(), rows_.size());
  EXPECT_GT(found_.size(), rows_.size() / 2);
  EXPECT_TRUE(is_part_of_rows());
}

// K3: a length with a good checksum is still only a claim. The first block keeps its stored bytes,
// 64 KiB, and says that they stand for 400 MiB, which they might.
TEST_F(CheckpointReaderTest, TakesNoMemoryForWhatABlockOnlyClaims) {
  constexpr std::uint32_t kClaimedBytes = std::uint32_t{400} << 20U;
  constexpr std::size_t kAt = checkpoint_layout::kHeaderBytes;
  constexpr std::size_t kStoredAt = kAt + checkpoint_layout::kBlockHeaderBytes;
  const auto stored_bytes = base::load_number<std::uint32_t>(content_.data() + kAt);
  ASSERT_TRUE(checkpoint_layout::can_stand_for(stored_bytes, kClaimedBytes));
  const auto stored = std::string_view(content_).substr(kStoredAt, stored_bytes);
  std::string claim;
  base::append_number(claim, kClaimedBytes);
  base::append_number(claim, checkpoint_layout::block_checksum(stored, 0, kClaimedBytes));
  disk_.overwrite(kPath, kAt + 4, claim);

  const auto kib_at_most = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = kib_at_most();
  const auto report =
      read_checkpoint(disk_, kPath, [](std::string_view) { return Result<void>(); });
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().message(), "/checkpoint at 48: block 0 is damaged");
  const CheckpointSalvage salvaged = salvage();
  ASSERT_EQ(salvaged.damages.size(), 1U);
  EXPECT_TRUE(is_part_of_rows());
  EXPECT_LT(kib_at_most() - before, kClaimedBytes / 1024 / 4);
}

TEST_F(CheckpointReaderTest, NamesFileAndOffsetToTheStrictReader) {
  flip(60);
  const auto report =
      read_checkpoint(disk_, kPath, [](std::string_view) { return Result<void>(); });
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().message(), "/checkpoint at 48: block 0 is damaged");
}

}  // namespace
}  // namespace ashlar::memory
