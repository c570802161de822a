// What an application relies on: threads of the house do their work and take none of its signals.

#include "os/thread.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>

namespace ashlar::os {
namespace {

TEST(Thread, RunsDeafToSignals) {
  std::atomic<bool> is_deaf{false};
  std::atomic<bool> hears_faults{false};
  {
    const auto thread = start_thread("test", [&](const std::stop_token&) {
      sigset_t blocked;
      pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
      is_deaf.store(sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGUSR1) == 1);
      hears_faults.store(sigismember(&blocked, SIGBUS) == 0);
    });
    ASSERT_TRUE(thread.has_value());
  }
  EXPECT_TRUE(is_deaf.load());
  EXPECT_TRUE(hears_faults.load()) << "or F10 would not hold in it";
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  EXPECT_EQ(sigismember(&blocked, SIGTERM), 0) << "the caller hears as before";
}

}  // namespace
}  // namespace ashlar::os
