// What the engine relies on for its state by thread: each thread has its own, keeps it, and the
// background can reach them all.

#include "memory/local.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>

namespace ashlar::memory {
namespace {

std::int64_t total_puts(const Locals& locals) {
  std::int64_t total = 0;
  locals.for_each([&](const Local& local) { total += local.counters.puts.value(); });
  return total;
}

TEST(Locals, GiveAThreadTheSameLocalEachTime) {
  base::MemoryBudget budget(1'000'000);
  Locals locals(budget);
  Local* first = nullptr;
  {
    const Locals::Hold hold(locals);
    first = &*hold;
    hold->counters.puts.add(1);
  }
  const Locals::Hold hold(locals);
  EXPECT_EQ(&*hold, first);
  EXPECT_EQ(total_puts(locals), 1);
}

TEST(Locals, KeepWhatAnEndedThreadCounted) {
  base::MemoryBudget budget(1'000'000);
  Locals locals(budget);
  const Locals::Hold hold(locals);
  std::thread([&] {
    const Locals::Hold other(locals);
    EXPECT_NE(&*other, &*hold);
    other->counters.puts.add(5);
  }).join();
  hold->counters.puts.add(2);
  EXPECT_EQ(total_puts(locals), 7);
}

// Z1: a visit reads what the owner left, and only where it is wanted.
TEST(Locals, AreVisitedWhereThereIsNews) {
  base::MemoryBudget budget(1'000'000);
  Locals locals(budget);
  std::thread([&] {
    const Locals::Hold other(locals);
    ASSERT_TRUE(other->garbage.reserve(1));
    other->garbage.push(42);
    other->has_news.store(true);
  }).join();
  {
    const Locals::Hold hold(locals);
  }
  const auto has_news = [](const Local& local) { return local.has_news.load(); };
  int visit_count = 0;
  const auto visit = [&](Local& local) {
    ++visit_count;
    EXPECT_EQ(local.garbage.pop(), 42U);
    local.has_news.store(false);
  };
  locals.visit_held(has_news, visit);
  locals.visit_held(has_news, visit);
  EXPECT_EQ(visit_count, 1);
}

}  // namespace
}  // namespace ashlar::memory
