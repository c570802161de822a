// Values that stand apart from their rows read as if they stood in them, from everywhere and at any
// time, or are refused.

#include "lsm/values/apart_values.h"

#include <gtest/gtest.h>

#include <string>

#include "lsm/values/apart_rig_test.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

std::string value_of(testing::Random& random) {
  return std::string(random.below(300), static_cast<char>('a' + random.below(26)));
}

// V40, V44: random writes, flushed, compacted and collected, against a map, over many openings.
TEST(ApartValues, ReadAsIfTheyStoodInTheirRows) {
  testing::Random random(testing::seed());
  ApartRig rig;
  for (int round = 0; round < 6; ++round) {
    rig.open();
    rig.expect_rows();
    for (int i = 0; i < 400; ++i) {
      const std::string key = "key:" + std::to_string(random.below(100));
      if (random.chance(15)) {
        rig.erase(key);
      } else {
        rig.put(key, value_of(random));
      }
      if (random.chance(2)) rig.engine->maintain();
    }
    rig.expect_rows();
    ASSERT_TRUE(rig.engine->flush().has_value());
    rig.expect_rows();
    if (round % 2 == 0) {
      ASSERT_TRUE(rig.engine->compact().has_value());
    }
    rig.expect_rows();
    rig.engine->check();
  }
}

// V42: what a snapshot can see stays, though the memtable that had it never wrote it to a table.
TEST(ApartValues, StayAsLongAsASnapshotSeesThem) {
  ApartRig rig;
  rig.open();
  rig.put("key", std::string(200, 'a'));
  const engine::View view = rig.engine->acquire_snapshot().value();
  rig.put("key", std::string(200, 'b'));
  ASSERT_TRUE(rig.engine->flush().has_value());
  for (int i = 0; i < 100; ++i) rig.put("other" + std::to_string(i), std::string(100, 'c'));
  ASSERT_TRUE(rig.engine->compact().has_value());
  EXPECT_EQ(rig.get("key", view).value(), std::string(200, 'a'));
  EXPECT_EQ(rig.get("key").value(), std::string(200, 'b'));
  EXPECT_TRUE(rig.log.dropped.empty()) << "the snapshot's memtable begins with the log";
  rig.engine->release_snapshot(view.sequence);
  rig.expect_rows();
}

// V40: other bytes are never taken for the value, and the error names where they are.
TEST(ApartValues, AreRefusedWhenTheyAreDamaged) {
  ApartRig rig;
  rig.open();
  rig.put("key", std::string(200, 'a'));
  ASSERT_TRUE(rig.engine->flush().has_value());
  const std::size_t at = rig.log.bytes.find("aaaa");
  rig.log.bytes[at + 100] = 'b';
  const auto got = rig.get("key");
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(got.error().message().find("log at " + std::to_string(at)), std::string_view::npos)
      << got.error().message();
  const auto cursor = rig.engine->scan({}, engine::kLatest).value();
  cursor->seek_to_first();
  ASSERT_TRUE(cursor->is_valid());
  EXPECT_EQ(cursor->key(), "key") << "keys are read without values";
  EXPECT_TRUE(cursor->status().has_value());
  EXPECT_EQ(cursor->value(), "");
  EXPECT_EQ(cursor->status().error().code(), ErrorCode::kCorruption);
  cursor->next();
  EXPECT_FALSE(cursor->is_valid());
  cursor->seek_to_first();
  EXPECT_TRUE(cursor->status().has_value());
}

// V41: a directory that refers to what is not there does not open.
TEST(ApartValues, AreExpectedWhenTheDirectoryIsOpened) {
  ApartRig rig;
  rig.open();
  for (int i = 0; i < 50; ++i) rig.put(std::to_string(i), std::string(200, 'a'));
  ASSERT_TRUE(rig.engine->flush().has_value());
  rig.engine.reset();
  rig.log.dropped.insert(0);
  const Options options{.memory_budget_bytes = std::size_t{64} << 20U};
  const auto opened = DiskEngine::open({.disk = rig.faulty,
                                        .clock = rig.clock,
                                        .directory = ApartRig::kDirectory,
                                        .seed = 7,
                                        .settings = tiny_settings(options),
                                        .values = &rig.log});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption) << opened.error().message();
}

// The log has the value anew, and the row refers to that.
TEST(ApartValues, GoAlongWithAnotherDeadline) {
  ApartRig rig;
  rig.open();
  rig.put("key", std::string(200, 'a'), rig.clock.now_ms() + 1000);
  ASSERT_TRUE(rig.engine->flush().has_value());
  const engine::Operation none{.key = "key", .value = {}};
  StringCommit commit(rig.log, {&none, 1});
  ASSERT_TRUE(rig.engine->expire("key", engine::kNever, &commit).value().has_value());
  rig.clock.advance(2000);
  ASSERT_TRUE(rig.engine->compact().has_value());
  rig.open();
  EXPECT_EQ(rig.get("key").value(), std::string(200, 'a'));
}

}  // namespace
}  // namespace ashlar::lsm
