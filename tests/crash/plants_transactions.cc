// What transactions read, are told of and validate, with bugs that can be switched on. What stands
// here is all that conflicts.cc, announcement.cc and transaction/impl.cc define: see plants.cc.

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "ashlar/transaction.h"
#include "base/assert.h"
#include "db/impl.h"
#include "engine/view.h"
#include "plants.h"
#include "testing/random.h"
#include "txn/announcement.h"
#include "txn/conflicts.h"
#include "txn/overlay_cursor.h"
#include "txn/read_set.h"
#include "txn/write_set.h"

namespace {

enum class Bug : std::uint8_t {
  kNone,
  kSinglePuts,   ///< A write of one key outside of transactions tells nobody (X1).
  kRanges,       ///< No write counts as one into a range that was scanned.
  kNewestReads,  ///< A transaction reads keys as they are now, not as they were at its snapshot.
  kHesitation,   ///< None: threads pause between the steps on whose order conflict_table.h builds.
};

Bug planted = Bug::kNone;

/// A place where others may come between, and must do no harm.
void hesitate() {
  constexpr std::uint64_t kEvery = 16;
  constexpr int kYields = 8;
  static std::atomic<std::uint64_t> stream_count{0};
  if (planted != Bug::kHesitation) return;
  thread_local ashlar::testing::Random random(1, stream_count.fetch_add(1));
  if (random.below(kEvery) != 0) return;
  for (int i = 0; i < kYields; ++i) std::this_thread::yield();
}

/// `kMoment | view` is the moment of a read: `view`, or with the bug that of now.
enum class Moment : std::uint8_t { kMoment };
using enum Moment;

ashlar::engine::View operator|(Moment, const ashlar::engine::View& view) {
  return planted == Bug::kNewestReads ? ashlar::engine::kLatest : view;
}

/// `answer % kThenHesitate` is the answer, a moment later.
enum class Then : std::uint8_t { kThenHesitate };
using enum Then;

template <typename Answer>
Answer operator%(Answer answer, Then) {
  hesitate();
  return answer;
}

}  // namespace

// The first thing that is done with an operation that is announced; the announcement itself; and
// the first step of ceasing to tell.
#define prefetch(slot) \
  prefetch(slot);      \
  hesitate();          \
  if (planted == Bug::kSinglePuts && operations.size() == 1) return
#define announce(...)    \
  announce(__VA_ARGS__); \
  hesitate()
#define try_lock() try_lock() || (hesitate(), false)
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "txn/conflicts.cc"
#undef try_lock
#undef announce
#undef prefetch

// What comes before the validation of keys.
#define prefetch(slot) prefetch((hesitate(), slot))
#define any_of(...) any_of(__VA_ARGS__) && planted != Bug::kRanges
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "txn/announcement.cc"
#undef any_of
#undef prefetch

#define acquire_snapshot() acquire_snapshot() % kThenHesitate
#define get(key, ...) get(key __VA_OPT__(, kMoment |) __VA_ARGS__)
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "db/transaction/impl.cc"
#undef get
#undef acquire_snapshot

namespace ashlar::crash {

bool plant_transaction_bug(std::string_view name) {
  static const std::map<std::string, Bug, std::less<>> bugs = {
      {"single-puts", Bug::kSinglePuts},
      {"ranges", Bug::kRanges},
      {"newest-reads", Bug::kNewestReads},
      {"hesitation", Bug::kHesitation},
  };
  const auto found = bugs.find(name);
  if (found == bugs.end()) return false;
  planted = found->second;
  return true;
}

}  // namespace ashlar::crash
