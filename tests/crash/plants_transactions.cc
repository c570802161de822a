// What transactions read, are told of and validate, with bugs that can be switched on. What stands
// here is all that conflicts.cc, announcement.cc and transaction.cc define: see plants.cc.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ashlar/transaction.h"
#include "base/assert.h"
#include "db/impl.h"
#include "engine/view.h"
#include "plants.h"
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
};

Bug planted = Bug::kNone;

/// `kMoment | view` is the moment of a read: `view`, or with the bug that of now.
enum class Moment : std::uint8_t { kMoment };
using enum Moment;

ashlar::engine::View operator|(Moment, const ashlar::engine::View& view) {
  return planted == Bug::kNewestReads ? ashlar::engine::kLatest : view;
}

}  // namespace

// The first thing that is done with an operation that is announced.
#define prefetch(slot) \
  prefetch(slot);      \
  if (planted == Bug::kSinglePuts && operations.size() == 1) return
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "txn/conflicts.cc"
#undef prefetch

#define any_of(...) any_of(__VA_ARGS__) && planted != Bug::kRanges
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "txn/announcement.cc"
#undef any_of

#define get(key, ...) get(key __VA_OPT__(, kMoment |) __VA_ARGS__)
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "db/transaction/transaction.cc"
#undef get

namespace ashlar::crash {

bool plant_transaction_bug(std::string_view name) {
  static const std::map<std::string, Bug, std::less<>> bugs = {
      {"single-puts", Bug::kSinglePuts},
      {"ranges", Bug::kRanges},
      {"newest-reads", Bug::kNewestReads},
  };
  const auto found = bugs.find(name);
  if (found == bugs.end()) return false;
  planted = found->second;
  return true;
}

}  // namespace ashlar::crash
