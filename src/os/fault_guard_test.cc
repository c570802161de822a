// F10: a mapped file that cannot be reached costs the application nothing but the file.

#include "os/fault_guard.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "os/disk.h"

namespace ashlar::os {
namespace {

/// Two blocks of a file, mapped; the file is then cut to nothing, so that every access faults.
class MappedFile {
 public:
  MappedFile() : file_(std::tmpfile()) {
    EXPECT_EQ(::ftruncate(::fileno(file_), kBytes), 0);
    void* const mapped =
        ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, ::fileno(file_), 0);
    EXPECT_NE(mapped, MAP_FAILED);
    begin_ = static_cast<char*>(mapped);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    ::munmap(begin_, kBytes);
    std::fclose(file_);
  }

  static constexpr std::size_t kBytes = 2 * kBlockBytes;
  volatile char* begin() { return begin_; }
  void cut() { EXPECT_EQ(::ftruncate(::fileno(file_), 0), 0); }
  Result<FaultGuard> watch() { return FaultGuard::watch(begin_, kBytes); }

 private:
  std::FILE* const file_;
  char* begin_ = nullptr;
};

TEST(FaultGuard, SurvivesStoresToAFileThatHasGone) {
  MappedFile mapped;
  const auto guard = mapped.watch();
  ASSERT_TRUE(guard.has_value()) << guard.error().message();
  mapped.begin()[0] = 'a';
  EXPECT_FALSE(guard->is_lost());
  mapped.cut();
  mapped.begin()[kBlockBytes + 7] = 'b';
  EXPECT_TRUE(guard->is_lost());
  EXPECT_EQ(mapped.begin()[0], '\0') << "the other block too, when it is asked for";
}

TEST(FaultGuard, TellsOneRangeFromAnother) {
  MappedFile lost;
  MappedFile kept;
  const auto guard_of_lost = lost.watch();
  const auto guard_of_kept = kept.watch();
  ASSERT_TRUE(guard_of_lost.has_value() && guard_of_kept.has_value());
  lost.cut();
  lost.begin()[0] = 'a';
  kept.begin()[0] = 'a';
  EXPECT_TRUE(guard_of_lost->is_lost());
  EXPECT_FALSE(guard_of_kept->is_lost());
}

TEST(FaultGuard, ForgetsARangeThatHasEnded) {
  for (int round = 0; round < 3000; ++round) {  // More often than there are places.
    MappedFile mapped;
    const auto guard = mapped.watch();
    ASSERT_TRUE(guard.has_value()) << guard.error().message();
    ASSERT_FALSE(guard->is_lost());
    if (round % 100 != 0) continue;
    mapped.cut();
    mapped.begin()[0] = 'a';
    ASSERT_TRUE(guard->is_lost());
  }
}

TEST(FaultGuardDeathTest, LeavesOtherFaultsAlone) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        ::signal(SIGBUS, SIG_DFL);  // Of this process; sanitizers would put theirs here.
        MappedFile guarded;
        const auto guard = guarded.watch();
        MappedFile unguarded;
        unguarded.cut();
        unguarded.begin()[0] = 'a';
      },
      ::testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace ashlar::os
