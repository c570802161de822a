// What a database with a directory relies on: reopened, it is what it was, deadlines included.

#include "db/journal.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "ashlar/db.h"
#include "db/access.h"
#include "os/manual_clock.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/temporary_directory.h"

namespace ashlar::db {
namespace {

class JournalTest : public ::testing::Test {
 protected:
  /// Opens the database; closes the one before, if there is one, without telling it.
  void reopen() {
    db_.reset();
    Options options;
    options.directory = (temporary_.path() / "data").string();
    options.memory_budget_bytes = std::size_t{32} << 20U;
    Environment environment;
    environment.clock = &clock_;
    environment.has_background = false;
    environment.log.segment_bytes = std::size_t{256} << 10U;
    environment.log.ring_bytes = std::size_t{64} << 10U;
    auto opened = Access::open(options, environment);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    db_.emplace(std::move(*opened));
  }

  std::optional<std::string> get(std::string_view key) {
    const auto found = db_->get(key);
    EXPECT_TRUE(found.has_value());
    if (!found || !*found) return std::nullopt;
    return std::string((*found)->view());
  }

  testing::TemporaryDirectory temporary_;
  os::ManualClock clock_;
  std::optional<Db> db_;
};

// C2, J1: random writes of every kind against a map, over many openings.
TEST_F(JournalTest, BringsBackWhatWasWritten) {
  testing::Random random(testing::seed());
  std::map<std::string, std::string> expected;
  for (int round = 0; round < 12; ++round) {
    reopen();
    std::map<std::string, std::string> found;
    auto rows = db_->scan();
    ASSERT_TRUE(rows.has_value());
    for (rows->seek_to_first(); rows->is_valid(); rows->next()) {
      found.emplace(rows->key(), rows->value());
    }
    ASSERT_EQ(found, expected);
    for (int i = 0; i < 300; ++i) {
      const std::string key = "key:" + std::to_string(random.below(100));
      const std::string value(random.below(300), static_cast<char>('a' + random.below(26)));
      const Durability durability = random.chance(5) ? Durability::kDisk : Durability::kProcess;
      if (random.chance(25)) {
        const auto erased = db_->erase(key, durability);
        ASSERT_EQ(erased.value(), expected.erase(key) == 1);
      } else if (random.chance(20)) {
        WriteBatch batch;
        batch.put(key, value);
        batch.erase("key:0");
        batch.put("last", key);
        ASSERT_TRUE(db_->write(batch, durability).has_value());
        expected[key] = value;
        expected.erase("key:0");
        expected["last"] = key;
      } else {
        ASSERT_TRUE(db_->put(key, value, Expiry::never(), durability).has_value());
        expected[key] = value;
      }
    }
  }
}

// T1: deadlines come back, and what was decided by the clock then is not decided by the clock now.
TEST_F(JournalTest, DecidesByTheTimeOfTheCommit) {
  reopen();
  const auto soon = Expiry::at_ms(clock_.now_ms() + 100'000);
  ASSERT_TRUE(db_->put("ends", "value", soon).has_value());
  ASSERT_TRUE(db_->put("lasts", "value", soon).has_value());
  clock_.advance(50'000);
  ASSERT_TRUE(db_->persist("lasts").value());
  reopen();
  EXPECT_EQ(get("ends"), "value");
  EXPECT_EQ(db_->expiry_of("ends").value()->resolve_ms(0), soon.resolve_ms(0));
  clock_.advance(100'000);
  EXPECT_EQ(get("ends"), std::nullopt);
  reopen();
  EXPECT_EQ(get("ends"), std::nullopt);
  EXPECT_EQ(get("lasts"), "value") << "it was persisted before its deadline";
}

TEST_F(JournalTest, ClosesInOrder) {
  reopen();
  ASSERT_TRUE(db_->put("key", "value", Expiry::never(), Durability::kNone).has_value());
  ASSERT_TRUE(db_->close().has_value());
  EXPECT_EQ(db_->put("key", "other").error().code(), ErrorCode::kClosed);
  reopen();
  EXPECT_EQ(get("key"), "value");
}

// Two databases at one directory would destroy it.
TEST_F(JournalTest, HasOneOpenerAtATime) {
  reopen();
  Options options;
  options.directory = (temporary_.path() / "data").string();
  const auto second = Db::open(options);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace ashlar::db
