/// \file
/// An ordered walk over the runs of a memtable, as one sequence sees them.
///
/// Runs have no key in common (N8), so a source that is not in front stands between two keys of its
/// own: to turn round it takes one step, and nothing is searched again.
///
/// Invariants:
///   N9  Every source stands at its first key at or after the cursor's while it walks forward, at
///       its last at or before it while it walks backward, or is at its end; sources stand in the
///       order of their keys in that direction, those at their ends last.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/row_cursor.h"
#include "lsm/memtable/ordered_side.h"
#include "lsm/memtable/record.h"

namespace ashlar::lsm {

/// Shows each key that has a version at or below the sequence, with the newest of those.
///
/// Cost:     a step advances one source and compares its key with one or two others; no store to
///           anything shared
/// Threads:  externally synchronised.
/// Lifetime: must not outlive the memtable; keys and values are good as long as that lives.
class MemtableCursor final : public engine::RowCursor {
 public:
  /// Errors: throws bad_alloc
  MemtableCursor(const Records& records, std::shared_ptr<const RunSet> set, Sequence sequence);

  void seek_to_first() override;
  void seek_to_last() override;
  void seek(std::string_view key) override;
  void seek_for_previous(std::string_view key) override;
  void next() override;
  void previous() override;

  /// All that can fail has been done before there is a cursor.
  Result<void> status() const override { return {}; }

  /// Aborts when an invariant is broken.
  void check() const;

 private:
  enum class Direction : std::uint8_t { kForward, kBackward };

  /// A run and where the cursor is in it.
  struct Source {
    const KeyRun* run;
    std::size_t index = 0;          // Any above the last: at its end. One before the first is such.
    const KeyNode* node = nullptr;  // What is there; null at the end.
  };

  void place(Source& source, std::size_t index) const noexcept;
  void advance(Source& source) const noexcept;
  bool is_before(const Source& one, const Source& other) const noexcept;
  void sift_first() noexcept;
  void start(Direction direction) noexcept;
  void settle() noexcept;
  void step(Direction direction) noexcept;

  const Records& records_;
  const std::shared_ptr<const RunSet> set_;
  const Sequence sequence_;
  std::vector<Source> sources_;
  Direction direction_ = Direction::kForward;
  engine::StoredRow at_;  // The first source's key, in the version that is seen.
};

}  // namespace ashlar::lsm
