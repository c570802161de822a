// What readers rely on: the last commit at latest, the old one at a snapshot, whole values of any
// length, and no key past its deadline.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memory/engine_rig_test.h"

namespace ashlar::memory {
namespace {

TEST(Read, FindsWhatWasPutAndNothingElse) {
  EngineRig rig;
  const std::string binary("\0key\xff", 5);
  ASSERT_TRUE(rig.put(binary, "1"));
  ASSERT_TRUE(rig.put("", "empty"));
  EXPECT_EQ(rig.get(binary), "1");
  EXPECT_EQ(rig.get(""), "empty");
  EXPECT_EQ(rig.get(binary.substr(0, 4)), std::nullopt);
  EXPECT_TRUE(rig->get("", engine::kLatest, nullptr, nullptr).value())
      << "nothing asked for but presence";
}

// Around words, inline buffer, size classes, the long copy and extents.
TEST(Read, ReturnsValuesOfEveryLengthWhole) {
  EngineRig rig;
  for (const std::size_t bytes :
       {0U, 1U, 15U, 16U, 144U, 145U, 1023U, 1024U, 16'384U, 3'000'000U}) {
    std::string value(bytes, 'v');
    if (bytes > 0) value.back() = 'e';
    ASSERT_TRUE(rig.put("key", value));
    EXPECT_EQ(rig.get("key"), value) << bytes;
  }
  rig->check();
}

// C3: a snapshot goes on seeing what it saw, erased keys and new ones too.
TEST(Read, SeesThePastAtASnapshot) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("changed", "old"));
  ASSERT_TRUE(rig.put("erased", "old"));
  const engine::View view = rig->acquire_snapshot().value();
  ASSERT_TRUE(rig.put("changed", "new"));
  ASSERT_TRUE(rig.put("changed", "newer"));
  ASSERT_TRUE(rig.erase("erased"));
  ASSERT_TRUE(rig.put("added", "new"));
  EXPECT_EQ(rig.get("changed", view), "old");
  EXPECT_EQ(rig.get("erased", view), "old");
  EXPECT_EQ(rig.get("added", view), std::nullopt);
  EXPECT_EQ(rig.get("changed"), "newer");
  EXPECT_EQ(rig.get("erased"), std::nullopt);
  rig->release_snapshot(view.sequence);
}

// T1: absent from the deadline on, reclaimed or not; at a snapshot, as of its moment.
TEST(Read, JudgesDeadlinesByTheMomentOfTheView) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("key", "value", rig.in(100)));
  const engine::View view = rig->acquire_snapshot().value();
  rig.clock().advance(99);
  EXPECT_EQ(rig.get("key"), "value");
  rig.clock().advance(1);
  EXPECT_EQ(rig.get("key"), std::nullopt);
  EXPECT_EQ(rig.get("key", view), "value");
  const engine::View late = rig->acquire_snapshot().value();
  EXPECT_EQ(rig.get("key", late), std::nullopt);
  rig->release_snapshot(view.sequence);
  rig->release_snapshot(late.sequence);
}

TEST(Read, TellsTheDeadline) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("never", "1"));
  ASSERT_TRUE(rig.put("soon", "1", rig.in(100)));
  engine::TimeMs deadline_ms = 0;
  ASSERT_TRUE(rig->get("never", engine::kLatest, nullptr, &deadline_ms).value());
  EXPECT_EQ(deadline_ms, engine::kNever);
  ASSERT_TRUE(rig->get("soon", engine::kLatest, nullptr, &deadline_ms).value());
  EXPECT_EQ(deadline_ms, rig.in(100));
}

// C1: more keys than one group, absent and repeated ones among them.
TEST(Read, ReadsManyKeysAtOnce) {
  EngineRig rig;
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    keys.push_back("key:" + std::to_string(i % 60));
    if (i % 3 == 0) {
      ASSERT_TRUE(rig.put(keys.back(), keys.back() + "=" + std::to_string(i % 60)));
    }
  }
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  std::vector<std::optional<Value>> values(keys.size());
  ASSERT_TRUE(rig->multi_get(views, engine::kLatest, values).has_value());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::optional<std::string> expected = rig.get(keys[i]);
    ASSERT_EQ(values[i].has_value(), expected.has_value());
    if (expected) {
      EXPECT_EQ(*values[i], *expected);
    }
  }
  ASSERT_TRUE(rig->multi_get({}, engine::kLatest, {}).has_value());
}

// More keys than one group; what a hint must not do is all that can be seen of it.
TEST(Read, ChangesNothingWhenToldWhatIsToCome) {
  EngineRig rig;
  std::vector<std::string> keys;
  for (int i = 0; i < 150; ++i) keys.push_back("key:" + std::to_string(i));
  for (int i = 0; i < 150; i += 2) ASSERT_TRUE(rig.put(keys[static_cast<std::size_t>(i)], "value"));
  const std::size_t bytes_before = rig->memory_bytes();
  rig->prefetch(std::vector<std::string_view>(keys.begin(), keys.end()));
  rig->prefetch({});
  EXPECT_EQ(rig->memory_bytes(), bytes_before);
  EXPECT_EQ(rig->stats().key_count, 75U);
  EXPECT_EQ(rig.get("key:0"), "value");
  EXPECT_EQ(rig.get("key:1"), std::nullopt);
}

}  // namespace
}  // namespace ashlar::memory
