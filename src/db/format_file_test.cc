// What opening and repair rely on: the file says one thing or another, never something in between.

#include "db/format_file.h"

#include <gtest/gtest.h>

#include <string>

#include "os/simulated_disk.h"

namespace ashlar::db {
namespace {

class FormatFileTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(os::make_directory(disk_, kPath).has_value()); }

  FormatState state_with(std::string_view text) {
    const std::string path = std::string(kPath) + "/FORMAT";
    EXPECT_TRUE(os::remove_file(disk_, path).has_value());
    const auto file = os::File::open(disk_, path, os::OpenMode::kCreate);
    EXPECT_TRUE((*file)->write(0, text).has_value());
    return read_format(disk_, kPath)->state;
  }

  static constexpr const char* kPath = "/data";
  os::SimulatedDisk disk_;
};

TEST_F(FormatFileTest, KnowsItsStates) {
  EXPECT_EQ(read_format(disk_, kPath)->state, FormatState::kMissing);
  for (const Engine engine : {Engine::kMemory, Engine::kDisk}) {
    EXPECT_EQ(state_with(format_text(engine)), FormatState::kGood);
    EXPECT_EQ(read_format(disk_, kPath)->engine, engine);
    EXPECT_EQ(state_with(repair_text(engine)), FormatState::kUnderRepair);
    EXPECT_EQ(read_format(disk_, kPath)->engine, engine);
  }
  for (const char* text :
       {"ashlar directory 2\n", "ashlar directory 12\n", "ashlar directory 2 disk\n"}) {
    EXPECT_EQ(state_with(text), FormatState::kOther) << text;
    EXPECT_EQ(read_format(disk_, kPath)->engine, std::nullopt) << text;
  }
}

TEST_F(FormatFileTest, TakesEveryFlippedByteForDamageOrAnotherVersion) {
  for (const std::string_view good : {kMemoryFormatText, kDiskFormatText}) {
    for (std::size_t i = 0; i < good.size(); ++i) {
      std::string text(good);
      text[i] = static_cast<char>(text[i] ^ 0x40);
      EXPECT_EQ(state_with(text), FormatState::kDamaged) << i;
    }
  }
  for (const char* text :
       {"", "ashlar", "ashlar directory \n", "ashlar directory 1", "ashlar directory 02\n",
        "ashlar directory 1\n\n", "ashlar directory disk\n", "ashlar directory 1 disc\n",
        "ashlar directory 1  disk\n"}) {
    EXPECT_EQ(state_with(text), FormatState::kDamaged) << text;
  }
}

// D5: whenever the machine stops, the file is the one before or the new one.
TEST_F(FormatFileTest, ChangesAtOnce) {
  ASSERT_TRUE(write_format(disk_, kPath, kDiskFormatText).has_value());
  bool is_done = false;
  for (std::uint64_t call = 0; !is_done; ++call) {
    const auto stopped = disk_.clone();
    stopped->stop_before(call);
    is_done = write_format(*stopped, kPath, kDiskRepairText).has_value();
    stopped->cut_power(os::PowerCut::kKeepRandom, call);
    const FormatState state = read_format(*stopped, kPath)->state;
    EXPECT_TRUE(state == FormatState::kGood || state == FormatState::kUnderRepair) << call;
    if (is_done) {
      EXPECT_EQ(state, FormatState::kUnderRepair);
    }
  }
}

}  // namespace
}  // namespace ashlar::db
