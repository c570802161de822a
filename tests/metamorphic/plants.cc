// Scans of the disk engine and what its compactions write, with bugs that can be switched
// on. What stands here is all that scan.cc and table_output.cc define, so the linker takes
// none of them from the library.

#include "plants.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "engine/merging_cursor.h"
#include "engine/visible_cursor.h"
#include "lsm/engine/engine_core.h"
#include "lsm/level_cursor.h"
#include "lsm/table_cursor.h"
#include "lsm/table_output.h"

namespace {

enum class Bug : std::uint8_t {
  kNone,
  kMergeOrder,  ///< A scan takes the oldest of several rows of a key for the newest.
  kErasesGone,  ///< A compaction drops erases that hide rows further down.
};

Bug planted = Bug::kNone;

}  // namespace

namespace ashlar::engine {

/// What scan.cc makes of its sources.
class MergingCursorOrNot final : public RowCursor {
 public:
  explicit MergingCursorOrNot(std::vector<std::unique_ptr<RowCursor>> sources)
      : rows_(in_order(std::move(sources))) {}

  void seek_to_first() override { rows_.seek_to_first(), show(rows_.row()); }
  void seek_to_last() override { rows_.seek_to_last(), show(rows_.row()); }
  void seek(std::string_view key) override { rows_.seek(key), show(rows_.row()); }
  void seek_for_previous(std::string_view key) override {
    rows_.seek_for_previous(key), show(rows_.row());
  }
  void next() override { rows_.next(), show(rows_.row()); }
  void previous() override { rows_.previous(), show(rows_.row()); }
  Result<void> status() const override { return rows_.status(); }

 private:
  static std::vector<std::unique_ptr<RowCursor>> in_order(
      std::vector<std::unique_ptr<RowCursor>> sources) {
    if (planted == Bug::kMergeOrder) std::ranges::reverse(sources);
    return sources;
  }

  MergingCursor rows_;
};

}  // namespace ashlar::engine

#define MergingCursor MergingCursorOrNot
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "lsm/engine/scan.cc"
#undef MergingCursor

// With the bug every output is taken for one that has nothing below it.
#define is_bottom_most is_bottom_most | (planted == Bug::kErasesGone)
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "lsm/table_output.cc"
#undef is_bottom_most

namespace ashlar::metamorphic {

bool plant_bug(std::string_view name) {
  static const std::map<std::string, Bug, std::less<>> bugs = {
      {"", Bug::kNone},
      {"merge-order", Bug::kMergeOrder},
      {"erases-gone", Bug::kErasesGone},
  };
  const auto found = bugs.find(name);
  if (found == bugs.end()) return false;
  planted = found->second;
  return true;
}

}  // namespace ashlar::metamorphic
