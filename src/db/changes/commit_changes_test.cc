// What a follower relies on: the changes of a commit are those that were made, and what is no
// commit is never taken for one.

#include "db/changes/commit_changes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engine/operation_codec.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::db {
namespace {

using engine::Operation;
using engine::OperationKind;

constexpr engine::TimeMs kMoment = 1'234'567;
constexpr engine::TimeMs kDeadline = 2'345'678;

log::Frame frame_of(std::string_view payload, std::uint64_t commit = 42) {
  return {.header = {.kind = log::FrameKind::kCommit,
                     .payload_bytes = static_cast<std::uint32_t>(payload.size()),
                     .commit = commit},
          .payload = payload};
}

/// One operation of each kind, in the order put, put with a deadline, erase, change of a deadline.
std::string payload_of_all_kinds() {
  std::string payload;
  engine::PayloadWriter writer(payload, kMoment);
  writer.add({.key = "put", .value = "value"});
  writer.add({.key = "mortal", .value = "", .deadline_ms = kDeadline});
  writer.add({.kind = OperationKind::kErase, .key = "erased", .value = {}});
  writer.add_expire("moved", kDeadline);
  return payload;
}

TEST(CommitChanges, TellsOfEachKind) {
  const std::string payload = payload_of_all_kinds();
  CommitChanges commit;
  ASSERT_TRUE(take_apart(frame_of(payload), commit));
  EXPECT_EQ(commit.sequence, 42U);
  EXPECT_EQ(commit.moment_ms, kMoment);
  ASSERT_EQ(commit.changes.size(), 4U);

  const Change& put = commit.changes[0];
  EXPECT_EQ(put.kind, ChangeKind::kPut);
  EXPECT_EQ(put.key, "put");
  EXPECT_EQ(put.value, "value");
  EXPECT_TRUE(put.expiry.is_never());

  const Change& mortal = commit.changes[1];
  EXPECT_EQ(mortal.kind, ChangeKind::kPut);
  EXPECT_EQ(mortal.key, "mortal");
  EXPECT_EQ(mortal.value, "");
  EXPECT_EQ(mortal.expiry.resolve_ms(0), kDeadline);

  const Change& erase = commit.changes[2];
  EXPECT_EQ(erase.kind, ChangeKind::kErase);
  EXPECT_EQ(erase.key, "erased");
  EXPECT_TRUE(erase.value.empty());
  EXPECT_TRUE(erase.expiry.is_never());

  const Change& moved = commit.changes[3];
  EXPECT_EQ(moved.kind, ChangeKind::kExpire);
  EXPECT_EQ(moved.key, "moved");
  EXPECT_TRUE(moved.value.empty());
  EXPECT_EQ(moved.expiry.resolve_ms(0), kDeadline);
}

TEST(CommitChanges, TellsOfADeadlineThatIsTakenAway) {
  std::string payload;
  engine::PayloadWriter(payload, kMoment).add_expire("key", engine::kNever);
  CommitChanges commit;
  ASSERT_TRUE(take_apart(frame_of(payload), commit));
  ASSERT_EQ(commit.changes.size(), 1U);
  EXPECT_EQ(commit.changes[0].kind, ChangeKind::kExpire);
  EXPECT_TRUE(commit.changes[0].expiry.is_never());
}

TEST(CommitChanges, KeepsOrderAndRepetition) {
  std::string payload;
  engine::PayloadWriter writer(payload, kMoment);
  for (int i = 0; i < 300; ++i) {
    const std::string value = std::to_string(i);
    writer.add({.key = i % 2 == 0 ? "even" : "odd", .value = value});
  }
  CommitChanges commit;
  ASSERT_TRUE(take_apart(frame_of(payload), commit));
  ASSERT_EQ(commit.changes.size(), 300U);
  for (int i = 0; i < 300; ++i) {
    const Change& change = commit.changes[static_cast<std::size_t>(i)];
    EXPECT_EQ(change.key, i % 2 == 0 ? "even" : "odd");
    EXPECT_EQ(change.value, std::to_string(i));
  }
}

// The same object is used for one commit after the other.
TEST(CommitChanges, KeepsNothingOfTheCommitBefore) {
  CommitChanges commit;
  const std::string first = payload_of_all_kinds();
  ASSERT_TRUE(take_apart(frame_of(first), commit));
  std::string second;
  engine::PayloadWriter(second, kMoment + 1).add({.key = "k", .value = "v"});
  ASSERT_TRUE(take_apart(frame_of(second, 43), commit));
  EXPECT_EQ(commit.sequence, 43U);
  EXPECT_EQ(commit.moment_ms, kMoment + 1);
  ASSERT_EQ(commit.changes.size(), 1U);
  EXPECT_EQ(commit.changes[0].key, "k");
}

TEST(CommitChanges, TakesACommitWithoutChanges) {
  std::string payload;
  const engine::PayloadWriter writer(payload, kMoment);
  CommitChanges commit;
  ASSERT_TRUE(take_apart(frame_of(payload), commit));
  EXPECT_TRUE(commit.changes.empty());
}

/// How many bytes the first operations of a payload take, for each number of them.
std::vector<std::size_t> ends_of_operations(const std::string& payload) {
  engine::PayloadReader reader(payload);
  std::vector<std::size_t> ends{payload.size() - reader.rest_bytes()};
  while (reader.next()) ends.push_back(payload.size() - reader.rest_bytes());
  return ends;
}

// Any front part either ends with an operation or is nonsense.
TEST(CommitChanges, RefusesWhatBreaksOff) {
  const std::string payload = payload_of_all_kinds();
  const std::vector<std::size_t> ends = ends_of_operations(payload);
  ASSERT_EQ(ends.size(), 5U);
  CommitChanges commit;
  for (std::size_t bytes = 0; bytes < payload.size(); ++bytes) {
    const bool is_whole = std::ranges::find(ends, bytes) != ends.end();
    EXPECT_EQ(take_apart(frame_of(std::string_view(payload).substr(0, bytes)), commit), is_whole)
        << "of " << bytes << " bytes";
  }
}

TEST(CommitChanges, RefusesKindsAndLengthsThatCannotBe) {
  CommitChanges commit;
  std::string moment;
  const engine::PayloadWriter writer(moment, kMoment);
  const auto is_taken = [&](std::string_view operation) {
    const std::string payload = moment + std::string(operation);
    return take_apart(frame_of(payload), commit);
  };
  EXPECT_TRUE(is_taken({"\x03\x01k", 3}));
  EXPECT_FALSE(is_taken({"\x00\x01k", 3})) << "no such kind";
  EXPECT_FALSE(is_taken({"\x08\x01k", 3})) << "no such kind";
  EXPECT_FALSE(is_taken({"\xff\x01k", 3})) << "no such kind";
  EXPECT_FALSE(is_taken({"\x03\x00", 2})) << "a key has a byte at least";
  EXPECT_FALSE(is_taken({"\x03\x02k", 3})) << "a key that goes beyond the end";
  EXPECT_FALSE(is_taken({"\x01\x01\x02kv", 5})) << "a value that goes beyond the end";
  EXPECT_FALSE(is_taken({"\x03\x01k\x07", 4})) << "a good one, and then nonsense";
}

// Whatever the bytes are, what is handed out lies inside of them.
TEST(CommitChanges, StaysInsideOfAnyBytes) {
  testing::Random random(testing::seed());
  const std::string good = payload_of_all_kinds();
  CommitChanges commit;
  std::size_t refused_count = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string payload = random.chance(50) ? good : random.bytes(random.below(40));
    for (int change = 0; change < 2 && !payload.empty(); ++change) {
      payload[random.below(payload.size())] = static_cast<char>(random.below(256));
    }
    if (!take_apart(frame_of(payload), commit)) ++refused_count;
    const auto is_inside = [&](std::string_view part) {
      if (part.empty()) return true;
      return part.data() >= payload.data() &&
             part.data() + part.size() <= payload.data() + payload.size();
    };
    for (const Change& change : commit.changes) {
      ASSERT_TRUE(is_inside(change.key) && is_inside(change.value)) << "round " << round;
      ASSERT_FALSE(change.key.empty()) << "round " << round;
    }
  }
  EXPECT_GT(refused_count, 1'000U);
}

}  // namespace
}  // namespace ashlar::db
