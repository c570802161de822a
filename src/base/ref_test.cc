// What versions and states rely on: a thing lives exactly as long as somebody owns it.

#include "base/ref.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace ashlar::base {
namespace {

class Thing : public Counted {
 public:
  explicit Thing(int& destroyed_count) : destroyed_count_(destroyed_count) {}
  ~Thing() override { ++destroyed_count_; }

 private:
  int& destroyed_count_;
};

class DerivedThing final : public Thing {
 public:
  using Thing::Thing;
};

TEST(Ref, DestroysWithTheLastOwner) {
  int destroyed_count = 0;
  {
    Ref<Thing> first = make_ref<Thing>(destroyed_count);
    Ref<Thing> second = first;
    first = Ref<Thing>();
    EXPECT_EQ(destroyed_count, 0);
    EXPECT_TRUE(second);
    EXPECT_FALSE(first);
  }
  EXPECT_EQ(destroyed_count, 1);
}

TEST(Ref, MovesWithoutCounting) {
  int destroyed_count = 0;
  Ref<Thing> first = make_ref<Thing>(destroyed_count);
  Thing* const thing = first.get();
  Ref<Thing> second = std::move(first);
  EXPECT_EQ(second.get(), thing);
  second = second;  // NOLINT(clang-diagnostic-self-assign-overloaded): what is tested.
  EXPECT_EQ(destroyed_count, 0);
}

TEST(Ref, BecomesARefToItsBase) {
  int destroyed_count = 0;
  {
    const Ref<const Thing> base = make_ref<DerivedThing>(destroyed_count);
    EXPECT_TRUE(base);
  }
  EXPECT_EQ(destroyed_count, 1);
}

TEST(Ref, CountsOwnersInManyThreads) {
  int destroyed_count = 0;
  {
    const Ref<Thing> shared = make_ref<Thing>(destroyed_count);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([shared] {
        for (int round = 0; round < 10'000; ++round) const Ref<Thing> mine = shared;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(destroyed_count, 0);
  }
  EXPECT_EQ(destroyed_count, 1);
}

}  // namespace
}  // namespace ashlar::base
