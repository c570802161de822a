// The catalog, the tables that the disk engine writes and the ledger of values, with bugs that can
// be switched on. What stands here is all that catalog.cc, table_output.cc and value_ledger.cc
// define: see plants.cc.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "lsm/engine/catalog.h"
#include "lsm/table_output.h"
#include "lsm/values/value_ledger.h"
#include "os/file.h"
#include "plants.h"

namespace {

enum class Bug : std::uint8_t {
  kNone,
  kEarlyRemoval,  ///< Tables that were merged go before the manifest without them is there (V31).
  kOldPlace,      ///< A manifest has the place in the log of the one before, as if nothing of the
                  ///< log were in tables, and what is gets let go of (V33).
  kErasesGone,    ///< Every output drops its erases, also above older rows (V11).
  kForgottenValues,  ///< Nobody knows that tables refer to values, whose segments are used again
                     ///< (V42).
};

Bug planted = Bug::kNone;

}  // namespace

// The last step before the manifest is put together.
#define next_number()                                                   \
  next_number();                                                        \
  if (planted == Bug::kOldPlace) next.log_place = newest_.log_place;    \
  if (planted == Bug::kEarlyRemoval) {                                  \
    for (const TableRef& table : tables_lost(*before->version, edit)) { \
      tables_->give_up(table->info().number);                           \
    }                                                                   \
  }
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "lsm/engine/catalog.cc"
#undef next_number

#define is_bottom_most is_bottom_most | (planted == Bug::kErasesGone)
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "lsm/table_output.cc"
#undef is_bottom_most

#define contains(first) contains(first) && planted != Bug::kForgottenValues
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "lsm/values/value_ledger.cc"
#undef contains

namespace ashlar::crash {

bool plant_table_bug(std::string_view name) {
  static const std::map<std::string, Bug, std::less<>> bugs = {
      {"early-removal", Bug::kEarlyRemoval},
      {"old-place", Bug::kOldPlace},
      {"erases-gone", Bug::kErasesGone},
      {"forgotten-values", Bug::kForgottenValues},
  };
  const auto found = bugs.find(name);
  if (found == bugs.end()) return false;
  planted = found->second;
  return true;
}

}  // namespace ashlar::crash
