// What tests of recovery rely on: the simulated disk answers as that of the machine does, stops
// where it is told to, and after a power cut has what was durable and some of the rest.

#include "os/simulated_disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "os/posix_disk.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/temporary_directory.h"

namespace ashlar::os {
namespace {

struct alignas(kBlockBytes) Block {
  char bytes[kBlockBytes];
};

std::unique_ptr<Block> block_of(char letter) {
  auto block = std::make_unique<Block>();
  std::memset(block->bytes, letter, kBlockBytes);
  return block;
}

void write_all(Disk& disk, Disk::Handle handle, const std::string& bytes, std::uint64_t offset) {
  ASSERT_EQ(disk.write(handle, bytes.data(), bytes.size(), offset), std::ssize(bytes));
}

// A file that is there after every power cut, with `content`.
Disk::Handle create_durable(SimulatedDisk& disk, const std::string& path,
                            const std::string& content) {
  const Disk::Handle handle = disk.open(path, OpenMode::kCreate);
  EXPECT_GE(handle, 0);
  write_all(disk, handle, content, 0);
  EXPECT_EQ(disk.sync(handle), 0);
  EXPECT_EQ(disk.sync_directory("/"), 0);
  return handle;
}

// One random call on one of a few names, told as text: what was asked and what came back.
class Caller {
 public:
  Caller(Disk& disk, std::string root) : disk_(disk), root_(std::move(root)) {}

  std::string call(testing::Random random) {
    const std::string a = root_ + "/" + name(random);
    const std::string b = root_ + "/" + name(random);
    switch (random.below(10)) {
      case 0:
        return "create " + open(a, OpenMode::kCreate);
      case 1:
        return "open " + open(a, random.chance(50) ? OpenMode::kRead : OpenMode::kReadWrite);
      case 2:
        return "rename " + std::to_string(disk_.rename(a, b));
      case 3:
        return "remove " + std::to_string(disk_.remove(a));
      case 4:
        return "list " + list();
      case 5:
        return "close " + close();
      default:
        return handle_ < 0 ? "none" : call_on_handle(random);
    }
  }

 private:
  static std::string name(testing::Random& random) {
    return std::string(random.chance(10) ? "none/" : "") + static_cast<char>('a' + random.below(3));
  }

  std::string open(const std::string& path, OpenMode mode) {
    close();
    handle_ = disk_.open(path, mode);
    return std::to_string(std::min(handle_, 0));
  }
  std::string close() {
    const int answer = handle_ < 0 ? 0 : disk_.close(handle_);
    handle_ = -1;
    return std::to_string(answer);
  }
  std::string list() {
    std::vector<std::string> names;
    std::string all = std::to_string(disk_.list(root_, names));
    std::ranges::sort(names);
    for (const std::string& name : names) all += " " + name;
    return all;
  }
  std::string call_on_handle(testing::Random& random) {
    std::string bytes = random.bytes(random.between(1, 2'000));
    const std::uint64_t offset = random.below(3'000);
    switch (random.below(6)) {
      case 0:
        return "write " + std::to_string(disk_.write(handle_, bytes.data(), bytes.size(), offset));
      case 1: {
        const ssize_t count = disk_.read(handle_, bytes.data(), bytes.size(), offset);
        return "read " + std::to_string(count) + bytes;
      }
      case 2:
        return "size " + std::to_string(disk_.size(handle_));
      case 3:
        return "sync " + std::to_string(disk_.sync(handle_));
      case 4:
        return "lock " + std::to_string(disk_.lock(
                             handle_, random.chance(50) ? LockMode::kAlone : LockMode::kShared));
      default:
        return "allocate " +
               std::to_string(disk_.allocate(handle_, offset, NewSpace::kZeroed) == 0);
    }
  }

  Disk& disk_;
  const std::string root_;
  Disk::Handle handle_ = -1;
};

TEST(SimulatedDisk, AnswersAsTheDiskOfTheMachineDoes) {
  const testing::TemporaryDirectory directory;
  PosixDisk real;
  SimulatedDisk simulated;
  ASSERT_EQ(simulated.make_directory("/root"), 0);
  Caller on_real(real, directory.path());
  Caller on_simulated(simulated, "/root");
  testing::Random random(testing::seed());
  for (int i = 0; i < 1'000; ++i) {
    const testing::Random choices(random.next());
    ASSERT_EQ(on_real.call(choices), on_simulated.call(choices)) << "call " << i;
  }
  simulated.check();
}

TEST(SimulatedDisk, SharesALockAmongThoseWhoAskForThat) {
  SimulatedDisk disk;
  const Disk::Handle first = disk.open("/a", OpenMode::kCreate);
  const Disk::Handle second = disk.open("/a", OpenMode::kRead);
  const Disk::Handle third = disk.open("/a", OpenMode::kReadWrite);
  EXPECT_EQ(disk.lock(first, LockMode::kShared), 0);
  EXPECT_EQ(disk.lock(second, LockMode::kShared), 0);
  EXPECT_EQ(disk.lock(third, LockMode::kAlone), -EWOULDBLOCK);
  disk.close(first);
  EXPECT_EQ(disk.lock(third, LockMode::kAlone), -EWOULDBLOCK);
  disk.close(second);
  EXPECT_EQ(disk.lock(third, LockMode::kAlone), 0);
  const Disk::Handle fourth = disk.open("/a", OpenMode::kRead);
  EXPECT_EQ(disk.lock(fourth, LockMode::kShared), -EWOULDBLOCK);
}

TEST(SimulatedDisk, TakesOnlyWholeBlocksThroughADurableHandle) {
  SimulatedDisk disk;
  disk.close(create_durable(disk, "a", std::string(2 * kBlockBytes, 'a')));
  const Disk::Handle durable = disk.open("a", OpenMode::kDurable);
  const auto block = block_of('x');
  EXPECT_EQ(disk.write(durable, block->bytes, kBlockBytes, 512), -EINVAL);
  EXPECT_EQ(disk.write(durable, block->bytes, 512, 0), -EINVAL);
  EXPECT_EQ(disk.write(durable, block->bytes + 1, kBlockBytes, 0), -EINVAL);
  EXPECT_EQ(disk.write(durable, block->bytes, kBlockBytes, kBlockBytes), ssize_t{kBlockBytes});
}

// F1, F2, F3: with every kind of cut and many seeds.
TEST(SimulatedDisk, APowerCutLeavesAllThatWasDurable) {
  SimulatedDisk disk;
  disk.close(create_durable(disk, "/synced", std::string(kBlockBytes, 'a')));
  const Disk::Handle durable = disk.open("/synced", OpenMode::kDurable);
  const auto block = block_of('b');
  ASSERT_EQ(disk.write(durable, block->bytes, kBlockBytes, kBlockBytes), ssize_t{kBlockBytes});
  disk.open("/never_synced", OpenMode::kCreate);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto twin = disk.clone();
    twin->cut_power(static_cast<PowerCut>(seed % 5), seed);
    twin->check();
    EXPECT_EQ(twin->read_all("/synced"),
              std::string(kBlockBytes, 'a') + std::string(kBlockBytes, 'b'));
  }
}

// F1 and F3 promise no more than this: a synced file without a synced name is gone.
TEST(SimulatedDisk, APowerCutMayTakeAllElse) {
  SimulatedDisk disk;
  const Disk::Handle named = create_durable(disk, "/named", "old");
  write_all(disk, named, "new, and longer", 0);
  const Disk::Handle unnamed = disk.open("/unnamed", OpenMode::kCreate);
  write_all(disk, unnamed, "synced", 0);
  ASSERT_EQ(disk.sync(unnamed), 0);
  disk.cut_power(PowerCut::kKeepNothing, 1);
  EXPECT_EQ(disk.read_all("/named"), "old");
  EXPECT_EQ(disk.open("/unnamed", OpenMode::kRead), -ENOENT);
  EXPECT_EQ(disk.size(named), -EBADF) << "no handle outlives the machine";
}

TEST(SimulatedDisk, ACrashOfTheProcessTakesNothingButHandlesAndLocks) {
  SimulatedDisk disk;
  const Disk::Handle handle = disk.open("/a", OpenMode::kCreate);
  write_all(disk, handle, "kept", 0);
  ASSERT_EQ(disk.lock(handle, LockMode::kAlone), 0);
  char* address = nullptr;
  ASSERT_EQ(disk.map(handle, kBlockBytes, &address), 0);
  address[0] = 'K';
  disk.crash_process();
  address[1] = 'X';  // The process is dead: what its threads do no longer counts.
  EXPECT_EQ(disk.unmap(address, kBlockBytes), 0);
  EXPECT_EQ(disk.close(handle), -EBADF);
  EXPECT_EQ(disk.read_all("/a"), "Kept");
  const Disk::Handle again = disk.open("/a", OpenMode::kReadWrite);
  EXPECT_EQ(disk.lock(again, LockMode::kAlone), 0);
  disk.cut_power(PowerCut::kKeepNothing, 1);
  EXPECT_EQ(disk.open("/a", OpenMode::kRead), -ENOENT) << "a crash makes nothing durable";
}

// F8
TEST(SimulatedDisk, AStoppedDiskRefusesAllAndChangesNothing) {
  SimulatedDisk disk;
  const Disk::Handle handle = create_durable(disk, "/a", "before");
  char* address = nullptr;
  ASSERT_EQ(disk.map(handle, kBlockBytes, &address), 0);
  disk.stop_before(disk.call_count() + 1);
  EXPECT_EQ(disk.size(handle), 6);
  EXPECT_FALSE(disk.has_stopped());
  const std::uint64_t calls = disk.call_count();
  EXPECT_EQ(disk.write(handle, "BEYOND", 6, 0), -EIO);
  EXPECT_TRUE(disk.has_stopped());
  std::memcpy(address, "mapped", 6);
  std::vector<std::string> names;
  EXPECT_EQ(disk.truncate(handle, 0), -EIO);
  EXPECT_EQ(disk.sync(handle), -EIO);
  EXPECT_EQ(disk.remove("/a"), -EIO);
  EXPECT_EQ(disk.list("/", names), -EIO);
  EXPECT_EQ(disk.call_count(), calls);
  EXPECT_EQ(disk.read_all("/a"), "before");
  EXPECT_EQ(disk.close(handle), 0);
  EXPECT_EQ(disk.unmap(address, kBlockBytes), 0);
  disk.crash_process();
  EXPECT_GE(disk.open("/a", OpenMode::kRead), 0);
  EXPECT_EQ(disk.read_all("/a"), "before");
}

// F4: a durable write that the machine does not live to see the end of.
TEST(SimulatedDisk, AWriteThatIsStoppedMayBeTorn) {
  SimulatedDisk disk;
  disk.close(create_durable(disk, "/a", std::string(kBlockBytes, 'a')));
  const Disk::Handle durable = disk.open("/a", OpenMode::kDurable);
  disk.stop_before(disk.call_count());
  const auto block = block_of('x');
  ASSERT_EQ(disk.write(durable, block->bytes, kBlockBytes, 0), -EIO);
  ASSERT_EQ(disk.write(durable, block->bytes, kBlockBytes, 0), -EIO);
  std::set<std::string> torn;
  std::set<std::string> whole;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto twin = disk.clone();
    twin->cut_power(PowerCut::kTorn, seed);
    torn.insert(twin->read_all("/a"));
    const auto other = disk.clone();
    other->cut_power(PowerCut::kTorn4K, seed);
    whole.insert(other->read_all("/a"));
  }
  EXPECT_GT(torn.size(), 20U);
  EXPECT_EQ(whole.size(), 2U) << "with 4 KiB at a time it is written or not";
}

TEST(SimulatedDisk, RunsOutOfSpaceAndGetsItBack) {
  SimulatedDisk disk;
  disk.set_space_limit(10'000);
  const Disk::Handle handle = disk.open("/a", OpenMode::kCreate);
  ASSERT_EQ(disk.allocate(handle, 8'000, NewSpace::kZeroed), 0);
  EXPECT_EQ(disk.allocate(handle, 10'001, NewSpace::kSetAside), -ENOSPC);
  EXPECT_EQ(disk.size(handle), 8'000);
  const std::string bytes(4'000, 'x');
  EXPECT_EQ(disk.write(handle, bytes.data(), bytes.size(), 4'000), 4'000) << "space it has already";
  EXPECT_EQ(disk.write(handle, bytes.data(), bytes.size(), 8'000), 2'000);
  EXPECT_EQ(disk.write(handle, bytes.data(), bytes.size(), 10'000), -ENOSPC);

  const Disk::Handle other = disk.open("/b", OpenMode::kCreate);
  EXPECT_EQ(disk.write(other, "x", 1, 0), -ENOSPC);
  ASSERT_EQ(disk.remove("/a"), 0);
  EXPECT_EQ(disk.write(other, "x", 1, 0), -ENOSPC) << "an open file keeps its space";
  disk.close(handle);
  EXPECT_EQ(disk.write(other, "x", 1, 0), 1);
  disk.set_space_limit(1);
  EXPECT_EQ(disk.write(other, "x", 1, 1), -ENOSPC);
}

TEST(SimulatedDisk, HasABoundForEachFile) {
  SimulatedDisk disk;
  const Disk::Handle handle = disk.open("/a", OpenMode::kCreate);
  char* address = nullptr;
  EXPECT_EQ(disk.allocate(handle, SimulatedFile::kBytesMax + 1, NewSpace::kZeroed), -EFBIG);
  EXPECT_EQ(disk.write(handle, "x", 1, SimulatedFile::kBytesMax), -EFBIG);
  EXPECT_EQ(disk.map(handle, SimulatedFile::kBytesMax + 1, &address), -ENOMEM);
  EXPECT_EQ(disk.allocate(handle, SimulatedFile::kBytesMax, NewSpace::kZeroed), 0);
}

TEST(SimulatedDisk, DropsWhatAFailedSyncLeft) {
  SimulatedDisk disk;
  const Disk::Handle handle = create_durable(disk, "/a", "old");
  write_all(disk, handle, "new", 0);
  EXPECT_EQ(disk.drop_dirty(handle), 0);
  EXPECT_EQ(disk.drop_dirty(-1), -EBADF);
  EXPECT_EQ(disk.sync(handle), 0);
  EXPECT_EQ(disk.read_all("/a"), "new");
  disk.cut_power(PowerCut::kKeepEverything, 1);
  EXPECT_EQ(disk.read_all("/a"), "old");
}

TEST(SimulatedDisk, AMappingGrowsWithItsFile) {
  SimulatedDisk disk;
  const Disk::Handle handle = disk.open("/a", OpenMode::kCreate);
  char* address = nullptr;
  ASSERT_EQ(disk.map(handle, std::size_t{1} << 20U, &address), 0);
  ASSERT_EQ(disk.allocate(handle, std::size_t{1} << 20U, NewSpace::kZeroed), 0);
  std::memcpy(address + 700'000, "far", 3);
  EXPECT_EQ(disk.read_all("/a").substr(700'000, 3), "far");
  EXPECT_EQ(disk.unmap(address, std::size_t{1} << 20U), 0);
  EXPECT_EQ(disk.unmap(address, std::size_t{1} << 20U), -EINVAL);
}

TEST(SimulatedDisk, ACloneIsEqualAndApart) {
  SimulatedDisk disk;
  const Disk::Handle handle = create_durable(disk, "/a", "old");
  write_all(disk, handle, "new", 0);
  const auto twin = disk.clone();
  twin->check();
  EXPECT_EQ(twin->call_count(), 0U);
  EXPECT_EQ(twin->size(handle), -EBADF);
  EXPECT_EQ(twin->read_all("/a"), "new");
  twin->overwrite("/a", 1, "X");
  EXPECT_EQ(twin->read_all("/a"), "nXw");
  EXPECT_EQ(disk.read_all("/a"), "new");
  disk.cut_power(PowerCut::kKeepNothing, 1);
  EXPECT_EQ(disk.read_all("/a"), "old") << "what was pending in one is pending in both";
}

// One seed, one outcome: a failure can be repeated.
TEST(SimulatedDisk, TheSameSeedLeavesTheSame) {
  SimulatedDisk disk;
  const Disk::Handle handle = create_durable(disk, "/a", "");
  testing::Random random(testing::seed());
  write_all(disk, handle, random.bytes(50'000), 0);
  std::set<std::string> left;
  for (int i = 0; i < 5; ++i) {
    const auto twin = disk.clone();
    twin->cut_power(PowerCut::kKeepRandom, 7);
    left.insert(twin->read_all("/a"));
  }
  EXPECT_EQ(left.size(), 1U);
}

}  // namespace
}  // namespace ashlar::os
