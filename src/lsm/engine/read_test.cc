// A read finds the newest row of its key wherever that lies, at the moment it asks for.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "lsm/engine/disk_engine_rig_test.h"

namespace ashlar::lsm {
namespace {

// V14: the newest row of a key hides the older ones, also where it says that nothing is there.
TEST(DiskEngineRead, FindsTheNewestOfAllParts) {
  DiskEngineRig rig;
  rig.open();
  const std::vector<std::string_view> keys = {"bottom", "erased", "level 0", "memory"};
  for (const std::string_view key : keys) ASSERT_TRUE(rig.put(key, "oldest").has_value());
  ASSERT_TRUE(rig.engine->compact().has_value());
  ASSERT_TRUE(rig.put("level 0", "newer").has_value());
  ASSERT_TRUE(rig.put("memory", "newer").has_value());
  ASSERT_TRUE(rig.erase("erased").value());
  ASSERT_TRUE(rig.engine->flush().has_value());
  ASSERT_TRUE(rig.put("memory", "newest").has_value());
  const std::vector<std::optional<std::string>> expected = {"oldest", std::nullopt, "newer",
                                                            "newest"};
  std::vector<std::optional<Value>> values(keys.size());
  ASSERT_TRUE(rig.engine->multi_get(keys, engine::kLatest, values).has_value());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(rig.get(keys[i]), expected[i]) << keys[i];
    ASSERT_EQ(values[i].has_value(), expected[i].has_value()) << keys[i];
    if (values[i]) {
      EXPECT_EQ(values[i]->view(), *expected[i]);
    }
  }
}

// More keys than one guard serves, in any order, some of them twice.
TEST(DiskEngineRead, AnswersManyKeysEachInItsPlace) {
  DiskEngineRig rig;
  rig.open();
  std::vector<std::string> names;
  for (int i = 0; i < 200; ++i) {
    names.push_back(std::to_string(i * 7919 % 150));
    if (i % 3 == 0) {
      ASSERT_TRUE(rig.put(names.back(), names.back()).has_value());
    }
    if (i == 100) {
      ASSERT_TRUE(rig.engine->flush().has_value());
    }
  }
  const std::vector<std::string_view> keys(names.begin(), names.end());
  std::vector<std::optional<Value>> values(keys.size());
  values[1].emplace("what was there before");
  ASSERT_TRUE(rig.engine->multi_get(keys, engine::kLatest, values).has_value());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::optional<std::string> single = rig.get(keys[i]);
    ASSERT_EQ(values[i].has_value(), single.has_value()) << keys[i];
    if (single) {
      EXPECT_EQ(values[i]->view(), *single);
    }
  }
}

// Expired is gone, at the moment that is asked about; a snapshot's is the one it was taken at.
TEST(DiskEngineRead, JudgesDeadlinesByTheMomentOfTheView) {
  DiskEngineRig rig;
  rig.open();
  const engine::TimeMs deadline_ms = rig.clock.now_ms() + 10;
  ASSERT_TRUE(rig.put("key", "value", deadline_ms).has_value());
  const engine::View view = rig.engine->acquire_snapshot().value();
  rig.clock.advance(9);
  EXPECT_EQ(rig.get("key"), "value");
  rig.clock.advance(1);
  EXPECT_EQ(rig.get("key"), std::nullopt);
  ASSERT_TRUE(rig.engine->compact().has_value());
  EXPECT_EQ(rig.get("key"), std::nullopt);
  EXPECT_EQ(rig.get("key", view), "value");
  rig.engine->release_snapshot(view.sequence);
}

// V35: of one counter no reader ever sees less than it saw before, while its rows go from part to
// part.
TEST(DiskEngineRead, NeverGoesBackWhileRowsMove) {
  DiskEngineRig rig;
  rig.open(engine::Background::kThreads);
  ASSERT_TRUE(rig.put("counter", "0").has_value());
  std::atomic<bool> is_over = false;
  std::atomic<int> step_back_count = 0;
  std::thread reader([&] {
    int last = 0;
    while (!is_over) {
      const int now = std::stoi(rig.get("counter").value_or("-1"));
      if (now < last) ++step_back_count;
      last = now;
    }
  });
  for (int i = 1; i <= 3000; ++i) {
    EXPECT_TRUE(rig.put("counter", std::to_string(i)).has_value());
    if (i % 100 == 0) {
      EXPECT_TRUE(rig.engine->flush().has_value());
    }
  }
  is_over = true;
  reader.join();
  EXPECT_EQ(step_back_count, 0);
}

// A damaged block is an answer, never an absent key.
TEST(DiskEngineRead, RefusesToReadADamagedBlock) {
  DiskEngineRig rig;
  rig.open();
  ASSERT_TRUE(rig.put("key", "value").has_value());
  ASSERT_TRUE(rig.engine->flush().has_value());
  const std::string path = "/tables/0000000001.table";
  {
    auto file = os::File::open(rig.disk, path, os::OpenMode::kReadWrite).value();
    char byte = 0;
    ASSERT_TRUE(file->read(10, {&byte, 1}).has_value());
    byte = static_cast<char>(byte ^ 1);
    ASSERT_TRUE(file->write(10, {&byte, 1}).has_value());
  }
  const auto found = rig.engine->get("key", engine::kLatest, nullptr, nullptr);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(found.error().message().find("0000000001.table at 0"), std::string_view::npos)
      << found.error().message();
  EXPECT_FALSE(rig.erase("key").has_value());
  EXPECT_FALSE(rig.engine->expire("key", 5, nullptr).has_value());
  const std::string_view keys[] = {"other", "key"};
  std::vector<std::optional<Value>> values(2);
  EXPECT_FALSE(rig.engine->multi_get(keys, engine::kLatest, values).has_value());
  auto rows = rig.engine->scan({}, engine::kLatest).value();
  rows->seek_to_first();
  EXPECT_FALSE(rows->is_valid());
  EXPECT_EQ(rows->status().error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace ashlar::lsm
