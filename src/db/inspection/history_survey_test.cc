#include "db/inspection/history_survey.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "db/access.h"
#include "db/inspection/inspect.h"
#include "lsm/engine/tiny_settings_test.h"
#include "os/file.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"

namespace ashlar::db {
namespace {

class HistorySurveyTest : public ::testing::TestWithParam<Engine> {
 protected:
  Db open(std::uint64_t history_bytes_max) {
    Options options;
    options.directory = "/data";
    options.engine = GetParam();
    options.memory_budget_bytes = std::size_t{32} << 20U;
    options.history_bytes_max = history_bytes_max;
    Environment environment;
    environment.clock = &clock_;
    environment.disk = &disk_;
    environment.has_background = false;
    environment.disk_engine = lsm::tiny_settings(options);
    environment.log.segment_bytes = std::size_t{64} << 10U;
    environment.log.ring_bytes = std::size_t{32} << 10U;
    auto opened = Access::open(options, environment);
    EXPECT_TRUE(opened.has_value()) << opened.error().message();
    return std::move(*opened);
  }

  /// Some segments' worth of commits, in the log no more.
  void fill(std::uint64_t history_bytes_max) {
    Db db = open(history_bytes_max);
    const std::string value(8'000, 'v');
    for (int i = 0; i < 60; ++i) {
      ASSERT_TRUE(db.put("key", value, Expiry::never(), Durability::kProcess).has_value());
    }
    ASSERT_TRUE(db.checkpoint().has_value());
    ASSERT_TRUE(db.close().has_value());
  }

  DirectoryReport report() {
    const auto directory = Directory::open_as_is(disk_, "/data");
    const auto found = inspect(disk_, **directory);
    EXPECT_TRUE(found.has_value());
    return found->report;
  }

  os::SimulatedDisk disk_;
  os::ManualClock clock_;
};

// I15
TEST_P(HistorySurveyTest, TellsHowFarBackItGoes) {
  fill(0);
  EXPECT_FALSE(report().history.has_value());
  fill(std::uint64_t{1} << 30U);
  const DirectoryReport found = report();
  ASSERT_TRUE(found.history.has_value());
  EXPECT_TRUE(found.is_sound());
  EXPECT_TRUE(found.remarks.empty()) << found.remarks.front().what;
  EXPECT_GT(found.history->segment_count, 4U);
  EXPECT_EQ(found.history->file_bytes, found.history->segment_count * ((64U << 10U) + 4096U));
  EXPECT_GT(found.history->oldest_commit, 1U);
  EXPECT_LT(found.history->oldest_commit, 70U);
}

TEST_P(HistorySurveyTest, RemarksWhatCannotBeRead) {
  fill(std::uint64_t{1} << 30U);
  const auto names = os::list_directory(disk_, "/data/history").value();
  const std::string damaged = "/data/history/" + names[names.size() / 2];
  disk_.overwrite(damaged, 20'000, "damage");
  const DirectoryReport found = report();
  EXPECT_TRUE(found.is_sound()) << "no row rests on it";
  ASSERT_TRUE(found.history.has_value());
  EXPECT_EQ(found.history->oldest_commit, 0U);
  ASSERT_EQ(found.remarks.size(), 1U);
  EXPECT_NE(found.remarks.front().what.find(damaged + " at "), std::string::npos)
      << found.remarks.front().what;
}

TEST_P(HistorySurveyTest, RemarksWhatTheLogHasLeftBehind) {
  fill(std::uint64_t{1} << 30U);
  fill(0);
  fill(0);
  const DirectoryReport found = report();
  EXPECT_TRUE(found.is_sound());
  EXPECT_TRUE(std::ranges::any_of(found.remarks, [](const Remark& remark) {
    return remark.path == "/data/history" &&
           remark.what.find("does not follow") != std::string::npos;
  }));
}

TEST_P(HistorySurveyTest, RemarksStrangers) {
  fill(std::uint64_t{1} << 30U);
  disk_.close(disk_.open("/data/history/letter", os::OpenMode::kCreate));
  const DirectoryReport found = report();
  ASSERT_EQ(found.remarks.size(), 1U);
  EXPECT_EQ(found.remarks.front().path, "/data/history/letter");
}

INSTANTIATE_TEST_SUITE_P(, HistorySurveyTest, ::testing::Values(Engine::kMemory, Engine::kDisk),
                         [](const auto& engine) {
                           return engine.param == Engine::kDisk ? "disk" : "memory";
                         });

}  // namespace
}  // namespace ashlar::db
