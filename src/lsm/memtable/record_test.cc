// What all of a memtable relies on: a record comes back as it was written, and of its versions each
// reader gets the one it may see.

#include "lsm/memtable/record.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace ashlar::lsm {
namespace {

constexpr std::size_t kBytes = std::size_t{4} << 20U;

struct Rig {
  Rig() {
    EXPECT_TRUE(arena.reserve(kBytes));
    arena.allocate(8);  // So that nothing lies nowhere.
  }
  base::MemoryBudget budget{kBytes};
  Arena arena = *Arena::make(budget, kBytes);
  Records records{arena};
};

const RowVersion& version_at(const Rig& rig, const KeyNode& node, Sequence sequence) {
  const RowVersion* const version = rig.records.newest_at(node, sequence);
  if (version == nullptr) throw std::runtime_error("no version for this sequence");
  return *version;
}

engine::Operation put(std::string_view key, std::string_view value,
                      engine::TimeMs deadline_ms = engine::kNever) {
  return {.key = key, .value = value, .deadline_ms = deadline_ms};
}

engine::Operation erase(std::string_view key) {
  return {.kind = engine::OperationKind::kErase, .key = key, .value = {}};
}

// N1: every length of key and value, with and without a deadline, comes back whole; and no record
// takes more than was announced.
TEST(Record, ComesBackAsItWasWritten) {
  Rig rig;
  for (std::size_t bytes = 1; bytes < 40; ++bytes) {
    const std::string key(bytes, static_cast<char>('a' + bytes % 26));
    const std::string value(40 - bytes, static_cast<char>(bytes));
    for (const engine::TimeMs deadline : {engine::kNever, engine::TimeMs{0}, engine::TimeMs{-5}}) {
      const auto operation = put(key, value, deadline);
      const std::size_t before = rig.arena.used_bytes();
      const KeyNode& node = rig.records.node(rig.records.add_node(operation, 7));
      EXPECT_LE(rig.arena.used_bytes() - before, record_bytes_max(operation));
      EXPECT_EQ(node.key(), key);
      const RowVersion& version = version_at(rig, node, 7);
      EXPECT_EQ(version.value(), value);
      EXPECT_EQ(version.deadline_ms(), deadline);
      EXPECT_EQ(version.kind(), engine::OperationKind::kPut);
    }
  }
}

TEST(Record, HasNoValueWhenItIsAnErase) {
  Rig rig;
  const KeyNode& node = rig.records.node(rig.records.add_node(erase("k"), 3));
  const RowVersion& version = version_at(rig, node, 3);
  EXPECT_EQ(version.kind(), engine::OperationKind::kErase);
  EXPECT_EQ(version.value(), "");
  EXPECT_EQ(version.deadline_ms(), engine::kNever);
}

// N1: the longest key there may be.
TEST(Record, HoldsAKeyOf65535Bytes) {
  Rig rig;
  const std::string key(65535, 'k');
  const KeyNode& node = rig.records.node(rig.records.add_node(put(key, "v"), 1));
  EXPECT_EQ(node.key(), key);
  EXPECT_EQ(version_at(rig, node, 1).value(), "v");
}

// N2: the newest at or below the reader's sequence; none below the first.
TEST(Record, ShowsEachReaderItsVersion) {
  Rig rig;
  const Place place = rig.records.add_node(put("k", "ten"), 10);
  rig.records.add_version(place, put("k", "twenty"), 20);
  rig.records.add_version(place, erase("k"), 30);
  const KeyNode& node = rig.records.node(place);
  EXPECT_EQ(rig.records.newest_at(node, 9), nullptr);
  EXPECT_EQ(version_at(rig, node, 10).value(), "ten");
  EXPECT_EQ(version_at(rig, node, 19).value(), "ten");
  EXPECT_EQ(version_at(rig, node, 29).value(), "twenty");
  EXPECT_TRUE(version_at(rig, node, 1000).is_erase());
}

// N2: of two with one sequence the later one counts.
TEST(Record, ShowsTheLaterOfOneCommit) {
  Rig rig;
  const Place place = rig.records.add_node(put("k", "first"), 10);
  rig.records.add_version(place, put("k", "second"), 10);
  EXPECT_EQ(version_at(rig, rig.records.node(place), 10).value(), "second");
}

TEST(RecordDeathTest, RefusesAVersionOutOfOrder) {
  Rig rig;
  const Place place = rig.records.add_node(put("k", "ten"), 10);
  EXPECT_DEATH(rig.records.add_version(place, put("k", "nine"), 9), "N2");
}

}  // namespace
}  // namespace ashlar::lsm
