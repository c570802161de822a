// What tests of recovery rely on: a path leads where that of the machine would, and a name is
// durable when its directory was synced.

#include <gtest/gtest.h>

#include <cerrno>
#include <iterator>
#include <string>
#include <vector>

#include "os/simulated_disk.h"

namespace ashlar::os {
namespace {

void write_all(Disk& disk, Disk::Handle handle, const std::string& bytes) {
  ASSERT_EQ(disk.write(handle, bytes.data(), bytes.size(), 0), std::ssize(bytes));
}

// A file whose content is durable.
Disk::Handle create_synced(SimulatedDisk& disk, const std::string& path,
                           const std::string& content) {
  const Disk::Handle handle = disk.open(path, OpenMode::kCreate);
  EXPECT_GE(handle, 0);
  write_all(disk, handle, content);
  EXPECT_EQ(disk.sync(handle), 0);
  return handle;
}

TEST(SimulatedDisk, FindsFilesInDirectories) {
  SimulatedDisk disk;
  EXPECT_EQ(disk.make_directory("/"), -EEXIST);
  EXPECT_EQ(disk.make_directory("/a/b"), -ENOENT);
  ASSERT_EQ(disk.make_directory("/a"), 0);
  ASSERT_EQ(disk.make_directory("a/b/"), 0);
  create_synced(disk, "/a/b/file", "x");
  EXPECT_EQ(disk.read_all("a//b/file"), "x");
  EXPECT_EQ(disk.open("/a/b", OpenMode::kRead), -EISDIR);
  EXPECT_EQ(disk.open("/a/b/file/c", OpenMode::kCreate), -ENOENT);
  EXPECT_EQ(disk.remove("/a/b"), -EISDIR);
  EXPECT_EQ(disk.rename("/a/b/file", "/file"), -EXDEV);
  EXPECT_EQ(disk.sync_directory("/none"), -ENOENT);
}

// F11: one file by two names, of which each is durable by the sync of its own directory.
TEST(SimulatedDisk, KeepsALinkWhoseDirectoryWasSynced) {
  SimulatedDisk disk;
  ASSERT_EQ(disk.make_directory("/a"), 0);
  ASSERT_EQ(disk.make_directory("/b"), 0);
  disk.close(create_synced(disk, "/a/file", "x"));
  ASSERT_EQ(disk.sync_directory("/"), 0);
  ASSERT_EQ(disk.sync_directory("/a"), 0);
  EXPECT_EQ(disk.link("/a/none", "/b/file"), -ENOENT);
  EXPECT_EQ(disk.link("/a", "/b/file"), -EPERM);
  EXPECT_EQ(disk.link("/a/file", "/a/other"), -EXDEV);
  ASSERT_EQ(disk.link("/a/file", "/b/file"), 0);
  ASSERT_EQ(disk.link("/a/file", "/b/lost"), 0);
  EXPECT_EQ(disk.link("/a/file", "/b/file"), -EEXIST);
  const auto before = disk.clone();
  before->cut_power(PowerCut::kKeepNothing, 1);
  EXPECT_EQ(before->open("/b/file", OpenMode::kRead), -ENOENT);
  EXPECT_EQ(before->read_all("/a/file"), "x");

  ASSERT_EQ(disk.sync_directory("/b"), 0);
  ASSERT_EQ(disk.remove("/a/file"), 0);
  ASSERT_EQ(disk.remove("/b/lost"), 0);
  const Disk::Handle link = disk.open("/b/file", OpenMode::kReadWrite);
  write_all(disk, link, "y");
  ASSERT_EQ(disk.sync(link), 0);
  const auto twin = disk.clone();
  twin->check();
  twin->cut_power(PowerCut::kKeepNothing, 1);
  for (const char* name : {"/a/file", "/b/file", "/b/lost"}) EXPECT_EQ(twin->read_all(name), "y");
  disk.cut_power(PowerCut::kKeepEverything, 1);
  EXPECT_EQ(disk.read_all("/b/file"), "y");
  EXPECT_EQ(disk.open("/a/file", OpenMode::kRead), -ENOENT);
}

TEST(SimulatedDisk, LosesANameWhoseDirectoryWasNotSynced) {
  SimulatedDisk disk;
  ASSERT_EQ(disk.make_directory("/a"), 0);
  ASSERT_EQ(disk.sync_directory("/"), 0);
  disk.close(create_synced(disk, "/a/kept", "x"));
  ASSERT_EQ(disk.sync_directory("/a"), 0);
  ASSERT_EQ(disk.rename("/a/kept", "/a/renamed"), 0);
  disk.close(create_synced(disk, "/a/lost", "y"));
  disk.cut_power(PowerCut::kKeepNothing, 1);
  std::vector<std::string> names;
  ASSERT_EQ(disk.list("/a", names), 0);
  EXPECT_EQ(names, std::vector<std::string>{"kept"});
}

}  // namespace
}  // namespace ashlar::os
