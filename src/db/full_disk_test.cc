// What a full disk may cost: writes, for as long as it is full. What gives space back goes on, and
// with the space all works again, without anybody's help.

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "ashlar/db.h"
#include "db/access.h"
#include "os/faulty_disk.h"
#include "os/posix_disk.h"
#include "os/simulated_disk.h"
#include "testing/temporary_directory.h"

namespace ashlar::db {
namespace {

constexpr std::uint64_t kSegmentBytes = std::uint64_t{64} << 10U;

Db open_on(os::Disk& disk, const std::string& path, Environment environment) {
  Options options;
  options.directory = path;
  options.memory_budget_bytes = std::size_t{32} << 20U;
  environment.disk = &disk;
  environment.log.segment_bytes = kSegmentBytes;
  environment.log.ring_bytes = std::size_t{16} << 10U;
  auto opened = Access::open(options, environment);
  EXPECT_TRUE(opened.has_value()) << opened.error().message();
  return *std::move(opened);
}

// L8: the first try finds the disk full; then the log gives its reserve to the checkpoint.
TEST(FullDisk, ACheckpointIsTriedAgainWithTheReserve) {
  const testing::TemporaryDirectory temporary;
  const std::string path = (temporary.path() / "data").string();
  os::PosixDisk system;
  os::FaultyDisk disk(system);
  Environment environment;
  environment.has_background = false;
  environment.log.has_thread = false;
  std::optional<Db> db = open_on(disk, path, environment);
  ASSERT_TRUE(db->put("key", "value").has_value());
  ASSERT_TRUE(std::filesystem::exists(path + "/log/reserve"));
  disk.fail(os::CallKind::kWrite, disk.call_count(os::CallKind::kWrite), os::Fault::kEnospc,
            os::FaultSpan::kOnce);
  const auto done = db->checkpoint();
  ASSERT_TRUE(done.has_value()) << done.error().message();
  EXPECT_FALSE(std::filesystem::exists(path + "/log/reserve")) << "the checkpoint had it";
  EXPECT_TRUE(std::filesystem::exists(path + "/checkpoint/0000000001.checkpoint"));
  db.reset();
  db = open_on(disk, path, environment);
  EXPECT_EQ(db->get("key").value()->view(), "value");
}

// L8: nobody calls `checkpoint` here, and the disk gets no larger.
TEST(FullDisk, AWriteThatFoundNoRoomWorksAgainByItself) {
  os::SimulatedDisk disk;
  std::optional<Db> db = open_on(disk, "/data", {});
  disk.set_space_limit(12 * kSegmentBytes);
  const std::string value(1'000, 'v');
  const auto put = [&] { return db->put("key", value, Expiry::never(), Durability::kProcess); };
  std::uint64_t put_count = 0;
  Result<void> done = put();
  for (; done; done = put()) ++put_count;
  while (!done) {
    ASSERT_EQ(done.error().code(), ErrorCode::kOutOfSpace) << done.error().message();
    std::this_thread::yield();
    done = put();
  }
  ASSERT_GT(put_count * value.size(), kSegmentBytes) << "there is log to give back";
  EXPECT_LT(db->stats()->log_bytes, put_count * value.size()) << "a checkpoint has given it back";
  EXPECT_EQ(db->get("key").value()->view(), value);
}

}  // namespace
}  // namespace ashlar::db
