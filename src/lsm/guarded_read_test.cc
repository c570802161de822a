// V49: a want of memory that passes is not seen; anything else is, at once.

#include "lsm/guarded_read.h"

#include <gtest/gtest.h>

#include <utility>

#include "ashlar/result.h"

namespace ashlar::lsm {
namespace {

Result<int> refusal(ErrorCode code) {
  return std::unexpected(Error::of_literal(code, "not now"));
}

TEST(GuardedRead, GoesOnWhenThereIsMemoryAgain) {
  base::EpochDomain domain;
  int call_count = 0;
  const Result<int> read = read_guarded(domain, [&]() -> Result<int> {
    EXPECT_TRUE(domain.is_guarded());
    if (++call_count < 5) return refusal(ErrorCode::kOutOfSpace);
    return 42;
  });
  EXPECT_EQ(read.value(), 42);
  EXPECT_EQ(call_count, 5);
  EXPECT_FALSE(domain.is_guarded());
}

// The guard is closed in between, or its own thread would wait for itself.
TEST(GuardedRead, LetsGoOfWhatItsGuardHeldBack) {
  struct Object : base::Retired {
    bool is_gone = false;
  };
  base::EpochDomain domain;
  Object object;
  bool is_first = true;
  const Result<int> read = read_guarded(domain, [&]() -> Result<int> {
    if (std::exchange(is_first, false)) {
      domain.retire(
          object, [](base::Retired& gone) noexcept { static_cast<Object&>(gone).is_gone = true; });
    }
    if (!object.is_gone) return refusal(ErrorCode::kOutOfSpace);
    return 7;
  });
  EXPECT_EQ(read.value(), 7);
}

TEST(GuardedRead, HandsOnOtherErrorsAtOnce) {
  base::EpochDomain domain;
  int call_count = 0;
  const Result<int> read = read_guarded(domain, [&]() -> Result<int> {
    ++call_count;
    return refusal(ErrorCode::kCorruption);
  });
  EXPECT_EQ(read.error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(call_count, 1);
}

}  // namespace
}  // namespace ashlar::lsm
