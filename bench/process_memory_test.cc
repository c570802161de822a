// What the row of checkpoints relies on: memory that was touched is counted, and only once.

#include "process_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <memory>

namespace ashlar::bench {
namespace {

TEST(ProcessMemory, FindsAFieldByItsWholeName) {
  constexpr std::string_view kText =
      "55d0-7ffe ---p 00000000 00:00 0    [rollup]\n"
      "Rss:                1780 kB\nPss_Dirty:            90 kB\nPss:                 331 kB\n";
  EXPECT_EQ(field_bytes(kText, "Pss"), 331 * 1024);
  EXPECT_EQ(field_bytes(kText, "Pss_Dirty"), 90 * 1024);
  EXPECT_EQ(field_bytes(kText, "Swap"), 0);
  EXPECT_EQ(field_bytes("", "Pss"), 0);
}

TEST(ProcessMemory, CountsWhatWasTouched) {
  constexpr std::size_t kBytes = std::size_t{32} << 20U;
  const double resident_before = resident_bytes();
  const double proportional_before = proportional_bytes(getpid());
  const auto memory = std::make_unique<char[]>(kBytes);
  std::memset(memory.get(), 1, kBytes);
  EXPECT_GT(resident_bytes() - resident_before, 0.9 * kBytes);
  EXPECT_GT(proportional_bytes(getpid()) - proportional_before, 0.9 * kBytes);
}

TEST(ProcessMemory, KnowsNoProcessThatIsNotThere) {
  EXPECT_EQ(proportional_bytes(-1), 0);
  EXPECT_TRUE(children_of(-1).empty());
}

}  // namespace
}  // namespace ashlar::bench
