// What the campaigns rely on: a process that has ended is told from one that was killed, and no
// signal goes to a number that may be somebody else's by now.

#include "child.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace ashlar::crash {
namespace {

pid_t fork_one_that_waits() {
  const pid_t pid = fork();
  if (pid == 0) {
    while (true) pause();
  }
  return pid;
}

TEST(Child, IsSentNothingOnceItsEndWasLearned) {
  const pid_t pid = fork();
  if (pid == 0) _exit(7);
  Child child(pid);
  EXPECT_EQ(WEXITSTATUS(child.wait()), 7);
  EXPECT_TRUE(child.has_ended());
  EXPECT_FALSE(child.signal(SIGKILL));
  EXPECT_TRUE(WIFEXITED(child.wait())) << "the status stays that of its end";
}

TEST(Child, KeepsTheStatusThatALookLearned) {
  const pid_t pid = fork();
  if (pid == 0) _exit(9);
  Child child(pid);
  while (!child.has_ended()) sched_yield();
  EXPECT_FALSE(child.signal(0));
  EXPECT_EQ(WEXITSTATUS(child.wait()), 9);
}

TEST(Child, IsKilledWhileItRuns) {
  Child child(fork_one_that_waits());
  EXPECT_FALSE(child.has_ended());
  EXPECT_TRUE(child.signal(SIGKILL));
  EXPECT_TRUE(WIFSIGNALED(child.wait()));
}

TEST(Child, LeavesNoneBehind) {
  const pid_t pid = fork_one_that_waits();
  {
    const Child child(pid);
  }
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), -1) << "it was waited for";
}

}  // namespace
}  // namespace ashlar::crash
