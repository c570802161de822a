// Arrays keep what is stored in them at any length, and a long one that is freed is not the
// process's any more.

#include "base/memory/mapped_allocator.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <numeric>

namespace ashlar::base {
namespace {

TEST(MappedAllocator, KeepsWhatIsStoredWhileAnArrayGrows) {
  MappedVector<std::uint64_t> numbers;
  for (std::uint64_t i = 0; i < 100'000; ++i) numbers.push_back(i);
  MappedVector<std::uint64_t> copy = numbers;
  numbers.resize(10);
  numbers.shrink_to_fit();
  EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0}), 45U);
  EXPECT_EQ(std::accumulate(copy.begin(), copy.end(), std::uint64_t{0}), 4'999'950'000U);
}

TEST(MappedAllocator, KeepsTheAlignmentOfWhatItHolds) {
  struct alignas(64) Line {
    char bytes[64];
  };
  for (const std::size_t count : {std::size_t{1}, std::size_t{3}, kMappedBytesMin}) {
    const MappedVector<Line> lines(count);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(lines.data()) % alignof(Line), 0U) << count;
  }
}

TEST(MappedAllocator, GivesLongArraysBackToTheSystem) {
  MappedAllocator<char> allocator;
  char* const array = allocator.allocate(kMappedBytesMin);
  unsigned char residence[kMappedBytesMin / 4096];
  EXPECT_EQ(::mincore(array, kMappedBytesMin, residence), 0);
  allocator.deallocate(array, kMappedBytesMin);
  EXPECT_EQ(::mincore(array, kMappedBytesMin, residence), -1);
  EXPECT_EQ(errno, ENOMEM) << "nothing is mapped there";
}

TEST(MappedAllocator, RefusesWhatNoMemoryHas) {
  MappedAllocator<std::uint64_t> allocator;
  EXPECT_THROW((void)allocator.allocate(SIZE_MAX / 4), std::bad_alloc);
  EXPECT_THROW((void)allocator.allocate(SIZE_MAX / 16), std::bad_alloc);
}

}  // namespace
}  // namespace ashlar::base
