// What a user of the calls in ashlar/atomic.h may rely on: what each of them does to the key, that
// nobody comes between, and that an answer lasts as long as it was asked to.

#include "ashlar/atomic.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ashlar/transaction.h"
#include "db/atomic/atomic_rig_test.h"
#include "testing/workload_scale.h"

namespace ashlar {
namespace {

using db::code_of;
using db::Place;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

class AtomicTest : public db::AtomicRig {
 protected:
  std::int64_t deadline_ms(std::string_view key) const {
    return db_->expiry_of(key).value()->resolve_ms(0);
  }
  /// Runs `work(i)` in `count` threads.
  template <typename Work>
  static void run_in_threads(std::uint64_t count, const Work& work) {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < count; ++i) threads.emplace_back(work, i);
  }
};

INSTANTIATE_TEST_SUITE_P(, AtomicTest, ::testing::Values(Place::kMemory, Place::kDirectory),
                         db::place_name);

TEST_P(AtomicTest, PutsWhereThereIsNothing) {
  EXPECT_TRUE(put_if_absent(*db_, "a", "1").value());
  EXPECT_FALSE(put_if_absent(*db_, "a", "2").value());
  EXPECT_EQ(read("a"), "1");
  ASSERT_TRUE(db_->erase("a").value());
  EXPECT_TRUE(put_if_absent(*db_, "a", "3").value());
  EXPECT_EQ(read("a"), "3");
  EXPECT_TRUE(put_if_absent(*db_, "empty", "").value());
  EXPECT_FALSE(put_if_absent(*db_, "empty", "1").value()) << "an empty value is one";
}

// T1: from its deadline on a key is absent.
TEST_P(AtomicTest, PutsWhereTheKeyHasExpired) {
  EXPECT_TRUE(put_if_absent(*db_, "a", "1", Expiry::at_ms(kStartMs + 10)).value());
  EXPECT_EQ(deadline_ms("a"), kStartMs + 10);
  EXPECT_FALSE(put_if_absent(*db_, "a", "2").value());
  clock_.advance(10);
  EXPECT_TRUE(put_if_absent(*db_, "a", "3").value());
  EXPECT_EQ(read("a"), "3");
  EXPECT_EQ(deadline_ms("a"), Expiry::kNeverMs);
  EXPECT_TRUE(put_if_absent(*db_, "gone", "1", Expiry::at_ms(kStartMs)).value());
  EXPECT_EQ(read("gone"), "-") << "gone at once";
}

TEST_P(AtomicTest, SetsWhatIsAsExpected) {
  EXPECT_FALSE(compare_and_set(*db_, "a", "1", "2").value()) << "it is absent";
  EXPECT_TRUE(compare_and_set(*db_, "a", std::nullopt, "1").value());
  EXPECT_FALSE(compare_and_set(*db_, "a", std::nullopt, "2").value());
  EXPECT_FALSE(compare_and_set(*db_, "a", "", "2").value());
  EXPECT_FALSE(compare_and_set(*db_, "a", "11", "2").value());
  EXPECT_EQ(read("a"), "1");
  EXPECT_TRUE(compare_and_set(*db_, "a", "1", "2", Expiry::at_ms(kStartMs + 10)).value());
  EXPECT_EQ(read("a"), "2");
  EXPECT_EQ(deadline_ms("a"), kStartMs + 10);
  EXPECT_TRUE(compare_and_set(*db_, "a", "2", "2").value());
  EXPECT_EQ(deadline_ms("a"), Expiry::kNeverMs) << "the deadline is new as well";
}

TEST_P(AtomicTest, ErasesWhatIsAsExpected) {
  EXPECT_TRUE(compare_and_set(*db_, "a", std::nullopt, std::nullopt).value());
  EXPECT_FALSE(compare_and_set(*db_, "a", "1", std::nullopt).value());
  ASSERT_TRUE(db_->put("a", "1", Expiry::at_ms(kStartMs + 10)));
  EXPECT_FALSE(compare_and_set(*db_, "a", std::nullopt, std::nullopt).value());
  EXPECT_FALSE(compare_and_set(*db_, "a", "2", std::nullopt).value());
  EXPECT_EQ(read("a"), "1");
  EXPECT_TRUE(compare_and_set(*db_, "a", "1", std::nullopt).value());
  EXPECT_EQ(read("a"), "-");
  ASSERT_TRUE(db_->put("a", "1", Expiry::at_ms(kStartMs + 10)));
  clock_.advance(10);
  EXPECT_FALSE(compare_and_set(*db_, "a", "1", std::nullopt).value()) << "expired";
  EXPECT_TRUE(compare_and_set(*db_, "a", std::nullopt, "2").value());
}

TEST_P(AtomicTest, AddsToANumber) {
  EXPECT_EQ(increment(*db_, "a").value(), 1);
  EXPECT_EQ(increment(*db_, "a", 41).value(), 42);
  EXPECT_EQ(read("a"), "42");
  EXPECT_EQ(increment(*db_, "a", -50).value(), -8);
  EXPECT_EQ(read("a"), "-8");
  EXPECT_EQ(increment(*db_, "a", 0).value(), -8);
  EXPECT_EQ(increment(*db_, "b", 0).value(), 0);
  EXPECT_EQ(read("b"), "0");
  EXPECT_EQ(increment(*db_, "most", kMost).value(), kMost);
  EXPECT_EQ(read("most"), "9223372036854775807");
  EXPECT_EQ(increment(*db_, "most", kLeast).value(), -1);
  EXPECT_EQ(increment(*db_, "least", kLeast).value(), kLeast);
  EXPECT_EQ(increment(*db_, "least", kMost).value(), -1);
}

TEST_P(AtomicTest, KeepsTheDeadlineOfANumber) {
  ASSERT_TRUE(db_->put("a", "5", Expiry::at_ms(kStartMs + 10)));
  EXPECT_EQ(increment(*db_, "a").value(), 6);
  EXPECT_EQ(deadline_ms("a"), kStartMs + 10);
  clock_.advance(10);
  EXPECT_EQ(increment(*db_, "a").value(), 1) << "it has expired";
  EXPECT_EQ(deadline_ms("a"), Expiry::kNeverMs);
}

TEST_P(AtomicTest, AddsToNothingButANumber) {
  for (const std::string_view value :
       {"", " 1", "1 ", "+1", "01", "00", "-0", "-", "--1", "-01", "1.0", "1e3", "0x1", "one",
        "\xd9\xa1", "9223372036854775808", "-9223372036854775809", "10000000000000000000000000"}) {
    ASSERT_TRUE(db_->put("a", value));
    const auto refused = increment(*db_, "a");
    ASSERT_EQ(code_of(refused), "InvalidArgument") << value;
    EXPECT_EQ(refused.error().message(), "value of key \"a\" is not a decimal number of 64 bits");
    EXPECT_EQ(read("a"), value);
  }
  ASSERT_TRUE(db_->put("a", std::string("1\0", 2)));
  EXPECT_EQ(code_of(increment(*db_, "a")), "InvalidArgument");
}

TEST_P(AtomicTest, RefusesASumThatIsNoNumber) {
  ASSERT_TRUE(db_->put("a\n", "9223372036854775807"));
  const auto above = increment(*db_, "a\n");
  ASSERT_EQ(code_of(above), "InvalidArgument");
  EXPECT_EQ(above.error().message(),
            "value of key \"a\\x0a\" is 9223372036854775807, and with 1 no number of 64 bits");
  EXPECT_EQ(read("a\n"), "9223372036854775807");
  EXPECT_EQ(increment(*db_, "a\n", -1).value(), kMost - 1);
  ASSERT_TRUE(db_->put("b", "-9223372036854775808"));
  EXPECT_EQ(code_of(increment(*db_, "b", -1)), "InvalidArgument");
  EXPECT_EQ(code_of(increment(*db_, "b", kLeast)), "InvalidArgument");
  EXPECT_EQ(increment(*db_, "b").value(), kLeast + 1);
}

TEST_P(AtomicTest, PutsASuffixBehindAValue) {
  EXPECT_EQ(append(*db_, "a", "").value(), 0U);
  EXPECT_EQ(read("a"), "") << "it is there";
  EXPECT_EQ(append(*db_, "a", "abc").value(), 3U);
  EXPECT_EQ(append(*db_, "a", std::string_view("\0d", 2)).value(), 5U);
  EXPECT_EQ(append(*db_, "a", "").value(), 5U);
  EXPECT_EQ(read("a"), std::string("abc\0d", 5));
  EXPECT_EQ(append(*db_, "b", "abc").value(), 3U);
  EXPECT_EQ(read("b"), "abc");
}

TEST_P(AtomicTest, KeepsTheDeadlineOfAValueThatGrows) {
  ASSERT_TRUE(db_->put("a", "1", Expiry::at_ms(kStartMs + 10)));
  EXPECT_EQ(append(*db_, "a", "2").value(), 2U);
  EXPECT_EQ(deadline_ms("a"), kStartMs + 10);
  clock_.advance(10);
  EXPECT_EQ(append(*db_, "a", "3").value(), 1U) << "it has expired";
  EXPECT_EQ(read("a"), "3");
  EXPECT_EQ(deadline_ms("a"), Expiry::kNeverMs);
}

// A1: up to the limit of a value, over all its ways of being stored.
TEST_P(AtomicTest, HandlesValuesOfEveryLength) {
  std::string whole;
  const std::string part(97, 'p');
  while (whole.size() + part.size() <= kValueBytesMax) {
    const std::string before = whole;
    whole += part;
    ASSERT_EQ(append(*db_, "a", part).value(), whole.size());
    ASSERT_EQ(read("a"), whole);
    ASSERT_TRUE(put_if_absent(*db_, "b", whole).value());
    ASSERT_FALSE(compare_and_set(*db_, "b", before, "never").value());
    ASSERT_TRUE(compare_and_set(*db_, "b", whole, std::nullopt).value());
  }
  const std::size_t missing = kValueBytesMax - whole.size();
  const auto refused = append(*db_, "a", std::string(missing + 1, 'q'));
  ASSERT_EQ(code_of(refused), "InvalidArgument");
  EXPECT_EQ(refused.error().message(),
            "value of key \"a\" would have 4097 bytes, 0 to 4096 allowed");
  EXPECT_EQ(read("a"), whole);
  EXPECT_EQ(append(*db_, "a", std::string(missing, 'q')).value(), kValueBytesMax);
  EXPECT_TRUE(compare_and_set(*db_, "a", whole + std::string(missing, 'q'), "short").value());
  EXPECT_EQ(read("a"), "short");
}

TEST_P(AtomicTest, RefusesWhatIsOutsideTheLimits) {
  const std::string long_key(65, 'k');
  const std::string long_value(kValueBytesMax + 1, 'v');
  for (const std::string_view key : {std::string_view(), std::string_view(long_key)}) {
    EXPECT_EQ(code_of(put_if_absent(*db_, key, "1")), "InvalidArgument");
    EXPECT_EQ(code_of(compare_and_set(*db_, key, "1", "2")), "InvalidArgument");
    EXPECT_EQ(code_of(increment(*db_, key)), "InvalidArgument");
    EXPECT_EQ(code_of(append(*db_, key, "1")), "InvalidArgument");
  }
  EXPECT_EQ(code_of(put_if_absent(*db_, "a", long_value)), "InvalidArgument");
  EXPECT_EQ(code_of(compare_and_set(*db_, "a", "1", long_value)), "InvalidArgument");
  EXPECT_FALSE(compare_and_set(*db_, "a", long_value, "1").value()) << "none is so long";
  EXPECT_EQ(code_of(append(*db_, "a", long_value)), "InvalidArgument");
  EXPECT_EQ(read("a"), "-");
  ASSERT_TRUE(db_->close());
  EXPECT_EQ(code_of(put_if_absent(*db_, "a", "1")), "Closed");
  EXPECT_EQ(code_of(compare_and_set(*db_, "a", "1", "2")), "Closed");
  EXPECT_EQ(code_of(increment(*db_, "a")), "Closed");
  EXPECT_EQ(code_of(append(*db_, "a", "1")), "Closed");
}

// A transaction finds out about them as about any other write.
TEST_P(AtomicTest, ConflictsWithTransactionsAndNotWithItsOwnThread) {
  auto transaction = db_->begin();
  ASSERT_TRUE(transaction->lock("a"));
  ASSERT_TRUE(transaction->get("a").has_value());
  EXPECT_EQ(increment(*db_, "a").value(), 1) << "it waits for no lock";
  ASSERT_TRUE(transaction->put("a", "7"));
  EXPECT_EQ(code_of(transaction->commit()), "Conflict");
  EXPECT_EQ(read("a"), "1");
}

// C2: an answer at kDisk survives the power, and so does what it rests on.
TEST_P(AtomicTest, AnswersSurviveWhatTheirDurabilityNames) {
  if (GetParam() == Place::kMemory) return;  // It has no disk, or is the same once more.
  EXPECT_EQ(increment(*db_, "number", 5).value(), 5);
  lose_power();
  EXPECT_EQ(read("number"), "5");
  EXPECT_EQ(append(*db_, "text", std::string(1000, 't')).value(), 1000U);
  lose_power();
  EXPECT_EQ(read("text"), std::string(1000, 't'));
  EXPECT_TRUE(compare_and_set(*db_, "number", "5", std::nullopt).value());
  lose_power();
  EXPECT_EQ(read("number"), "-");

  const auto seen = [&](const auto& answer) {
    EXPECT_TRUE(db_->put("seen", "1", Expiry::never(), Durability::kProcess));
    EXPECT_FALSE(answer());
    lose_power();
    const std::string survived = read("seen");
    EXPECT_TRUE(db_->erase("seen").has_value());
    return survived;
  };
  EXPECT_EQ(seen([&] { return put_if_absent(*db_, "seen", "2").value(); }), "1");
  EXPECT_EQ(seen([&] { return compare_and_set(*db_, "seen", "2", "3").value(); }), "1");

  EXPECT_EQ(increment(*db_, "kept", 1).value(), 1);
  EXPECT_EQ(increment(*db_, "kept", 1, Durability::kProcess).value(), 2);
  disk_.crash_process();
  open();
  EXPECT_EQ(read("kept"), "2");
}

TEST_P(AtomicTest, CountsExactlyBesideThreads) {
  constexpr std::uint64_t kThreadCount = 8;
  const std::uint64_t round_count = testing::scaled(2000);
  run_in_threads(kThreadCount, [&](std::uint64_t thread) {
    // One of them waits for the disk each time.
    const Durability durability = thread == 0 ? Durability::kDisk : Durability::kProcess;
    std::int64_t last = 0;
    for (std::uint64_t i = 0; i < round_count; ++i) {
      const auto number = increment(*db_, "hot", 1, durability);
      ASSERT_TRUE(number.has_value()) << number.error().message();
      EXPECT_GT(*number, last);
      last = *number;
    }
  });
  EXPECT_EQ(read("hot"), std::to_string(kThreadCount * round_count));
}

// Plain writes come between all the time: each call is done all the same.
TEST_P(AtomicTest, GetsOnBesidePlainWritesOfTheSameKey) {
  std::atomic<bool> is_over{false};
  std::jthread writer([&] {
    while (!is_over) {
      EXPECT_TRUE(db_->put("a", "1000000", Expiry::never(), Durability::kProcess).has_value());
    }
  });
  run_in_threads(3, [&](std::uint64_t) {
    for (std::uint64_t i = 0; i < testing::scaled(60); ++i) {
      const auto number = increment(*db_, "a", 1, Durability::kProcess);
      EXPECT_TRUE(number.has_value()) << number.error().message();
    }
  });
  is_over = true;
}

// Every part is there once, whole, and those of one thread in their order.
TEST_P(AtomicTest, AppendsWholePartsBesideThreads) {
  constexpr std::uint64_t kThreadCount = 4;
  const std::uint64_t round_count = testing::scaled(200);
  run_in_threads(kThreadCount, [&](std::uint64_t thread) {
    for (std::uint64_t i = 0; i < round_count; ++i) {
      const std::string part = std::to_string(thread) + std::to_string(1000 + i);
      EXPECT_TRUE(append(*db_, "log", part, Durability::kProcess).has_value());
    }
  });
  const std::string all = read("log");
  ASSERT_EQ(all.size(), kThreadCount * round_count * 5);
  std::vector<std::uint64_t> next(kThreadCount, 1000);
  for (std::size_t at = 0; at < all.size(); at += 5) {
    const auto thread = static_cast<std::size_t>(all[at] - '0');
    ASSERT_LT(thread, kThreadCount);
    EXPECT_EQ(all.substr(at + 1, 4), std::to_string(next[thread]++));
  }
}

TEST_P(AtomicTest, LetsExactlyOnePutWhereNothingIs) {
  for (std::uint64_t round = 0; round < testing::scaled(60); ++round) {
    const std::string key = "key:" + std::to_string(round);
    std::atomic<int> winner_count{0};
    std::atomic<std::uint64_t> winner{0};
    run_in_threads(8, [&](std::uint64_t thread) {
      const auto is_mine =
          put_if_absent(*db_, key, std::to_string(thread), Expiry::never(), Durability::kProcess);
      ASSERT_TRUE(is_mine.has_value()) << is_mine.error().message();
      if (!*is_mine) return;
      ++winner_count;
      winner = thread;
    });
    ASSERT_EQ(winner_count, 1);
    EXPECT_EQ(read(key), std::to_string(winner));
  }
}

// A token that is taken and given back: never two have it. Its value is that of its last holder.
TEST_P(AtomicTest, HandsATokenRoundByComparing) {
  constexpr std::uint64_t kThreadCount = 4;
  const std::uint64_t round_count = testing::scaled(100);
  ASSERT_TRUE(db_->put("token", "free"));
  std::uint64_t taken_count = 0;  // Plain, so that a thread sanitizer sees two holders.
  run_in_threads(kThreadCount, [&](std::uint64_t thread) {
    const std::string mine = std::to_string(thread);
    for (std::uint64_t i = 0; i < round_count; ++i) {
      while (!compare_and_set(*db_, "token", "free", mine, Expiry::never(), Durability::kProcess)
                  .value()) {
        std::this_thread::yield();
      }
      ++taken_count;
      EXPECT_TRUE(
          compare_and_set(*db_, "token", mine, "free", Expiry::never(), Durability::kProcess)
              .value());
    }
  });
  EXPECT_EQ(taken_count, kThreadCount * round_count);
  EXPECT_EQ(read("token"), "free");
}

// Far above what lies inside of a `Value`; on disk it stands apart from its row.
TEST(Atomic, HandlesLargeValues) {
  db::EngineRig rig;
  auto db = rig.open({.memory_budget_bytes = std::size_t{64} << 20U}, {.has_background = false});
  ASSERT_TRUE(db.has_value()) << db.error().message();
  const std::string part(std::size_t{256} << 10U, 'p');
  std::string whole;
  for (int i = 0; i < 4; ++i) {
    whole += part;
    ASSERT_EQ(append(*db, "a", part, Durability::kProcess).value(), whole.size());
  }
  EXPECT_EQ(code_of(append(*db, "a", "1")), "InvalidArgument") << "1 MiB is the limit";
  EXPECT_EQ(std::string(db->get("a").value()->view()), whole);
  std::string other = whole;
  other.back() = 'q';
  EXPECT_FALSE(compare_and_set(*db, "a", other, "short").value());
  EXPECT_TRUE(compare_and_set(*db, "a", whole, other).value());
  EXPECT_FALSE(put_if_absent(*db, "a", whole).value());
  EXPECT_EQ(code_of(increment(*db, "a")), "InvalidArgument");
  EXPECT_EQ(std::string(db->get("a").value()->view()), other);
}

}  // namespace
}  // namespace ashlar
