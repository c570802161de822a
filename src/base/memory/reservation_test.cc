// What the owner of a reservation may rely on: zeroes up to the last byte, a start on a huge page,
// zeroes again after memory was given back.

#include "base/memory/reservation.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace ashlar::base {
namespace {

constexpr std::size_t kBytes = 3 * kHugePageBytes + 4096;

TEST(Reservation, StartsOnAHugePageAndReadsAsZeroesToItsEnd) {
  const auto made = Reservation::make(kBytes);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->bytes(), kBytes);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(made->begin()) % kHugePageBytes, 0U);
  for (std::size_t at = 0; at < kBytes; at += 65'537) EXPECT_EQ(made->begin()[at], 0);
  EXPECT_EQ(made->begin()[kBytes - 1], 0);
  made->begin()[kBytes - 1] = 1;
  EXPECT_EQ(made->begin()[kBytes - 1], 1);
}

TEST(Reservation, TakesFarMoreAddressSpaceThanThereIsMemory) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the thread sanitizer leaves less address space";
#endif
  const auto made = Reservation::make(std::size_t{1} << 40U);
  ASSERT_TRUE(made.has_value());
  made->begin()[(std::size_t{1} << 40U) - 1] = 5;
  EXPECT_EQ(made->begin()[(std::size_t{1} << 40U) - 1], 5);
}

TEST(Reservation, IsRefusedWithoutHarmWhenTheSystemHasNoRoom) {
  EXPECT_FALSE(Reservation::make(std::size_t{1} << 62U).has_value());
}

TEST(Reservation, ReadsAsZeroesWhereMemoryWasGivenBackAndOnlyThere) {
  const auto made = Reservation::make(kBytes);
  ASSERT_TRUE(made.has_value());
  made->prefer_huge_pages(kHugePageBytes, kHugePageBytes);
  made->begin()[kHugePageBytes - 1] = 1;
  made->begin()[kHugePageBytes] = 2;
  made->begin()[2 * kHugePageBytes - 1] = 3;
  made->begin()[2 * kHugePageBytes] = 4;
  made->give_back(kHugePageBytes, kHugePageBytes);
  EXPECT_EQ(made->begin()[kHugePageBytes - 1], 1);
  EXPECT_EQ(made->begin()[kHugePageBytes], 0);
  EXPECT_EQ(made->begin()[2 * kHugePageBytes - 1], 0);
  EXPECT_EQ(made->begin()[2 * kHugePageBytes], 4);
}

TEST(Reservation, KeepsWhatLiesWhereMemoryIsMadeReady) {
  const auto made = Reservation::make(kBytes);
  ASSERT_TRUE(made.has_value());
  made->begin()[4096] = 1;
  if (!made->populate(0, kHugePageBytes)) GTEST_SKIP() << "a system before Linux 5.14";
  EXPECT_EQ(made->begin()[4096], 1);
  EXPECT_EQ(made->begin()[0], 0);
  EXPECT_EQ(made->begin()[kHugePageBytes - 1], 0);
}

TEST(Reservation, MovesWithItsContent) {
  auto first = Reservation::make(4096);
  auto second = Reservation::make(8192);
  ASSERT_TRUE(first.has_value() && second.has_value());
  first->begin()[0] = 1;
  Reservation moved(std::move(*first));
  EXPECT_EQ(moved.begin()[0], 1);
  moved = std::move(*second);
  EXPECT_EQ(moved.bytes(), 8192U);
  EXPECT_EQ(moved.begin()[0], 0);
}

TEST(ReservationDeathTest, RefusesToGiveBackWhatLiesOutside) {
  const auto made = Reservation::make(4096);
  ASSERT_TRUE(made.has_value());
  EXPECT_DEATH(made->give_back(4096, 4096), "inside the reservation");
}

}  // namespace
}  // namespace ashlar::base
