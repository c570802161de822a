// What the rows against Redis rely on: commands in its form, values of any content, and answers to
// all that was sent. Without Redis installed the form alone is tested.

#include "redis_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

namespace ashlar::bench {
namespace {

using std::string_view_literals::operator""sv;

TEST(RedisConnection, WritesCommandsWithTheirLengths) {
  std::string out = "before";
  append_command(out, std::array{"SET"sv, "k"sv, "a\r\n\0b"sv, ""sv});
  EXPECT_EQ(out, "before*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\n\0b\r\n$0\r\n\r\n"sv);
}

TEST(RedisConnection, StoresAndReadsThroughAServerOfItsOwn) {
  if (!RedisServer::is_installed()) GTEST_SKIP() << "redis is not installed";
  const auto directory =
      std::filesystem::temp_directory_path() / ("ashlar-bench-test-" + std::to_string(getpid()));
  std::filesystem::create_directory(directory);
  {
    RedisServer server(directory.string(), {});
    RedisConnection connection(server);
    for (int i = 0; i < 1000; ++i) connection.add_set(std::to_string(i), "value\r\n");
    EXPECT_TRUE(connection.flush_sets());
    EXPECT_EQ(connection.ask(std::array{"GET"sv, "999"sv}), "value\r\n");
    EXPECT_EQ(connection.ask(std::array{"GET"sv, "1000"sv}), std::nullopt);
    EXPECT_EQ(connection.ask_once_loaded(std::array{"DBSIZE"sv}), ":1000");
    EXPECT_EQ(connection.info_number("persistence", "rdb_bgsave_in_progress"), 0);
    EXPECT_EQ(connection.info_number("persistence", "no_such_field"), -1);
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace ashlar::bench
