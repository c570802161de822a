// What readers and writers of shared structures may rely on: nothing goes while a guard can see it
// (Y11), and everything that was retired goes in the end (Y12).

#include "base/epoch.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/spin_wait.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::base {
namespace {

/// Retired and counted when it goes; its memory stays for the test to look at.
struct Counted : Retired {
  int freed_count = 0;
};

void count(Retired& object) noexcept {
  ++static_cast<Counted&>(object).freed_count;
}

/// A target whose words are poisoned and freed when it goes.
struct Target : Retired {
  static constexpr std::uint64_t kPoison = 0xdead'dead'dead'dead;
  explicit Target(std::uint64_t number) { words.fill(number); }
  std::array<std::uint64_t, 8> words;
};

void poison_and_delete(Retired& object) noexcept {
  const std::unique_ptr<Target> target(static_cast<Target*>(&object));
  target->words.fill(Target::kPoison);
}

// Y12
TEST(EpochDomain, FreesWhatNobodyCanSee) {
  EpochDomain domain;
  std::array<Counted, 3> objects;
  for (Counted& object : objects) domain.retire(object, count);
  EXPECT_EQ(domain.retired_count(), 3U);
  EXPECT_EQ(domain.collect(), 3U);
  EXPECT_EQ(domain.retired_count(), 0U);
  EXPECT_EQ(domain.collect(), 0U);
  for (const Counted& object : objects) EXPECT_EQ(object.freed_count, 1);
}

// Y12: whatever is left goes with the domain, what is retired meanwhile included.
TEST(EpochDomain, FreesTheRestWhenItGoes) {
  struct Parent : Counted {
    EpochDomain* domain = nullptr;
    Counted child;
  } parent;
  {
    EpochDomain domain;
    parent.domain = &domain;
    domain.retire(parent, [](Retired& object) noexcept {
      auto& gone = static_cast<Parent&>(object);
      ++gone.freed_count;
      gone.domain->retire(gone.child, count);
    });
  }
  EXPECT_EQ(parent.freed_count, 1);
  EXPECT_EQ(parent.child.freed_count, 1);
}

// Y11
TEST(EpochDomain, KeepsWhatAnOpenGuardCouldHaveSeen) {
  EpochDomain domain;
  Counted object;
  {
    const EpochGuard guard(domain);
    domain.retire(object, count);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(domain.collect(), 0U);
  }
  EXPECT_EQ(object.freed_count, 0);
  EXPECT_EQ(domain.collect(), 1U);
}

// Y11: the place of a thread that has had guards before says nothing once they are closed.
TEST(EpochDomain, KeepsNothingForGuardsThatAreClosed) {
  EpochDomain domain;
  for (int i = 0; i < 3; ++i) const EpochGuard guard(domain);
  Counted object;
  domain.retire(object, count);
  EXPECT_EQ(domain.collect(), 1U);
}

// Y11: an inner guard that closes does not close the outer one.
TEST(EpochGuard, NestsInOthersOfItsThread) {
  EpochDomain domain;
  Counted object;
  {
    const EpochGuard outer(domain);
    {
      const EpochGuard middle(domain);
      const EpochGuard inner(domain);
    }
    domain.retire(object, count);
    EXPECT_EQ(domain.collect(), 0U);
  }
  EXPECT_EQ(domain.collect(), 1U);
}

TEST(EpochGuard, IsKnownToItsThreadAndDomain) {
  EpochDomain domain;
  EpochDomain other;
  EXPECT_FALSE(domain.is_guarded());
  {
    const EpochGuard guard(domain);
    EXPECT_TRUE(domain.is_guarded());
    EXPECT_FALSE(other.is_guarded());
    std::thread([&] { EXPECT_FALSE(domain.is_guarded()); }).join();
  }
  EXPECT_FALSE(domain.is_guarded());
}

TEST(EpochGuard, OfOneDomainHoldsNothingOfAnother) {
  EpochDomain one;
  EpochDomain other;
  const EpochGuard guard(one);
  Counted object;
  other.retire(object, count);
  EXPECT_EQ(other.collect(), 1U);
}

// Y11: a guard holds back only what went after it was opened.
TEST(EpochDomain, FreesWhatWasRetiredBeforeAGuardOpened) {
  EpochDomain domain;
  Counted before;
  Counted after;
  domain.retire(before, count);
  domain.settle();  // Begins an epoch, so that the guard is told from what went earlier.
  const EpochGuard guard(domain);
  domain.retire(after, count);
  EXPECT_EQ(domain.collect(), 1U);
  EXPECT_EQ(before.freed_count, 1);
  EXPECT_EQ(after.freed_count, 0);
}

// Y11, for those who keep their own lists.
TEST(EpochDomain, SettlesStampsAsItFreesObjects) {
  EpochDomain domain;
  Epoch seen = 0;
  {
    const EpochGuard guard(domain);
    seen = domain.stamp();
    EXPECT_LE(domain.settle(), seen);
    EXPECT_LE(domain.settle(), seen);
  }
  EXPECT_GT(domain.settle(), seen);
  EXPECT_GT(domain.stamp(), seen);
}

TEST(EpochDomain, TakesAnObjectAgainAfterItWasFreed) {
  EpochDomain domain;
  Counted object;
  for (int i = 1; i <= 3; ++i) {
    domain.retire(object, count);
    EXPECT_EQ(domain.collect(), 1U);
    EXPECT_EQ(object.freed_count, i);
  }
}

// A thread that is parked inside a guard delays freeing, and nobody else.
TEST(EpochDomain, GoesOnWhileAThreadIsParkedInAGuard) {
  EpochDomain domain;
  std::atomic<int> step{0};
  std::thread parked([&] {
    const EpochGuard guard(domain);
    step.store(1);
    for (SpinWait wait; step.load() != 2;) wait.pause();
  });
  for (SpinWait wait; step.load() != 1;) wait.pause();
  Counted object;
  domain.retire(object, count);
  {
    const EpochGuard guard(domain);
  }
  EXPECT_EQ(domain.collect(), 0U);
  step.store(2);
  parked.join();
  EXPECT_EQ(domain.collect(), 1U);
}

// Y11: threads that find no place of their own share one, and are seen as the others are.
TEST(EpochGuard, OfAThreadWithoutAPlaceOfItsOwnCounts) {
  EpochDomain domain;
  std::atomic<std::size_t> seated_count{0};
  std::atomic<bool> is_over{false};
  std::vector<std::thread> seated;
  for (std::size_t i = 0; i < kThreadIndexCount; ++i) {
    seated.emplace_back([&] {
      thread_index();
      seated_count.fetch_add(1);
      seated_count.notify_one();
      is_over.wait(false);
    });
  }
  for (std::size_t now = 0; (now = seated_count.load()) != kThreadIndexCount;) {
    seated_count.wait(now);
  }
  Counted object;
  std::thread extra([&] {
    ASSERT_EQ(thread_index(), kThreadIndexCount);
    {
      const EpochGuard outer(domain);
      {
        const EpochGuard inner(domain);
      }
      domain.retire(object, count);
      EXPECT_EQ(domain.collect(), 0U);
    }
    EXPECT_EQ(domain.collect(), 1U);
  });
  extra.join();
  is_over.store(true);
  is_over.notify_all();
  for (std::thread& thread : seated) thread.join();
}

/// Threads that read through one pointer while others swap it.
class EpochRace {
 public:
  explicit EpochRace(std::size_t thread_count) {
    for (std::size_t i = 0; i < thread_count; ++i) {
      threads_.emplace_back([this, i] { i % 2 == 0 ? write(i) : read(i); });
    }
  }
  ~EpochRace() {
    for (std::thread& thread : threads_) thread.join();
    delete shared_.load();
  }
  EpochRace(const EpochRace&) = delete;
  EpochRace& operator=(const EpochRace&) = delete;

 private:
  static constexpr std::uint64_t kSwaps = 6000;

  void write(std::size_t stream) {
    testing::Random random(testing::seed(), stream);
    for (std::uint64_t i = 0; i < testing::scaled(kSwaps); ++i) {
      auto* const next = new Target(random.next() | 1U);
      Target* const last = shared_.exchange(next, std::memory_order_acq_rel);
      domain_.retire(*last, poison_and_delete);
      if (random.chance(30)) domain_.collect();
    }
  }

  void read(std::size_t stream) {
    testing::Random random(testing::seed(), stream);
    for (std::uint64_t i = 0; i < testing::scaled(kSwaps * 4); ++i) {
      const EpochGuard guard(domain_);
      std::optional<EpochGuard> nested;
      if (random.chance(10)) nested.emplace(domain_);
      const Target* const target = shared_.load(std::memory_order_acquire);
      const std::uint64_t first = target->words[0];
      if (random.chance(10)) std::this_thread::yield();
      ASSERT_NE(first, Target::kPoison);
      for (const std::uint64_t word : target->words) ASSERT_EQ(word, first);
    }
  }

  EpochDomain domain_;
  std::atomic<Target*> shared_{new Target(1)};
  std::vector<std::thread> threads_;
};

// Y11, Y12: nobody ever reads poison, and the leak checker finds nothing.
TEST(EpochDomain, NeverFreesWhatTwoThreadsRead) {
  const EpochRace race(2);
}

TEST(EpochDomain, NeverFreesWhatFourThreadsRead) {
  const EpochRace race(4);
}

TEST(EpochDomain, NeverFreesWhatSixteenThreadsRead) {
  const EpochRace race(16);
}

// Y11: the words of a thread that has ended serve the next with its index.
TEST(EpochDomain, ServesThreadsThatComeAndGo) {
  EpochDomain domain;
  Counted object;
  for (int i = 0; i < 50; ++i) {
    std::thread([&] { const EpochGuard guard(domain); }).join();
  }
  domain.retire(object, count);
  EXPECT_EQ(domain.collect(), 1U);
}

TEST(EpochDomainDeathTest, RefusesToGoBeforeItsGuards) {
  EXPECT_DEATH(
      {
        std::optional<EpochDomain> domain(std::in_place);
        const EpochGuard guard(*domain);
        domain.reset();
      },
      "outlives its guards");
}

TEST(EpochDomainDeathTest, RefusesTheSameObjectTwice) {
  EXPECT_DEATH(
      {
        EpochDomain domain;
        Counted object;
        domain.retire(object, count);
        domain.retire(object, count);
      },
      "retired once");
}

}  // namespace
}  // namespace ashlar::base
