// What somebody relies on who kept a directory or a dump of an earlier version: it can be read for
// ever, every key, value and deadline of it.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.h"
#include "db/format_file.h"
#include "db/inspection/inspect.h"
#include "fixture.h"
#include "os/file.h"
#include "os/posix_disk.h"
#include "testing/temporary_directory.h"

namespace ashlar::compat {
namespace {

/// Under the tests' folder.
std::filesystem::path folder_of(const std::string& written_by) {
  return std::filesystem::path(ASHLAR_COMPAT_FOLDER) / written_by;
}

/// For what each version has written whose files differ from those before.
class Compat : public ::testing::TestWithParam<const char*> {
 protected:
  /// A copy of a committed directory, since opening changes it.
  std::string copy_of(const std::string& name) {
    const auto copy = temporary_.path() / name;
    std::filesystem::copy(folder_of(GetParam()) / name, copy,
                          std::filesystem::copy_options::recursive);
    return copy.string();
  }

  std::string read(const std::filesystem::path& path) {
    const auto file = os::File::open(disk_, path.string(), os::OpenMode::kRead);
    EXPECT_TRUE(file.has_value() && *file != nullptr) << path;
    std::string content((*file)->size().value(), '\0');
    EXPECT_TRUE((*file)->read(0, content).has_value());
    return content;
  }

  int run(const std::vector<const char*>& words) {
    return cli::run(static_cast<int>(words.size()), words.data(), disk_,
                    {.in = stdin, .out = stdout, .err = stderr});
  }

  void expect_sound(const std::string& directory) {
    const auto held = db::Directory::open_as_is(disk_, directory);
    ASSERT_TRUE(held.has_value()) << held.error().message();
    const auto found = db::inspect(disk_, **held);
    ASSERT_TRUE(found.has_value()) << found.error().message();
    EXPECT_TRUE(found->report.is_sound()) << found->report.damages[0].what;
  }

  static void expect_opens_with(const std::string& directory, const Rows& expected,
                                Engine engine = Engine::kMemory) {
    for (int opening = 0; opening < 2; ++opening) {
      const auto db = Db::open({.directory = directory, .engine = engine});
      ASSERT_TRUE(db.has_value()) << db.error().message();
      const Rows found = read_rows(*db);
      EXPECT_EQ(found.size(), expected.size());
      for (const auto& [key, row] : expected) {
        const auto at = found.find(key);
        ASSERT_NE(at, found.end()) << key;
        EXPECT_EQ(at->second.value, row.value) << key;
        EXPECT_EQ(at->second.deadline_ms, row.deadline_ms) << key;
      }
    }
  }

  testing::TemporaryDirectory temporary_;
  os::PosixDisk disk_;
};

TEST_P(Compat, ADirectoryThatWasClosedIsReadWhole) {
  const std::string directory = copy_of("closed");
  expect_sound(directory);
  expect_opens_with(directory, expected_rows(Ending::kClosed));
}

TEST_P(Compat, ADirectoryThatWasKilledIsReadWhole) {
  const std::string directory = copy_of("killed");
  expect_sound(directory);
  expect_opens_with(directory, expected_rows(Ending::kKilled));
}

TEST_P(Compat, ADirectoryOfTheDiskEngineIsReadWhole) {
  for (const auto& [name, ending] :
       {std::pair("disk-closed", Ending::kClosed), std::pair("disk-killed", Ending::kKilled)}) {
    const std::string directory = copy_of(name);
    expect_sound(directory);
    expect_opens_with(directory, expected_rows(ending), Engine::kDisk);
  }
}

TEST_P(Compat, ABackupIsRestoredWhole) {
  for (const auto& [name, engine] :
       {std::pair("memory-backup", Engine::kMemory), std::pair("disk-backup", Engine::kDisk)}) {
    const std::string backup = copy_of(name);
    const std::string restored = backup + ".restored";
    EXPECT_EQ(run({"ashlar", "verify", backup.c_str()}), 0) << name;
    EXPECT_EQ(run({"ashlar", "restore", backup.c_str(), restored.c_str()}), 0) << name;
    expect_sound(restored);
    const bool has_last = engine == Engine::kMemory;
    expect_opens_with(restored, expected_rows(has_last ? Ending::kKilled : Ending::kClosed),
                      engine);
  }
}

TEST_P(Compat, ADumpIsLoadedWhole) {
  for (const char* form : {"closed.text", "closed.binary"}) {
    const std::string directory = (temporary_.path() / form).string() + ".loaded";
    const std::string input = (folder_of(GetParam()) / form).string();
    EXPECT_EQ(run({"ashlar", "load", directory.c_str(), "--input", input.c_str()}), 0) << form;
    expect_opens_with(directory, expected_rows(Ending::kClosed));
  }
}

// Dumps have a version of their own; both forms are as they were as long as that is 1.
TEST_P(Compat, ADumpIsWrittenAsItWas) {
  const std::string directory = copy_of("closed");
  for (const char* form : {"text", "binary"}) {
    const std::string output = (temporary_.path() / form).string();
    const std::string option = std::string("--form=") + form;
    EXPECT_EQ(
        run({"ashlar", "dump", directory.c_str(), option.c_str(), "--output", output.c_str()}), 0);
    EXPECT_TRUE(read(output) == read(folder_of(GetParam()) / ("closed." + std::string(form))))
        << form;
  }
}

static_assert(db::kFormatVersion == 1, "a new format gets a folder of its own");
INSTANTIATE_TEST_SUITE_P(, Compat, ::testing::Values("format_1", "format_1_large_values"),
                         [](const ::testing::TestParamInfo<const char*>& folder) {
                           return std::string(folder.param);
                         });

}  // namespace
}  // namespace ashlar::compat
