// There are never more rings than the limit says, one that is put back is used again, and none is
// left over.

#include "os/ring/ring_pool.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <vector>

namespace ashlar::os {
namespace {

std::size_t descriptor_count() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(descriptors), end(descriptors)));
}

class RingPoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (ReadRing::make() == nullptr) GTEST_SKIP() << "the kernel has no io_uring, or forbids it";
  }
};

TEST_F(RingPoolTest, HandsOutAsManyAsTheLimitAndUsesThemAgain) {
  RingPool pool;
  std::vector<std::unique_ptr<ReadRing>> taken;
  for (std::size_t i = 0; i < RingPool::kRingsMax; ++i) {
    taken.push_back(pool.take());
    ASSERT_NE(taken.back(), nullptr) << i;
  }
  EXPECT_EQ(pool.take(), nullptr);
  const ReadRing* const last = taken.back().get();
  pool.put(std::move(taken.back()));
  taken.pop_back();
  auto again = pool.take();
  EXPECT_EQ(again.get(), last);
  pool.put(std::move(again));
  for (auto& ring : taken) pool.put(std::move(ring));
  EXPECT_EQ(pool.ring_count(), RingPool::kRingsMax);
}

TEST_F(RingPoolTest, LeavesNoDescriptorBehind) {
  const std::size_t before = descriptor_count();
  {
    RingPool pool;
    auto kept = pool.take();
    auto gone = pool.take();
    EXPECT_GT(descriptor_count(), before);
    pool.put(std::move(kept));
    gone.reset();
    pool.forget();
  }
  EXPECT_EQ(descriptor_count(), before);
}

// Who was refused once is not asked again; what there is goes on.
TEST_F(RingPoolTest, MakesNoMoreOnceOneWasRefused) {
  RingPool pool;
  auto kept = pool.take();
  pool.take().reset();
  pool.forget();
  EXPECT_EQ(pool.ring_count(), 1U);
  EXPECT_EQ(pool.take(), nullptr);
  pool.put(std::move(kept));
  auto again = pool.take();
  ASSERT_NE(again, nullptr);
  pool.put(std::move(again));
}

}  // namespace
}  // namespace ashlar::os
