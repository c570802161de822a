// Keys that are read together get the answers that they get alone, however the disk behaves; a read
// that fails fails the call, and says which file and where.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "lsm/engine/disk_engine_rig_test.h"
#include "os/posix_disk.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/temporary_directory.h"
#include "testing/workload_scale.h"

namespace ashlar::lsm {
namespace {

constexpr int kKeyCount = 400;

std::string key_of(int i) {
  return "key " + std::to_string(1000 + i);
}
std::string value_of(int i, std::string_view generation) {
  return std::string(generation) + " " + std::to_string(i) + std::string(200, 'v');
}

/// Keys in all levels: every third is newer in level 0, every fifth erased there, and some are in
/// memory only.
void fill(DiskEngineRig& rig) {
  for (int i = 0; i < kKeyCount; ++i) {
    ASSERT_TRUE(rig.put(key_of(i), value_of(i, "old")).has_value());
  }
  ASSERT_TRUE(rig.engine->compact().has_value());
  for (int i = 0; i < kKeyCount; i += 3) {
    ASSERT_TRUE(rig.put(key_of(i), value_of(i, "new")).has_value());
  }
  for (int i = 0; i < kKeyCount; i += 5) ASSERT_TRUE(rig.erase(key_of(i)).value());
  ASSERT_TRUE(rig.engine->flush().has_value());
  for (int i = 0; i < kKeyCount; i += 50) {
    ASSERT_TRUE(rig.put(key_of(i), value_of(i, "newest")).has_value());
  }
}

std::optional<std::string> expected_of(int i) {
  if (i >= kKeyCount) return std::nullopt;
  if (i % 50 == 0) return value_of(i, "newest");
  if (i % 5 == 0) return std::nullopt;
  return value_of(i, i % 3 == 0 ? "new" : "old");
}

/// Reads the keys of `indices` together, and holds each answer against what it must be.
Result<void> read_together(const engine::StorageEngine& engine, const std::vector<int>& indices) {
  std::vector<std::string> names;
  for (const int i : indices) names.push_back(key_of(i));
  const std::vector<std::string_view> keys(names.begin(), names.end());
  std::vector<std::optional<Value>> values(keys.size());
  ASHLAR_TRY(engine.multi_get(keys, engine::kLatest, values));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::optional<std::string> expected = expected_of(indices[i]);
    EXPECT_EQ(values[i].has_value(), expected.has_value()) << keys[i];
    if (values[i] && expected) {
      EXPECT_EQ(values[i]->view(), *expected);
    }
  }
  return {};
}

std::vector<int> draw(testing::Random& random, std::size_t count) {
  std::vector<int> indices(count);
  for (int& i : indices) i = static_cast<int>(random.below(kKeyCount + 50));
  return indices;
}

TEST(DiskEngineReadGroup, AnswersFromAColdCacheAsFromAWarmOne) {
  DiskEngineRig rig;
  rig.open();
  fill(rig);
  testing::Random random(testing::seed());
  for (int round = 0; round < 100; ++round) {
    ASSERT_TRUE(read_together(*rig.engine, draw(random, 1 + random.below(100))).has_value());
  }
}

// A key that an upper level has is not looked for below: no block of there is read.
TEST(DiskEngineReadGroup, ReadsNoBlockBelowTheOneThatHasTheKey) {
  DiskEngineRig rig;
  rig.open();
  for (int i = 0; i < kKeyCount; ++i) {
    ASSERT_TRUE(rig.put(key_of(i), value_of(i, "old")).has_value());
  }
  ASSERT_TRUE(rig.engine->compact().has_value());
  for (const int i : {7, 100, 300}) {
    ASSERT_TRUE(rig.put(key_of(i), value_of(i, "old")).has_value());
  }
  ASSERT_TRUE(rig.engine->flush().has_value());
  const std::uint64_t before = rig.faulty.call_count(os::CallKind::kRead);
  ASSERT_TRUE(read_together(*rig.engine, {301, 7, 7}).has_value());
  EXPECT_EQ(rig.faulty.call_count(os::CallKind::kRead) - before, 2U)
      << "the block of 301 below, and that of 7 above, once";
}

// Every nth read fails, for every n: the call says where, and the next one has all answers.
TEST(DiskEngineReadGroup, TellsOfEveryReadThatFails) {
  for (const os::Fault fault : {os::Fault::kEio, os::Fault::kEintr, os::Fault::kShortRead}) {
    for (std::uint64_t nth = 0; nth < 12; ++nth) {
      DiskEngineRig rig;
      rig.open();
      fill(rig);
      rig.open();  // So that no block is in memory; what was in memory only is gone.
      std::vector<int> indices;
      for (int i = 1; i < kKeyCount; i += 30) {
        if (i % 50 != 0) indices.push_back(i);
      }
      rig.faulty.fail(os::CallKind::kRead, rig.faulty.call_count(os::CallKind::kRead) + nth, fault,
                      os::FaultSpan::kOnce);
      const Result<void> read = read_together(*rig.engine, indices);
      ASSERT_EQ(read.has_value(), fault != os::Fault::kEio) << "read " << nth;
      if (!read) {
        EXPECT_EQ(read.error().code(), ErrorCode::kIo);
        EXPECT_NE(read.error().message().find(".table: read at "), std::string_view::npos)
            << read.error().message();
      }
      EXPECT_TRUE(read_together(*rig.engine, indices).has_value());
      rig.engine->check();
    }
  }
}

/// An engine on the disk of the machine, with three times as much data as its cache has room for.
class OnRealDisk {
 public:
  explicit OnRealDisk(os::RingUse rings) : disk_(rings) {
    const Options options{.memory_budget_bytes = std::size_t{20} << 20U};
    engine_ = DiskEngine::open({.disk = disk_,
                                .clock = clock_,
                                .directory = (directory_.path() / "tables").string(),
                                .seed = 1,
                                .settings = EngineSettings::of(options)})
                  .value();
    EXPECT_TRUE(engine_->start(log_, engine::Background::kCallers).has_value());
    for (int i = 0; i < kCount; ++i) {
      const std::string key = key_of(i);
      const std::string value = long_value(i);
      const engine::Operation put{.key = key, .value = value};
      EXPECT_TRUE(engine_->apply({&put, 1}, nullptr).has_value());
    }
    EXPECT_TRUE(engine_->compact().has_value());
  }

  /// Reads 40 keys together. Returns: how many answers were not what they must be
  int read(testing::Random& random) const {
    std::vector<int> indices;
    std::vector<std::string> names;
    for (int i = 0; i < 40; ++i) {
      indices.push_back(static_cast<int>(random.below(kCount)));
      names.push_back(key_of(indices.back()));
    }
    const std::vector<std::string_view> keys(names.begin(), names.end());
    std::vector<std::optional<Value>> values(keys.size());
    if (!engine_->multi_get(keys, engine::kLatest, values)) return 1;
    int wrong_count = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!values[i] || values[i]->view() != long_value(indices[i])) ++wrong_count;
    }
    return wrong_count;
  }

  const DiskEngine& engine() const { return *engine_; }
  const os::PosixDisk& disk() const { return disk_; }

 private:
  static constexpr int kCount = 2500;
  // Of random bytes: the compressor is to leave them as long as they are.
  static std::string long_value(int i) {
    testing::Random random(static_cast<std::uint64_t>(i));
    std::string value(4000, '\0');
    for (char& byte : value) byte = static_cast<char>(random.below(256));
    return value;
  }

  testing::TemporaryDirectory directory_;
  os::PosixDisk disk_;
  os::ManualClock clock_;
  FigureLog log_;
  std::unique_ptr<DiskEngine> engine_;
};

class DiskEngineReadGroupOnDisk : public ::testing::TestWithParam<os::RingUse> {};

// Side by side or one after the other: the same answers, for many threads that miss together.
TEST_P(DiskEngineReadGroupOnDisk, AnswersManyThreadsAtOnce) {
  const OnRealDisk rig(GetParam());
  const int round_count = static_cast<int>(testing::scaled(100));
  std::vector<std::thread> threads;
  std::atomic<int> wrong_count = 0;
  for (std::uint64_t thread = 0; thread < 6; ++thread) {
    threads.emplace_back([&, thread] {
      testing::Random random(testing::seed() + thread);
      for (int round = 0; round < round_count; ++round) wrong_count += rig.read(random);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong_count, 0);
  EXPECT_GT(rig.engine().stats().cache_miss_count, 1000U) << "or the cache was not too small";
  if (GetParam() == os::RingUse::kNever) {
    EXPECT_EQ(rig.disk().rings().ring_count(), 0U);
  }
  rig.engine().check();
}

INSTANTIATE_TEST_SUITE_P(Rings, DiskEngineReadGroupOnDisk,
                         ::testing::Values(os::RingUse::kWherePossible, os::RingUse::kNever),
                         [](const auto& tested) {
                           return tested.param == os::RingUse::kNever ? "OneByOne" : "SideBySide";
                         });

}  // namespace
}  // namespace ashlar::lsm
