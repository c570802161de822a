// What checkpoints must keep true: a database begun from one and the log after it is what it was,
// also when writers went on beside it.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "ashlar/db.h"
#include "db/access.h"
#include "os/posix_disk.h"
#include "testing/temporary_directory.h"

namespace ashlar::db {
namespace {

class JournalCheckpointTest : public ::testing::Test {
 protected:
  std::string path() const { return (temporary_.path() / "data").string(); }

  void reopen() {
    db_.reset();
    Options options;
    options.directory = path();
    options.memory_budget_bytes = std::size_t{64} << 20U;
    Environment environment;
    environment.log.segment_bytes = std::size_t{256} << 10U;
    environment.log.ring_bytes = std::size_t{64} << 10U;
    auto opened = Access::open(options, environment);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    db_.emplace(std::move(*opened));
  }

  Result<void> put(const std::string& key, const std::string& value) {
    return db_->put(key, value, Expiry::never(), Durability::kProcess);
  }

  std::map<std::string, std::string> rows() {
    std::map<std::string, std::string> found;
    auto opened = db_->scan();
    EXPECT_TRUE(opened.has_value());
    for (opened->seek_to_first(); opened->is_valid(); opened->next()) {
      found.emplace(opened->key(), opened->value());
    }
    return found;
  }

  testing::TemporaryDirectory temporary_;
  std::optional<Db> db_;
};

TEST_F(JournalCheckpointTest, IsWhereTheNextOpeningBegins) {
  reopen();
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(put("key:" + std::to_string(i % 700), std::string(200, 'a') + std::to_string(i)));
  }
  ASSERT_TRUE(db_->erase("key:0").value());
  ASSERT_TRUE(db_->checkpoint().has_value());
  ASSERT_TRUE(put("after", "the checkpoint"));
  ASSERT_TRUE(db_->erase("key:1").value());
  const auto expected = rows();
  for (int round = 0; round < 3; ++round) {
    reopen();
    ASSERT_EQ(rows(), expected);
    ASSERT_TRUE(db_->checkpoint().has_value());
  }
  os::PosixDisk disk;
  EXPECT_LE(os::list_directory(disk, path() + "/log")->size(), 6U) << "the log was let go";
}

// C1, K2: batches that go on beside the checkpoint are whole after reopening.
TEST_F(JournalCheckpointTest, IsMadeBesideWriters) {
  constexpr int kPairs = 300;
  reopen();
  std::atomic<std::uint64_t> written_count{0};
  {
    std::jthread writer([&](const std::stop_token& stop) {
      for (std::uint64_t i = 0; !stop.stop_requested(); ++i) {
        WriteBatch batch;
        const std::string pair = std::to_string(i % kPairs);
        batch.put("left:" + pair, std::to_string(i));
        batch.put("right:" + pair, std::to_string(i));
        ASSERT_TRUE(db_->write(batch, Durability::kProcess).has_value());
        written_count.store(i + 1);
      }
    });
    for (int i = 0; i < 5 || written_count.load() == 0; ++i) {
      const auto done = db_->checkpoint();
      ASSERT_TRUE(done.has_value()) << done.error().message();
    }
  }
  ASSERT_GT(written_count.load(), 0U);
  const auto expected = rows();
  reopen();
  const auto found = rows();
  ASSERT_EQ(found, expected);
  for (const auto& [key, value] : found) {
    if (!key.starts_with("left:")) continue;
    ASSERT_EQ(found.at("right:" + key.substr(5)), value);
  }
}

// A checkpoint that is damaged is refused by name, and nothing is lost by that.
TEST_F(JournalCheckpointTest, IsRefusedWhenItIsDamaged) {
  reopen();
  ASSERT_TRUE(put("key", "value"));
  ASSERT_TRUE(db_->checkpoint().has_value());
  db_.reset();
  os::PosixDisk disk;
  const std::string file_path = path() + "/checkpoint/0000000001.checkpoint";
  const auto file = os::File::open(disk, file_path, os::OpenMode::kReadWrite);
  ASSERT_TRUE(file.has_value() && *file != nullptr);
  ASSERT_TRUE((*file)->write(60, std::string_view("x")).has_value());
  Options options;
  options.directory = path();
  const auto opened = Db::open(options);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(opened.error().message().find(file_path), std::string_view::npos);
}

}  // namespace
}  // namespace ashlar::db
