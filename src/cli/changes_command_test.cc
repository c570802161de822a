// What a person or a script relies on that reads or follows the changes of a directory, and what
// restores one as it was.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "ashlar/changes.h"
#include "cli/cli_rig_test.h"

namespace ashlar::cli {
namespace {

class ChangesCommandTest : public ::testing::TestWithParam<Engine>, protected CliRig {
 protected:
  Db open_with_history() {
    auto db = Db::open(
        {.directory = path(), .engine = GetParam(), .history_bytes_max = std::uint64_t{1} << 30U});
    EXPECT_TRUE(db.has_value()) << db.error().message();
    return std::move(*db);
  }
  void make() {
    Db db = open_with_history();
    ASSERT_TRUE(db.put("a", "1"));
    ASSERT_TRUE(db.put("b", std::string("\x00\xff", 2), Expiry::at_ms(9'000'000'000'000)));
    WriteBatch batch;
    batch.erase("a");
    batch.put("c", "3");
    ASSERT_TRUE(db.write(batch));
    ASSERT_TRUE(db.close());
  }
};

TEST_P(ChangesCommandTest, PrintsEveryCommit) {
  make();
  const Answer all = run({"changes", path()});
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_EQ(all.out,
            "1 put \"a\" \"1\"\n2 put \"b\" \"\\x00\\xff\" 9000000000000\n3 erase \"a\"\n"
            "3 put \"c\" \"3\"\n");
  EXPECT_EQ(run({"changes", path(), "--after", "2"}).out, "3 erase \"a\"\n3 put \"c\" \"3\"\n");
  EXPECT_EQ(run({"changes", path(), "--count", "1"}).out, "1 put \"a\" \"1\"\n");
  EXPECT_EQ(run({"changes", path(), "--after", "3"}).out, "");
}

TEST_P(ChangesCommandTest, PrintsJson) {
  make();
  const Answer all = run({"changes", path(), "--json", "--after", "1"});
  EXPECT_EQ(all.status, 0) << all.err;
  const std::size_t line_end = all.out.find('\n');
  const auto second = nlohmann::json::parse(all.out.substr(0, line_end));
  EXPECT_EQ(second["sequence"], 2);
  EXPECT_EQ(second["changes"][0]["kind"], "put");
  EXPECT_EQ(second["changes"][0]["key"], "b");
  EXPECT_EQ(second["changes"][0]["value_hex"], "00ff");
  EXPECT_EQ(second["changes"][0]["deadline_ms"], 9'000'000'000'000);
  const auto third = nlohmann::json::parse(all.out.substr(line_end + 1));
  EXPECT_EQ(third["changes"].size(), 2U);
  EXPECT_EQ(third["changes"][0], (nlohmann::json{{"kind", "erase"}, {"key", "a"}}));
}

// The background of the database finds out, for whoever waits for it.
TEST_P(ChangesCommandTest, PrintsWhatGoesAtItsDeadline) {
  Db db = open_with_history();
  ASSERT_TRUE(db.put("a", "1", Expiry::in(std::chrono::milliseconds(50))));
  auto stream = ChangeStream::open(db, 1);
  ASSERT_TRUE(stream.has_value()) << stream.error().message();
  const auto expired = stream->next(std::chrono::seconds(30));
  ASSERT_TRUE(expired.has_value()) << expired.error().message();
  ASSERT_NE(*expired, nullptr) << "the background has told of it";
  EXPECT_EQ((*expired)->changes.front().kind, ChangeKind::kExpired);
  const Answer all = run({"changes", path(), "--json", "--after", "1"});
  EXPECT_EQ(all.status, 0) << all.err;
  const auto second = nlohmann::json::parse(all.out);
  EXPECT_EQ(second["sequence"], 2);
  EXPECT_EQ(second["changes"][0], (nlohmann::json{{"kind", "expired"}, {"key", "a"}}));
  const Answer text = run({"changes", path(), "--after", "1"});
  EXPECT_EQ(text.out, "2 expired \"a\"\n");
}

// The database is open, and written to, in this process all along.
TEST_P(ChangesCommandTest, FollowsADatabaseThatIsOpen) {
  Db db = open_with_history();
  std::jthread writer([&] {
    for (int i = 1; i <= 50; ++i) {
      ASSERT_TRUE(db.put("key" + std::to_string(i), "value"));
    }
  });
  const Answer followed = run({"changes", path(), "--follow", "--count", "50"});
  EXPECT_EQ(followed.status, 0) << followed.err;
  std::string expected;
  for (int i = 1; i <= 50; ++i) {
    expected += std::to_string(i) + " put \"key" + std::to_string(i) + "\" \"value\"\n";
  }
  EXPECT_EQ(followed.out, expected);
}

TEST_P(ChangesCommandTest, RestoresToACommitOrMoment) {
  make();
  ASSERT_EQ(run({"backup", path(), path("copy")}).status, 0);
  {
    Db db = open_with_history();
    ASSERT_TRUE(db.put("d", "4"));
    ASSERT_TRUE(db.put("e", "5"));
    ASSERT_TRUE(db.close());
  }
  const std::string changes = run({"changes", path()}).out;
  const std::size_t at = changes.find("put \"d\"");
  ASSERT_NE(at, std::string::npos) << changes;
  const std::size_t line = changes.rfind('\n', at) + 1;
  const std::string commit = changes.substr(line, at - 1 - line);
  const Answer restored =
      run({"restore", path("copy"), path("then"), "--log", path(), "--to", commit});
  EXPECT_EQ(restored.status, 0) << restored.err;
  EXPECT_NE(restored.out.find("up to commit " + commit), std::string::npos) << restored.out;
  EXPECT_NE(run({"dump", path("then")}).out.find("\"d\""), std::string::npos);
  EXPECT_EQ(run({"dump", path("then")}).out.find("\"e\""), std::string::npos);
  const Answer latest = run(
      {"restore", path("copy"), path("late"), "--log", path(), "--to", "2099-01-01T00:00:00.000Z"});
  EXPECT_EQ(latest.status, 0) << latest.err;
  EXPECT_NE(run({"dump", path("late")}).out.find("\"e\""), std::string::npos);
  EXPECT_EQ(run({"check", path("late")}).status, 0);
  const Answer early = run(
      {"restore", path("copy"), path("early"), "--log", path(), "--to", "2001-01-01T00:00:00Z"});
  EXPECT_EQ(early.status, 2);
  EXPECT_NE(early.err.find("take one that was made before"), std::string::npos) << early.err;
}

INSTANTIATE_TEST_SUITE_P(, ChangesCommandTest, ::testing::Values(Engine::kMemory, Engine::kDisk),
                         [](const auto& engine) {
                           return engine.param == Engine::kDisk ? "disk" : "memory";
                         });

class ChangesCommand : public ::testing::Test, protected CliRig {};

TEST_F(ChangesCommand, SaysWhatIsWrong) {
  EXPECT_EQ(run({"changes", path("none")}).status, 2);
  std::filesystem::create_directory(path("empty"));
  const Answer empty = run({"changes", path("empty")});
  EXPECT_EQ(empty.status, 2);
  EXPECT_NE(empty.err.find("is no database"), std::string::npos) << empty.err;
  const Answer words = run({"restore", path("a"), path("b"), "--log", path("c"), "--to", "noon"});
  EXPECT_EQ(words.status, 2);
  EXPECT_NE(words.err.find("neither the number of a commit nor a moment"), std::string::npos);
  EXPECT_EQ(run({"restore", path("a"), path("b"), "--to", "7"}).status, 2) << "--log is missing";
}

// A command that opens a directory goes on with the history that it has.
TEST_F(ChangesCommand, LeavesAHistoryWhole) {
  {
    auto db = Db::open({.directory = path(), .history_bytes_max = std::uint64_t{1} << 30U});
    ASSERT_TRUE(db.has_value());
    const std::string value(std::size_t{1} << 20U, 'v');
    for (int i = 0; i < 70; ++i)
      ASSERT_TRUE(db->put("key", value, Expiry::never(), Durability::kNone));
    ASSERT_TRUE(db->checkpoint());
    ASSERT_TRUE(db->close());
  }
  EXPECT_FALSE(std::filesystem::is_empty(path() + "/history"));
  ASSERT_EQ(run({"dump", path(), "--output", path("dumped")}).status, 0);
  ASSERT_EQ(run({"backup", path(), path("copy")}).status, 0);
  const Answer first = run({"changes", path(), "--count", "1"});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_TRUE(first.out.starts_with("1 put \"key\"")) << first.out.substr(0, 100);
}

}  // namespace
}  // namespace ashlar::cli
