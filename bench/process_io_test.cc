// What the rows of sizes rely on: what is written is counted, holes of files are not.

#include "process_io.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bench_directory.h"

namespace ashlar::bench {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20U;

TEST(ProcessIo, WhatIsWrittenIsCounted) {
  const BenchDirectory directory("process-io-written");
  const ProcessIo before = process_io();
  std::ofstream(directory.path() + "/file") << std::string(kMebibyte, 'x');
  const ProcessIo after = process_io();
  EXPECT_GE(after.written_bytes - before.written_bytes, kMebibyte);
  EXPECT_LT(after.written_bytes - before.written_bytes, 2 * kMebibyte);
}

TEST(ProcessIo, ADirectoryIsWhatItsFilesTake) {
  const BenchDirectory directory("process-io-directory");
  EXPECT_EQ(directory_bytes(directory.path()).data, 0U);
  std::filesystem::create_directories(directory.path() + "/deeper");
  std::ofstream(directory.path() + "/deeper/file") << std::string(kMebibyte, 'x') << std::flush;
  const std::string sparse = directory.path() + "/sparse";
  std::ofstream(sparse) << "one block";
  std::filesystem::resize_file(sparse, 64 * kMebibyte);
  EXPECT_GE(directory_bytes(directory.path()).data, kMebibyte);
  EXPECT_LT(directory_bytes(directory.path()).data, 2 * kMebibyte);
  EXPECT_EQ(directory_bytes(directory.path()).log, 0U);
}

TEST(ProcessIo, FilesOfALogAreCountedApart) {
  const BenchDirectory directory("process-io-log");
  std::filesystem::create_directories(directory.path() + "/log");
  std::ofstream(directory.path() + "/log/ring") << std::string(kMebibyte, 'x') << std::flush;
  std::ofstream(directory.path() + "/000003.log") << std::string(kMebibyte, 'x') << std::flush;
  EXPECT_EQ(directory_bytes(directory.path()).data, 0U);
  EXPECT_GE(directory_bytes(directory.path()).log, 2 * kMebibyte);
}

}  // namespace
}  // namespace ashlar::bench
