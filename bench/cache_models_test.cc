// What the row of eviction compares with: exact LRU and exact LFU, as their definitions read.

#include "cache_models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <utility>

#include "random.h"

namespace ashlar::bench {
namespace {

TEST(Lru, TheLeastRecentlyUsedGoes) {
  LruModel model(10, 2);
  EXPECT_FALSE(model.request(1));
  EXPECT_FALSE(model.request(2));
  EXPECT_TRUE(model.request(1));
  EXPECT_FALSE(model.request(3));  // 2 goes.
  EXPECT_TRUE(model.request(1));
  EXPECT_FALSE(model.request(2));
}

TEST(Lfu, TheLeastFrequentlyUsedGoes) {
  LfuModel model(10, 2);
  EXPECT_FALSE(model.request(1));
  EXPECT_TRUE(model.request(1));
  EXPECT_FALSE(model.request(2));
  EXPECT_FALSE(model.request(3));  // 2 goes, though it was used later than 1.
  EXPECT_TRUE(model.request(1));
  EXPECT_FALSE(model.request(2));
}

TEST(Lfu, AmongEqualsTheLeastRecentlyUsedGoes) {
  LfuModel model(10, 3);
  for (const std::uint32_t index : {1U, 2U, 3U, 2U, 1U, 3U}) model.request(index);
  EXPECT_FALSE(model.request(4));  // 2 goes: all were used twice.
  EXPECT_TRUE(model.request(1));
  EXPECT_TRUE(model.request(3));
  EXPECT_FALSE(model.request(2));
}

/// LRU as a list that is searched from its front.
class PlainLru {
 public:
  explicit PlainLru(std::size_t entry_count_max) : entry_count_max_(entry_count_max) {}

  bool request(std::uint32_t index) {
    const auto found = std::ranges::find(entries_, index);
    const bool is_hit = found != entries_.end();
    if (is_hit) entries_.erase(found);
    if (entries_.size() == entry_count_max_) entries_.pop_back();
    entries_.push_front(index);
    return is_hit;
  }

 private:
  std::list<std::uint32_t> entries_;
  std::size_t entry_count_max_;
};

/// LFU as a map that is searched for its smallest pair of count and time.
class PlainLfu {
 public:
  explicit PlainLfu(std::size_t entry_count_max) : entry_count_max_(entry_count_max) {}

  bool request(std::uint32_t index) {
    const bool is_hit = entries_.contains(index);
    if (!is_hit && entries_.size() == entry_count_max_) {
      entries_.erase(
          std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second; }));
    }
    auto& [count, time] = entries_[index];
    ++count;
    time = ++now_;
    return is_hit;
  }

 private:
  std::map<std::uint32_t, std::pair<int, int>> entries_;
  std::size_t entry_count_max_;
  int now_ = 0;
};

TEST(Models, AnswerAsPlainOnesDo) {
  Random random(1);
  LruModel lru(200, 30);
  LfuModel lfu(200, 30);
  PlainLru plain_lru(30);
  PlainLfu plain_lfu(30);
  for (int i = 0; i < 20'000; ++i) {
    // The product of two is uneven, as the popularity of keys is.
    const auto index = static_cast<std::uint32_t>(random.below(15) * random.below(14));
    ASSERT_EQ(lru.request(index), plain_lru.request(index)) << "request " << i;
    ASSERT_EQ(lfu.request(index), plain_lfu.request(index)) << "request " << i;
  }
}

}  // namespace
}  // namespace ashlar::bench
