// What many threads may rely on at once: one load for all who miss (W15), its outcome for each of
// them, and bytes that never change under a guard or a pin (W12).

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/spin_wait.h"
#include "table/block_cache.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::table {
namespace {

constexpr std::size_t kBudgetBytes = std::size_t{64} << 20U;
constexpr std::size_t kTwoChunks = 2 * FrameArena::kChunkCost + 4096;

class BlockCacheRaceTest : public ::testing::Test {
 protected:
  BlockCacheRaceTest() : cache_(*BlockCache::make(budget_, domain_, kTwoChunks)) {}
  ~BlockCacheRaceTest() override {
    cache_.reset();
    EXPECT_EQ(budget_.used_bytes(), 0U) << "W11";
  }

  /// Lets `thread_count` threads miss one block at once; the load ends when all are about.
  std::vector<Result<std::string>> miss_together(CacheSlots& table, std::size_t thread_count,
                                                 const Result<void>& outcome) {
    std::atomic<std::uint64_t> arrived_count{0};
    std::vector<Result<std::string>> answers(thread_count, Result<std::string>());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < thread_count; ++i) {
      threads.emplace_back([&, i] {
        const base::EpochGuard guard(domain_);
        const auto block =
            cache_->get_or_load(table, 0, kFrameBytes, [&](std::span<char> to) -> Result<void> {
              load_count_.fetch_add(1);
              // The misses are counted when their threads have looked at the slot.
              for (base::SpinWait wait; cache_->stats().miss_count < thread_count;) wait.pause();
              std::memset(to.data(), 'r', to.size());
              return outcome;
            });
        if (block) {
          answers[i] = std::string(*block, kFrameBytes);
        } else {
          answers[i] = std::unexpected(block.error());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return answers;
  }

  base::MemoryBudget budget_{kBudgetBytes};
  base::EpochDomain domain_;
  std::unique_ptr<BlockCache> cache_;
  std::atomic<int> load_count_{0};
};

// W15
TEST_F(BlockCacheRaceTest, LoadsABlockOnceForAllWhoMissIt) {
  CacheSlots table = *CacheSlots::make(*cache_, 1);
  for (const auto& answer : miss_together(table, 8, {})) {
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(*answer, std::string(kFrameBytes, 'r'));
  }
  EXPECT_EQ(load_count_.load(), 1);
}

// W15: also where the cache keeps nothing.
TEST_F(BlockCacheRaceTest, ServesAllWhoWaitEvenWithoutACapacity) {
  cache_->set_capacity(0);
  CacheSlots table = *CacheSlots::make(*cache_, 1);
  for (const auto& answer : miss_together(table, 8, {})) {
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(*answer, std::string(kFrameBytes, 'r'));
  }
  EXPECT_EQ(load_count_.load(), 1);
}

// W15, W16
TEST_F(BlockCacheRaceTest, TellsAllWhoWaitOfAFailure) {
  CacheSlots table = *CacheSlots::make(*cache_, 1);
  const Result<void> failure =
      std::unexpected(Error::of_literal(ErrorCode::kIo, "block 0 of table 3"));
  for (const auto& answer : miss_together(table, 8, failure)) {
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().message(), "block 0 of table 3");
  }
  EXPECT_EQ(load_count_.load(), 1);
  const base::EpochGuard guard(domain_);
  EXPECT_EQ(cache_->find(table, 0), nullptr);
}

/// A table whose blocks say which they are, as one that lives until the epoch allows.
struct SharedTable : base::Retired {
  SharedTable(BlockCache& cache, std::uint64_t table_number, std::size_t block_count)
      : number(table_number), slots(*CacheSlots::make(cache, block_count)) {}
  std::uint64_t number;
  CacheSlots slots;
};

void delete_table(base::Retired& table) noexcept {
  delete static_cast<SharedTable*>(&table);
}

/// Threads that read random blocks of tables while others replace the tables and the capacity.
class CacheRace {
 public:
  CacheRace(BlockCache& cache, base::EpochDomain& domain, std::size_t thread_count)
      : cache_(cache),
        domain_(domain),
        operation_count_(testing::scaled(kOperations) / thread_count + 1) {
    for (auto& table : tables_) table.store(make_table());
    for (std::size_t i = 0; i < thread_count; ++i) {
      threads_.emplace_back([this, i] { run(i); });
    }
  }
  ~CacheRace() {
    for (std::thread& thread : threads_) thread.join();
    for (auto& table : tables_) delete table.load();
    domain_.collect();
    cache_.check();
  }
  CacheRace(const CacheRace&) = delete;
  CacheRace& operator=(const CacheRace&) = delete;

 private:
  static constexpr std::size_t kBlocks = 400;
  static constexpr std::uint64_t kOperations = 16'000;  // Of all threads together.
  struct Held {
    Pin pin;
    std::uint64_t word;
    std::size_t bytes;
  };

  static std::size_t bytes_of(std::size_t index) {
    return index % 16 == 0 ? 20'000 + 100 * index : kFrameBytes - 8 * (index % 3);
  }
  SharedTable* make_table() {
    return new SharedTable(cache_, 1 + table_count_.fetch_add(1), kBlocks);
  }
  static bool says(const char* block, std::size_t bytes, std::uint64_t word) {
    for (std::size_t at = 0; at + 8 <= bytes; at += at < 64 ? 8 : 512) {
      std::uint64_t found = 0;
      std::memcpy(&found, block + at, 8);
      if (found != word) return false;
    }
    return true;
  }

  void run(std::size_t stream) {
    testing::Random random(testing::seed(), stream);
    std::vector<Held> held;
    for (std::uint64_t i = 0; i < operation_count_; ++i) {
      if (random.below(1000) == 0) replace_table(random);
      if (random.below(200) == 0) cache_.set_capacity(random.below(2 * kTwoChunks));
      read(random, held);
      if (held.size() > 10) {
        const Held& oldest = held.front();
        ASSERT_TRUE(says(oldest.pin.block(), oldest.bytes, oldest.word)) << "W12";
        held.erase(held.begin());
      }
      if (random.below(500) == 0) cache_.check();
    }
  }

  void replace_table(testing::Random& random) {
    SharedTable* const gone = tables_[random.below(tables_.size())].exchange(make_table());
    domain_.retire(*gone, delete_table);
    domain_.collect();
  }

  void read(testing::Random& random, std::vector<Held>& held) {
    const base::EpochGuard guard(domain_);
    SharedTable* const table = tables_[random.below(tables_.size())].load();
    // Half of the readings go to a tenth of the blocks.
    const std::size_t index = random.below(random.chance(50) ? kBlocks / 10 : kBlocks);
    const std::size_t bytes = bytes_of(index);
    const std::uint64_t word = table->number << 32U | index;
    const bool fails = random.chance(5);
    const auto block =
        cache_.get_or_load(table->slots, index, bytes, [&](std::span<char> to) -> Result<void> {
          if (fails) return std::unexpected(Error::of_literal(ErrorCode::kIo, "no luck"));
          if (random.chance(20)) std::this_thread::yield();
          for (std::size_t at = 0; at + 8 <= bytes; at += 8) std::memcpy(&to[at], &word, 8);
          return {};
        });
    if (!block) {
      ASSERT_EQ(block.error().code(), ErrorCode::kIo);
      return;
    }
    if (random.chance(10)) std::this_thread::yield();
    ASSERT_TRUE(says(*block, bytes, word)) << "W12";
    if (random.chance(3)) held.push_back({cache_.pin(*block), word, bytes});
  }

  BlockCache& cache_;
  base::EpochDomain& domain_;
  const std::uint64_t operation_count_;
  std::array<std::atomic<SharedTable*>, 4> tables_{};
  std::atomic<std::uint64_t> table_count_{0};
  std::vector<std::thread> threads_;
};

// W11 to W16
TEST_F(BlockCacheRaceTest, KeepsItsPromisesToTwoThreads) {
  const CacheRace race(*cache_, domain_, 2);
}

TEST_F(BlockCacheRaceTest, KeepsItsPromisesToFiveThreads) {
  const CacheRace race(*cache_, domain_, 5);
}

TEST_F(BlockCacheRaceTest, KeepsItsPromisesToSixteenThreads) {
  const CacheRace race(*cache_, domain_, 16);
}

}  // namespace
}  // namespace ashlar::table
