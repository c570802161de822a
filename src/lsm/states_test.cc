// A state that somebody can see stays as it is, and goes when nobody can.

#include "lsm/states.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "lsm/lsm_rig_test.h"

namespace ashlar::lsm {
namespace {

struct StatesRig {
  MemtableRef memtable() { return base::make_ref<SharedMemtable>(Memtable::make(spares).value()); }
  base::Ref<State> first() {
    return base::make_ref<State>(memtable(), base::make_ref<SharedVersion>(Version()));
  }

  base::MemoryBudget budget{std::size_t{256} << 20U};
  SpareArenas spares{budget, std::size_t{2} << 20U, 0};
  base::EpochDomain domain;
  States states{domain, first()};
};

TEST(States, AHeldStateStaysAsItWas) {
  StatesRig rig;
  const base::Ref<const State> held = rig.states.hold();
  const MemtableRef second = rig.memtable();
  rig.states.change([&](State& next) { next.rotate(second); });
  EXPECT_TRUE(held->full.empty());
  EXPECT_EQ(rig.states.hold()->full.size(), 1U);
  EXPECT_EQ(rig.states.hold()->full.front(), held->active);
  EXPECT_EQ(rig.states.hold()->active, second);
}

// V15: a guard keeps the state that was found in it, the domain frees it later.
TEST(States, AGuardKeepsTheStateThatItFound) {
  StatesRig rig;
  {
    const base::EpochGuard guard(rig.domain);
    const State& found = rig.states.current();
    rig.states.change([&](State& next) { next.active = rig.memtable(); });
    EXPECT_EQ(rig.domain.retired_count(), 1U);
    EXPECT_TRUE(found.full.empty());
    EXPECT_NE(&found, &rig.states.current());
  }
  EXPECT_EQ(rig.states.collect(), 0U);
}

// V15: what was noted belongs to the state that was held with it.
TEST(States, NothingChangesWhileSomethingIsNoted) {
  StatesRig rig;
  std::atomic<bool> is_done = false;
  std::atomic<std::size_t> count = 0;  // Of full memtables: written before the state is current.
  std::thread changer([&] {
    for (std::size_t i = 1; i <= 300; ++i) {
      rig.states.change([&](State& next) {
        count.store(i);
        next.full.push_back(next.active);
      });
    }
    is_done.store(true);
  });
  while (!is_done.load()) {
    std::size_t noted = 0;
    const auto held = rig.states.hold_with([&] { noted = count.load(); });
    ASSERT_EQ(held->full.size(), noted);
    const base::EpochGuard guard(rig.domain);
    ASSERT_GE(rig.states.current().full.size(), noted);
  }
  changer.join();
}

}  // namespace
}  // namespace ashlar::lsm
