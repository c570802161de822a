// What the engine may rely on: it is maintained when it asked to be, at once when it is woken, and
// never after the thread was stopped.

#include "db/background.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <optional>
#include <semaphore>

#include "testing/stub_engine.h"

namespace ashlar::db {
namespace {

/// Further away than any test runs.
constexpr engine::TimeMs kHourMs = 3'600'000;

/// Answers each call of `maintain` with the same delay, and lets a test wait for calls.
class MaintainedEngine final : public testing::StubEngine {
 public:
  explicit MaintainedEngine(std::optional<engine::TimeMs> due_in_ms) : due_in_ms_(due_in_ms) {}

  std::optional<engine::TimeMs> maintain() override {
    ++call_count_;
    if (wakes_itself_.exchange(false)) wake();
    calls_.release();
    if (fails_) throw std::bad_alloc();
    return due_in_ms_;
  }

  void on_work(void (*function)(void*), void* context) noexcept override {
    wake_ = function;
    context_ = context;
  }

  void await_call() { calls_.acquire(); }
  void wake() { wake_(context_); }
  void wake_once_from_within() { wakes_itself_ = true; }
  void fail_from_now_on() { fails_ = true; }
  int call_count() const { return call_count_; }

 private:
  const std::optional<engine::TimeMs> due_in_ms_;
  void (*wake_)(void*) = nullptr;
  void* context_ = nullptr;
  std::counting_semaphore<> calls_{0};
  std::atomic<int> call_count_ = 0;
  std::atomic<bool> wakes_itself_ = false;
  std::atomic<bool> fails_ = false;
};

TEST(Background, CallsAgainWhenItIsDue) {
  MaintainedEngine engine(1);
  Background background;
  ASSERT_TRUE(background.start(engine));
  for (int i = 0; i < 5; ++i) engine.await_call();
  background.stop();
}

TEST(Background, CallsAtOnceWhenItIsWoken) {
  for (const std::optional<engine::TimeMs> due_in_ms : {std::optional(kHourMs), {}}) {
    MaintainedEngine engine(due_in_ms);
    Background background;
    ASSERT_TRUE(background.start(engine));
    engine.await_call();
    engine.wake();
    engine.await_call();
    background.stop();
    EXPECT_EQ(engine.call_count(), 2);
  }
}

// B1, B2: the wake comes while `maintain` runs, from the thread that would wait on a lock held.
TEST(Background, AWakeDuringACallIsAnsweredByAnotherCall) {
  MaintainedEngine engine(std::nullopt);
  engine.wake_once_from_within();
  Background background;
  ASSERT_TRUE(background.start(engine));
  engine.await_call();
  engine.await_call();
  background.stop();
  EXPECT_EQ(engine.call_count(), 2);
}

// B3
TEST(Background, CallsNoMoreOnceStopped) {
  MaintainedEngine engine(0);
  Background background;
  ASSERT_TRUE(background.start(engine));
  engine.await_call();
  background.stop();
  const int before_count = engine.call_count();
  engine.wake();
  EXPECT_EQ(engine.call_count(), before_count);
}

TEST(Background, StopsPromptlyWhateverItSleepsFor) {
  for (const std::optional<engine::TimeMs> due_in_ms :
       {std::optional(kHourMs), std::optional(engine::kNever), std::optional<engine::TimeMs>(-5),
        std::optional<engine::TimeMs>()}) {
    MaintainedEngine engine(due_in_ms);
    Background background;
    ASSERT_TRUE(background.start(engine));
    engine.await_call();
    background.stop();
    background.stop();  // The second time nothing happens.
  }
}

TEST(Background, StoppingWhatNeverRanDoesNothing) {
  Background background;
  background.stop();
}

TEST(Background, SurvivesACallThatRanOutOfMemory) {
  MaintainedEngine engine(std::nullopt);
  engine.fail_from_now_on();
  Background background;
  ASSERT_TRUE(background.start(engine));
  engine.await_call();
  engine.wake();
  engine.await_call();
}

TEST(BackgroundDeathTest, IsStartedOnce) {
  MaintainedEngine engine(std::nullopt);
  EXPECT_DEATH(
      {
        Background background;
        static_cast<void>(background.start(engine));
        static_cast<void>(background.start(engine));
      },
      "a background thread is started once");
}

}  // namespace
}  // namespace ashlar::db
