// What snapshots and scans promise at the ends of their lives, and what `close` promises about
// them.

#include <gtest/gtest.h>

#include "store.h"

namespace ashlar::limits {
namespace {

TEST(Snapshot, RefusesReadsOnceItIsReleased) {
  Store store;
  ASSERT_TRUE(store->put("key", "value").has_value());
  auto snapshot = store->snapshot().value();
  snapshot.release();
  snapshot.release();  // Twice is once.
  const std::string_view keys[] = {"key"};
  EXPECT_EQ(store->get("key", &snapshot).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store->exists("key", &snapshot).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store->multi_get(keys, &snapshot).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store->scan({}, &snapshot).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store.stats().snapshot_count, 0U);
}

TEST(Snapshot, OfAnotherDatabaseIsRefused) {
  Store store;
  Store other;
  const auto snapshot = other->snapshot().value();
  EXPECT_EQ(store->get("key", &snapshot).error().code(), ErrorCode::kInvalidArgument);
}

TEST(Snapshot, CountsWhileItLivesWhereverItIsMoved) {
  Store store;
  {
    auto first = store->snapshot().value();
    auto second = store->snapshot().value();
    Snapshot moved = std::move(first);
    EXPECT_EQ(store.stats().snapshot_count, 2U);
    second = std::move(moved);
    EXPECT_EQ(store.stats().snapshot_count, 1U);
    store.clock().advance(50);
    EXPECT_EQ(store.stats().oldest_snapshot_ms, 50U);
  }
  EXPECT_EQ(store.stats().snapshot_count, 0U);
}

TEST(Iterator, StandsNowhereUntilItSeeksAndBeyondEitherEnd) {
  Store store;
  ASSERT_TRUE(store->put("a", "1").has_value());
  ASSERT_TRUE(store->put("b", "2").has_value());
  auto rows = store->scan().value();
  EXPECT_FALSE(rows.is_valid());
  rows.seek_to_last();
  ASSERT_TRUE(rows.is_valid());
  rows.next();
  EXPECT_FALSE(rows.is_valid());
  rows.seek_to_first();
  ASSERT_TRUE(rows.is_valid());
  rows.previous();
  EXPECT_FALSE(rows.is_valid());
  rows.seek("b");
  EXPECT_TRUE(rows.is_valid()) << "a seek makes it valid again";
  EXPECT_TRUE(rows.status().has_value());
}

TEST(Iterator, HoldsASnapshotWhileItLives) {
  Store store;
  {
    auto rows = store->scan().value();
    EXPECT_EQ(store.stats().snapshot_count, 1U);
  }
  EXPECT_EQ(store.stats().snapshot_count, 0U);
}

TEST(Range, OfAPrefixEndsWhereThePrefixDoes) {
  Store store;
  for (const auto* key : {"a", "a\xff", "a\xff\xff", "b", "\xff", "\xff\xff"}) {
    ASSERT_TRUE(store->put(key, "value").has_value());
  }
  const auto count = [&store](std::string_view prefix) {
    auto rows = store->scan(ashlar::Range::prefix(prefix)).value();
    int rows_seen = 0;
    for (rows.seek_to_first(); rows.is_valid(); rows.next()) ++rows_seen;
    return rows_seen;
  };
  EXPECT_EQ(count("a"), 3);
  EXPECT_EQ(count("a\xff"), 2);
  EXPECT_EQ(count("\xff"), 2);
  EXPECT_EQ(count("\xff\xff"), 1);
  EXPECT_EQ(count(""), 6);
  EXPECT_EQ(count("c"), 0);
}

TEST(Close, WaitsForNobodyButSaysWhoIsLeft) {
  Store store;
  {
    const auto snapshot = store->snapshot().value();
    EXPECT_EQ(store->close().error().code(), ErrorCode::kBusy);
  }
  {
    const auto rows = store->scan().value();
    EXPECT_EQ(store->close().error().code(), ErrorCode::kBusy);
  }
  ASSERT_TRUE(store->put("key", "value").has_value()) << "nothing happened";
  EXPECT_TRUE(store->close().has_value());
  EXPECT_EQ(store->close().error().code(), ErrorCode::kClosed);
}

TEST(Close, MakesEveryLaterCallFail) {
  Store store;
  ASSERT_TRUE(store->close().has_value());
  const std::string_view keys[] = {"key"};
  EXPECT_EQ(store->put("key", "value").error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->get("key").error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->exists("key").error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->erase("key").error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->expire("key", Expiry::never()).error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->persist("key").error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->expiry_of("key").error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->time_to_live("key").error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->write({}).error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->multi_get(keys).error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->scan().error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->snapshot().error().code(), ErrorCode::kClosed);
  EXPECT_EQ(store->stats().error().code(), ErrorCode::kClosed);
}

}  // namespace
}  // namespace ashlar::limits
