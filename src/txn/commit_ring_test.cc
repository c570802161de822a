// X2: an entry that is read is whole and the one of its turn, also beside writers that go round.

#include "txn/commit_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "testing/workload_scale.h"

namespace ashlar::txn {
namespace {

TEST(CommitRing, HasTheKeysThatWereWrittenLast) {
  CommitRing ring(4);
  for (Sequence i = 0; i < 6; ++i) ring.announce("key " + std::to_string(i), i + 10, 0);
  EXPECT_EQ(ring.head(), 6U);
  EXPECT_FALSE(ring.read(0).has_value());
  EXPECT_FALSE(ring.read(1).has_value());
  for (Sequence i = 2; i < 6; ++i) {
    const auto written = ring.read(i);
    ASSERT_TRUE(written.has_value()) << i;
    EXPECT_EQ(written->key(), "key " + std::to_string(i));
    EXPECT_EQ(written->stamp, i + 10);
    EXPECT_FALSE(written->is_cut);
  }
}

TEST(CommitRing, CutsLongKeys) {
  CommitRing ring(2);
  const std::string fits(CommitRing::kKeyBytes, 'k');
  ring.announce(fits, 1, 77);
  ring.announce(fits + "x", 1, 78);
  EXPECT_EQ(ring.read(0)->key(), fits);
  EXPECT_FALSE(ring.read(0)->is_cut);
  EXPECT_EQ(ring.read(0)->owner, 77U);
  EXPECT_EQ(ring.read(1)->key(), fits);
  EXPECT_TRUE(ring.read(1)->is_cut);
}

TEST(CommitRing, ReadsEntriesWholeBesideWriters) {
  CommitRing ring(64);
  constexpr int kThreads = 2;
  const std::uint64_t count = testing::scaled(60'000);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&ring, count, thread] {
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::string key(1 + i % CommitRing::kKeyBytes, static_cast<char>('a' + i % 26));
        ring.announce(key, i, static_cast<CommitRing::Owner>(thread + 1));
      }
    });
  }
  const auto expect_whole = [](const CommitRing::Written& written) {
    const std::uint64_t i = written.stamp;
    EXPECT_EQ(written.key(),
              std::string(1 + i % CommitRing::kKeyBytes, static_cast<char>('a' + i % 26)));
  };
  while (ring.head() < kThreads * count) {
    const std::uint64_t head = ring.head();
    if (head == 0) continue;
    if (const auto written = ring.read(head - 1)) expect_whole(*written);
  }
  threads.clear();
  for (std::uint64_t at = ring.head() - 64; at < ring.head(); ++at) {
    const auto written = ring.read(at);
    ASSERT_TRUE(written.has_value()) << at;
    expect_whole(*written);
  }
}

}  // namespace
}  // namespace ashlar::txn
