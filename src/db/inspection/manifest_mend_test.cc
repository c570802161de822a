// What a directory of many tables relies on: one flipped bit in the list of them costs nothing, and
// more than that is never taken for one (I11).

#include "db/inspection/manifest_mend.h"

#include <gtest/gtest.h>

#include <string>

#include "os/file.h"
#include "os/simulated_disk.h"

namespace ashlar::db {
namespace {

class ManifestMendTest : public ::testing::Test {
 protected:
  void SetUp() override {
    manifest_.database_id = 1;
    manifest_.hash_seed = 2;
    manifest_.next_file_number = 9;
    manifest_.log_place = {.position = 4096, .chain = 7, .commit = 12};
    for (std::uint64_t number = 3; number < 6; ++number) {
      const auto first = static_cast<char>('a' + 2 * number);
      const auto last = static_cast<char>('b' + 2 * number);
      manifest_.tables.push_back({.level = 1,
                                  .table = {.number = number,
                                            .age_rank = number,
                                            .file_bytes = 300,
                                            .row_count = 10,
                                            .smallest = std::string(1, first),
                                            .largest = std::string(1, last)}});
    }
    bytes_ = lsm::encode_manifest(manifest_);
  }

  std::optional<lsm::Manifest> mend(const std::string& bytes) {
    os::SimulatedDisk disk;
    const auto file = os::File::open(disk, "/m", os::OpenMode::kCreate);
    EXPECT_TRUE((*file)->write(0, bytes).has_value());
    return mend_manifest(disk, "/m").value();
  }

  lsm::Manifest manifest_;
  std::string bytes_;
};

TEST_F(ManifestMendTest, UndoesEverySingleBit) {
  for (std::size_t bit = 0; bit < 8 * bytes_.size(); ++bit) {
    std::string flipped = bytes_;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto mended = mend(flipped);
    ASSERT_TRUE(mended.has_value()) << bit;
    EXPECT_EQ(*mended, manifest_) << bit;
  }
}

TEST_F(ManifestMendTest, LeavesAllElseAlone) {
  for (std::size_t at = 0; at + 1 < bytes_.size(); ++at) {
    std::string changed = bytes_;
    changed[at] = static_cast<char>(changed[at] ^ 3);
    EXPECT_FALSE(mend(changed).has_value()) << "two bits at " << at;
    EXPECT_FALSE(mend(bytes_.substr(0, at)).has_value()) << "cut at " << at;
  }
  EXPECT_FALSE(mend(std::string(kMendedBytesMax + 1, 'x')).has_value());
  os::SimulatedDisk disk;
  EXPECT_FALSE(mend_manifest(disk, "/none")->has_value());
}

}  // namespace
}  // namespace ashlar::db
