// What the heap relies on: the class of a size is the smallest that holds it, and wastes little.

#include "memory/heap/size_class.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace ashlar::memory {
namespace {

TEST(SizeClass, IsTheSmallestThatHoldsASize) {
  for (std::size_t bytes = 1; bytes <= kSlabBytesMax; ++bytes) {
    const std::size_t size_class = size_class_of(bytes);
    ASSERT_LT(size_class, kSizeClassCount);
    ASSERT_GE(size_of_class(size_class), bytes);
    if (size_class > 0) {
      ASSERT_LT(size_of_class(size_class - 1), bytes);
    }
  }
}

TEST(SizeClass, WastesAnEighthAtMost) {
  for (std::size_t bytes = kLinearBytesMax; bytes <= kSlabBytesMax; ++bytes) {
    ASSERT_LE((size_of_class(size_class_of(bytes)) - bytes) * 8, bytes);
  }
}

TEST(SizeClass, KeepsObjectsAlignedTo16Bytes) {
  for (std::size_t size_class = 0; size_class < kSizeClassCount; ++size_class) {
    EXPECT_EQ(size_of_class(size_class) % 16, 0U);
  }
}

}  // namespace
}  // namespace ashlar::memory
