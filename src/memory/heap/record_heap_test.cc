// What the engine relies on for record memory: objects never overlap, freed memory serves any size
// again, and all of it returns to the budget.

#include "memory/heap/record_heap.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::memory {
namespace {

struct Object {
  char* address;
  std::size_t bytes;
  char fill;
};

std::size_t random_bytes(testing::Random& random) {
  return random.chance(90) ? random.between(12, 400) : random.between(400, 40'000);
}

bool is_whole(const Object& object) {
  return object.address[0] == object.fill && object.address[object.bytes / 2] == object.fill &&
         object.address[object.bytes - 1] == object.fill;
}

// P3, P4, M1: random sizes, each object filled with its own byte.
TEST(RecordHeap, KeepsObjectsApart) {
  testing::Random random(testing::seed());
  base::MemoryBudget budget(std::size_t{16} << 20U);
  const auto heap = RecordHeap::make(budget);
  Magazines magazines;
  std::vector<Object> live;
  for (int step = 0; step < 4000; ++step) {
    if (random.chance(step < 2500 ? 65 : 35)) {
      const std::size_t bytes = random_bytes(random);
      char* const address = heap->allocate(magazines, bytes);
      ASSERT_NE(address, nullptr);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(address) % 16, 0U);
      ASSERT_LT(heap->offset_of(address), heap->region_bytes());
      live.push_back({address, bytes, static_cast<char>(random.next())});
      std::memset(address, live.back().fill, bytes);
    } else if (!live.empty()) {
      std::swap(live[random.below(live.size())], live.back());
      ASSERT_TRUE(is_whole(live.back()));
      heap->free(magazines, live.back().address, live.back().bytes);
      live.pop_back();
    }
    if (step % 500 == 0) heap->check();
  }
  for (const Object& object : live) {
    ASSERT_TRUE(is_whole(object));
    heap->free(magazines, object.address, object.bytes);
  }
  heap->flush(magazines);
  heap->check();
  EXPECT_EQ(heap->taken_bytes(), 0U);
  EXPECT_EQ(budget.used_bytes(), 0U);
}

// P3: what one size has filled and freed, another can use.
TEST(RecordHeap, LetsAnEmptyPageServeAnotherSize) {
  base::MemoryBudget budget(std::size_t{200} << 10U);  // Two pages and their bookkeeping.
  const auto heap = RecordHeap::make(budget);
  Magazines magazines;
  for (const std::size_t bytes : {std::size_t{48}, std::size_t{1000}, std::size_t{128}}) {
    std::vector<char*> objects;
    while (char* const address = heap->allocate(magazines, bytes)) objects.push_back(address);
    EXPECT_GT(objects.size(), kPageBytes / (bytes + bytes / 4));
    for (char* const address : objects) heap->free(magazines, address, bytes);
    heap->flush(magazines);
    EXPECT_EQ(heap->taken_bytes(), 0U);
  }
}

// P4: freed memory stays readable.
TEST(RecordHeap, KeepsFreedMemoryReadable) {
  base::MemoryBudget budget(std::size_t{16} << 20U);
  const auto heap = RecordHeap::make(budget);
  Magazines magazines;
  char* const small = heap->allocate(magazines, 100);
  char* const large = heap->allocate(magazines, 100'000);
  heap->free(magazines, small, 100);
  heap->free(magazines, large, 100'000);
  heap->flush(magazines);
  EXPECT_EQ(small[99], 0);
  EXPECT_EQ(large[99'999], 0);
}

// P3: what is freed as another size than it has would come back to the wrong class.
TEST(RecordHeapDeathTest, TakesNoObjectBackForAnotherClass) {
  base::MemoryBudget budget(std::size_t{16} << 20U);
  const auto heap = RecordHeap::make(budget);
  Magazines magazines;
  char* const object = heap->allocate(magazines, 100);
  heap->free(magazines, object, 200);
  EXPECT_DEATH(heap->flush(magazines), "P3: an object goes back to its class");
}

TEST(RecordHeap, TellsWhatAnAllocationTakes) {
  EXPECT_EQ(RecordHeap::charged_bytes(1), kSlabBytesMin);
  EXPECT_EQ(RecordHeap::charged_bytes(128), 128U);
  EXPECT_EQ(RecordHeap::charged_bytes(129), 144U);
  EXPECT_EQ(RecordHeap::charged_bytes(kSlabBytesMax), kSlabBytesMax);
  EXPECT_EQ(RecordHeap::charged_bytes(kSlabBytesMax + 1), kSlabBytesMax + 4096);
}

}  // namespace
}  // namespace ashlar::memory
