// One writer and many readers, without a lock between them: each reader sees the commits up to the
// published sequence whole, and nothing above. Meant for ThreadSanitizer above all.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "lsm/memtable/memtable_rig_test.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::lsm {
namespace {

// Every commit overwrites one group of these keys, and adds a key of its own.
constexpr std::uint64_t kKeyCount = 64;
constexpr std::uint64_t kKeysPerCommit = 4;
// Enough keys for the index to grow under the readers, in every build.
const std::uint64_t kCommitCount = std::max<std::uint64_t>(testing::scaled(24'000), 6'000);

std::string shared_key(std::uint64_t index) {
  return "shared/" + std::to_string(index);
}
std::string own_key(Sequence sequence) {
  return "own/" + std::to_string(sequence * 7919 % 100'003) + "/" + std::to_string(sequence);
}

/// A memtable, and the sequence up to which commits are published.
struct Shared {
  MemtableRig rig;
  std::atomic<Sequence> visible{0};
};

/// Commit `sequence` writes its number to the keys of its group, and to a new key.
void write_all(Shared& shared) {
  Memtable& table = *shared.rig.table;
  for (Sequence sequence = 1; sequence <= kCommitCount; ++sequence) {
    const std::string value = std::to_string(sequence);
    std::vector<std::string> keys{own_key(sequence)};
    const std::uint64_t group = sequence % (kKeyCount / kKeysPerCommit);
    for (std::uint64_t i = 0; i < kKeysPerCommit; ++i) {
      keys.push_back(shared_key(group * kKeysPerCommit + i));
    }
    std::vector<engine::Operation> operations;
    for (const auto& key : keys) operations.push_back({.key = key, .value = value});
    ASSERT_TRUE(table.reserve(operations).has_value());
    for (const auto& operation : operations) {
      table.insert(operation, shared.rig.hash(operation.key), sequence);
    }
    shared.visible.store(sequence, std::memory_order_release);
  }
}

/// The commit whose value a key of `group` has for a reader at `at`; 0: none.
Sequence last_of_group(std::uint64_t group, Sequence at) {
  constexpr std::uint64_t kGroupCount = kKeyCount / kKeysPerCommit;
  const Sequence back = (at + kGroupCount - group) % kGroupCount;
  return at > back ? at - back : 0;
}

std::string value_at(const Shared& shared, const std::string& key, Sequence at) {
  const auto found = shared.rig.table->get(key, shared.rig.hash(key), at);
  return found ? std::string(found->value) : "0";
}

// C1: all keys of a group have the value of the group's last commit; of the keys that are written
// once, those up to the sequence are there.
void read_by_get(const Shared& shared, testing::Random random) {
  for (Sequence at = 0; at < kCommitCount;) {
    at = shared.visible.load(std::memory_order_acquire);
    const Sequence past = random.chance(50) ? at : random.between(0, at);
    const std::uint64_t index = random.below(kKeyCount);
    ASSERT_EQ(value_at(shared, shared_key(index), past),
              std::to_string(last_of_group(index / kKeysPerCommit, past)));
    const Sequence own = random.between(1, kCommitCount);
    ASSERT_EQ(value_at(shared, own_key(own), past), own <= past ? std::to_string(own) : "0");
    if (past != 0) {
      ASSERT_EQ(value_at(shared, own_key(past), past), std::to_string(past));
    }
  }
}

// C1, N8: a walk at a sequence meets each key that it sees once, in order.
void read_by_cursor(const Shared& shared, testing::Random random) {
  for (Sequence at = 0; at < kCommitCount;) {
    at = shared.visible.load(std::memory_order_acquire);
    const Sequence past = random.chance(50) ? at : random.between(0, at);
    const auto cursor = *shared.rig.table->cursor(past);
    std::uint64_t own_count = 0;
    std::string before;
    for (cursor->seek_to_first(); cursor->is_valid(); cursor->next()) {
      ASSERT_LT(before, cursor->key());
      before = cursor->key();
      if (before.starts_with("own/")) {
        ++own_count;
        continue;
      }
      const std::uint64_t index = std::stoull(before.substr(7));
      ASSERT_EQ(cursor->value(), std::to_string(last_of_group(index / kKeysPerCommit, past)));
    }
    ASSERT_EQ(own_count, past);
  }
}

void expect_visible_rule(std::size_t getter_count, std::size_t walker_count) {
  Shared shared;
  std::vector<std::jthread> readers;
  for (std::size_t i = 0; i < getter_count + walker_count; ++i) {
    readers.emplace_back([&shared, i, getter_count] {
      const testing::Random random(testing::seed(), i);
      i < getter_count ? read_by_get(shared, random) : read_by_cursor(shared, random);
    });
  }
  write_all(shared);
  readers.clear();
  shared.rig.table->check();
  EXPECT_EQ(shared.rig.table->row_count(), kCommitCount + kKeyCount);
}

TEST(MemtableThreads, OneReaderSeesCommitsWhole) {
  expect_visible_rule(1, 0);
}

TEST(MemtableThreads, OneWalkerSeesCommitsWhole) {
  expect_visible_rule(0, 1);
}

TEST(MemtableThreads, FifteenReadersSeeCommitsWhole) {
  expect_visible_rule(11, 4);
}

}  // namespace
}  // namespace ashlar::lsm
