// What the methods of `Db` may rely on: memory that ran out is reported and not thrown (D4), and a
// close that comes between a check and what it was made for is noticed (D2).

#include "db/impl.h"

#include <gtest/gtest.h>

#include <new>
#include <string>
#include <thread>

#include "db/access.h"

namespace ashlar {
namespace {

// D4
TEST(AtBorder, MemoryThatRanOutBecomesAnError) {
  const Result<int> result = db::at_border([]() -> Result<int> { throw std::bad_alloc(); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kOutOfSpace);
  EXPECT_EQ(result.error().message(), "the process is out of memory");
}

TEST(AtBorder, AnswersAndErrorsPassThrough) {
  EXPECT_EQ(db::at_border([]() -> Result<int> { return 7; }).value(), 7);
  const auto refused = db::at_border([]() -> Result<int> { return std::unexpected(db::closed()); });
  EXPECT_EQ(refused.error().code(), ErrorCode::kClosed);
}

// D1, D2: while one thread closes, others take snapshots. Whoever got one kept the database open.
TEST(Close, NeverSucceedsUnderASnapshot) {
  for (int round = 0; round < 50; ++round) {
    Db db =
        db::Access::open({.memory_budget_bytes = kMemoryBudgetBytesMin}, {.has_background = false})
            .value();
    ASSERT_TRUE(db.put("k", "v"));
    std::string complaint;
    std::jthread taker([&] {
      while (complaint.empty()) {
        const Result<Snapshot> snapshot = db.snapshot();
        if (!snapshot) {
          if (snapshot.error().code() != ErrorCode::kClosed) complaint = "another error";
          return;
        }
        const auto value = db.get("k", &*snapshot);
        if (!value) complaint = value.error().message();
      }
    });
    while (true) {
      const Result<void> closed = db.close();
      if (closed) break;
      ASSERT_EQ(closed.error().code(), ErrorCode::kBusy);
    }
    taker.join();
    EXPECT_EQ(complaint, "");
    EXPECT_EQ(db::Access::engine(db).snapshot_count(), 0U);
  }
}

}  // namespace
}  // namespace ashlar
