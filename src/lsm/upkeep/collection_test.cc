// Garbage goes without being asked for, and nothing else does.

#include "lsm/upkeep/collection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "lsm/values/apart_rig_test.h"

namespace ashlar::lsm {
namespace {

std::string value_of(int key, int round) {
  return std::to_string(key) + ":" + std::to_string(round) + std::string(500, 'v');
}

std::string key_of(int key) {
  return "key:" + std::to_string(1000 + key);
}

std::uint64_t live_bytes(const ApartRig& rig) {
  std::uint64_t bytes = 0;
  for (const auto& [key, value] : rig.rows) bytes += value.size();
  return bytes;
}

// V48: one set of values, written over twenty times, takes little more than once its space.
TEST(Collection, KeepsSpaceInProportionToWhatIsNeeded) {
  ApartRig rig;
  rig.open();
  for (int round = 0; round < 20; ++round) {
    for (int key = 0; key < 200; ++key) rig.put(key_of(key), value_of(key, round));
    ASSERT_TRUE(rig.engine->flush().has_value());
    rig.engine->maintain();
  }
  ASSERT_TRUE(rig.engine->compact().has_value());
  rig.expect_rows();
  const std::uint64_t kept = rig.log.kept_bytes() + rig.collected_bytes();
  EXPECT_LT(kept, 5 * live_bytes(rig) / 2) << live_bytes(rig);
  EXPECT_GT(rig.log.dropped.size(), 100U);
  EXPECT_LT(rig.collected_bytes(), 3 * live_bytes(rig) / 2) << "files that were collected go, too";
  rig.open();
  rig.expect_rows();
}

// V47: what is left of a piece moves, whatever else the rows are, and reads the same.
TEST(Collection, MovesWhatIsLeftOfAPiece) {
  ApartRig rig;
  rig.open();
  const engine::TimeMs later = rig.clock.now_ms() + 1000;
  for (int key = 0; key < 100; ++key) {
    rig.put(key_of(key), value_of(key, 0), key % 10 == 0 ? later : engine::kNever);
  }
  rig.put("short", "value");
  for (int key = 0; key < 100; ++key) {
    if (key % 5 != 0) rig.erase(key_of(key));
  }
  ASSERT_TRUE(rig.engine->compact().has_value());
  rig.expect_rows();
  EXPECT_GT(rig.collected_bytes(), 20 * 500U);
  EXPECT_LT(rig.collected_bytes(), 25 * 500U);
  EXPECT_LE(rig.log.pieces().size(), 2U) << "but for those that the memtable may refer to";
  rig.clock.advance(2000);
  std::erase_if(rig.rows, [&](const auto& row) {
    return row.first != "short" && std::stoi(row.first.substr(4)) % 10 == 0;
  });
  ASSERT_TRUE(rig.engine->compact().has_value());
  rig.open();
  rig.expect_rows();
}

// V48: a value that is damaged stays where it is, and is not tried again and again.
TEST(Collection, LeavesDamagedValues) {
  ApartRig rig;
  rig.open();
  for (int key = 0; key < 40; ++key) rig.put(key_of(key), value_of(key, 0));
  const std::size_t at = rig.log.bytes.find(value_of(3, 0));
  for (int key = 0; key < 40; ++key) {
    if (key != 3 && key != 4) rig.erase(key_of(key));
  }
  rig.log.bytes[at] = '?';
  ASSERT_TRUE(rig.engine->compact().has_value());
  EXPECT_EQ(rig.get(key_of(3)).error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(rig.get(key_of(4)).value(), value_of(4, 0));
}

// V43, V47: whatever call to the disk fails, nothing is lost, and nothing is left of the attempt.
TEST(Collection, MayFailAnywhere) {
  for (std::uint64_t failing = 0;; ++failing) {
    ApartRig rig;
    rig.open();
    for (int key = 0; key < 60; ++key) rig.put(key_of(key), value_of(key, 0));
    for (int key = 0; key < 60; ++key) {
      if (key % 4 != 0) rig.erase(key_of(key));
    }
    ASSERT_TRUE(rig.engine->flush().has_value());
    rig.faulty.fail(os::CallKind::kAny, rig.faulty.call_count(os::CallKind::kAny) + failing,
                    os::Fault::kEio, os::FaultSpan::kOnce);
    const bool is_good = rig.engine->compact().has_value();
    rig.faulty.heal();
    rig.expect_rows();
    rig.open();
    rig.expect_rows();
    if (is_good) break;
    ASSERT_LT(failing, 500U);
  }
}

}  // namespace
}  // namespace ashlar::lsm
