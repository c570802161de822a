// What `ashlar dump` promises: all rows with their deadlines, in order, and nothing made by
// looking.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <string>

#include "cli/cli_rig_test.h"
#include "cli/dump_rig_test.h"
#include "testing/workload_scale.h"

namespace ashlar::cli {
namespace {

constexpr std::int64_t kFarMs = 4'000'000'000'000;

/// Leaves this process so much address space, as `ulimit -v` does, while it is there.
class AddressSpaceLimit {
 public:
  explicit AddressSpaceLimit(rlim_t bytes) {
    EXPECT_EQ(::getrlimit(RLIMIT_AS, &before_), 0);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
  }
  ~AddressSpaceLimit() { EXPECT_EQ(::setrlimit(RLIMIT_AS, &before_), 0); }
  AddressSpaceLimit(const AddressSpaceLimit&) = delete;
  AddressSpaceLimit& operator=(const AddressSpaceLimit&) = delete;

 private:
  rlimit before_{};
};

TEST(DumpCommand, WritesRowsInTheOrderOfKeys) {
  CliRig rig;
  {
    Db db = rig.open();
    ASSERT_TRUE(db.put("b", "2", Expiry::at_ms(kFarMs)).has_value());
    ASSERT_TRUE(db.put("a", "1").has_value());
  }
  const auto answer = rig.run({"dump", rig.path()});
  EXPECT_EQ(answer.status, kGood) << answer.err;
  EXPECT_TRUE(
      answer.out.starts_with("# ashlar dump 1 text\n\"a\" \"1\"\n\"b\" \"2\" 4000000000000\n"))
      << answer.out;
  EXPECT_EQ(read_dump(answer.out).rows.size(), 2U);
}

TEST(DumpCommand, MakesDoWithLittleAddressSpace) {
  if (testing::kIsAddressSanitizer || testing::kIsThreadSanitizer) {
    GTEST_SKIP() << "the sanitizer itself maps more; under that of threads every test is this one";
  }
  CliRig rig;
  rig.fill(10);
  const AddressSpaceLimit limit(rlim_t{64} << 30U);
  const auto answer = rig.run({"dump", rig.path()});
  EXPECT_EQ(answer.status, kGood) << answer.err;
  EXPECT_EQ(read_dump(answer.out).rows.size(), 10U);
}

TEST(DumpCommand, WritesToAFile) {
  CliRig rig;
  rig.fill(10);
  const auto answer = rig.run({"dump", rig.path(), "--form=binary", "--output", rig.path("kept")});
  EXPECT_EQ(answer.status, kGood) << answer.err;
  EXPECT_TRUE(answer.out.empty());
  EXPECT_EQ(read_dump(rig.read("kept")).rows.size(), 10U);
}

TEST(DumpCommand, WritesToAFileOfTheWorkingDirectory) {
  CliRig rig;
  rig.fill(3);
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(std::filesystem::path(rig.path()).parent_path());
  const auto answer = rig.run({"dump", "data", "--output", "kept"});
  std::filesystem::current_path(before);
  EXPECT_EQ(answer.status, kGood) << answer.err;
  EXPECT_EQ(read_dump(rig.read("kept")).rows.size(), 3U);
}

TEST(DumpCommand, TellsOfDamage) {
  CliRig rig;
  rig.fill(10);
  rig.flip("data/checkpoint/0000000001.checkpoint", 60);
  const auto answer = rig.run({"dump", rig.path()});
  EXPECT_EQ(answer.status, kDamage);
  EXPECT_TRUE(answer.out.empty());
  EXPECT_NE(answer.err.find("ashlar repair " + rig.path()), std::string::npos);
}

TEST(DumpCommand, ReplacesAnOlderDump) {
  CliRig rig;
  rig.fill(10);
  rig.write("kept", std::string(5000, 'x'));
  EXPECT_EQ(rig.run({"dump", rig.path(), "--output", rig.path("kept")}).status, kGood);
  EXPECT_EQ(read_dump(rig.read("kept")).rows.size(), 10U);
  EXPECT_FALSE(std::filesystem::exists(rig.path("kept.unfinished")));
}

TEST(DumpCommand, FollowsALinkToTheFileThatItReplaces) {
  CliRig rig;
  rig.fill(3);
  rig.write("kept", "older");
  std::filesystem::create_symlink(rig.path("kept"), rig.path("link"));
  EXPECT_EQ(rig.run({"dump", rig.path(), "--output", rig.path("link")}).status, kGood);
  EXPECT_TRUE(std::filesystem::is_symlink(rig.path("link")));
  EXPECT_EQ(read_dump(rig.read("kept")).rows.size(), 3U);
}

TEST(DumpCommand, TellsOfAFileThatCannotBeWritten) {
  CliRig rig;
  rig.fill(1);
  const auto answer = rig.run({"dump", rig.path(), "--output", rig.path("none/such")});
  EXPECT_EQ(answer.status, kFailed);
  EXPECT_NE(answer.err.find("none/such"), std::string::npos);
}

}  // namespace
}  // namespace ashlar::cli
