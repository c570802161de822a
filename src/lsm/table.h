/// \file
/// A table as versions see it: what is known of it without reading it, and how long its file lives.
///
/// The seam between the lists of tables and the tables themselves. Versions, plans and manifests
/// know `Table` only; what reads a table derives from it and adds the open file:
///
///     class OpenTable final : public Table {
///       ~OpenTable() override;  // Closes, and removes the file if `is_obsolete()`.
///     };
///
/// A table is made once, when it has been written or found in the manifest, and shared by all
/// versions that hold it. Who makes a version without it durable marks it obsolete; the file goes
/// with the last version, which may be that of a snapshot held for long.
///
/// Invariants:
///   V13  A file is removed only when its table was marked obsolete and nobody holds it any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "base/ref.h"
#include "engine/operation.h"

namespace ashlar::lsm {

/// What a table tells about itself.
struct TableInfo {
  std::uint64_t number = 0;  ///< That of its file; never used twice in a directory.

  /// Among tables that overlap in level 0: the larger is the newer, and no two are equal.
  std::uint64_t age_rank = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t row_count = 0;       ///< At least 1; erases are rows.
  std::uint64_t erase_count = 0;     ///< Of the rows.
  std::uint64_t expiring_count = 0;  ///< Of the rows: puts that have a deadline.
  engine::TimeMs earliest_deadline_ms = engine::kNever;  ///< kNever when no row has one.
  std::string smallest = {};                             ///< The first key.
  std::string largest = {};                              ///< The last key.

  bool operator==(const TableInfo&) const = default;

  bool overlaps(std::string_view from, std::string_view to) const noexcept {
    return smallest <= to && from <= largest;
  }

  /// Whether the figures fit together.
  ///
  /// Errors: kCorruption  they do not: says which, and not of which table
  Result<void> validate() const;
};

/// Threads: immutable but for what is atomic: the mark, and how far it was told.
class Table : public base::Counted {
 public:
  /// Input: info  one that is valid (asserted)
  explicit Table(TableInfo info);
  ~Table() override = default;

  const TableInfo& info() const noexcept { return info_; }

  /// Lets the file go with the last owner (V13). Called once a manifest without the table is
  /// durable.
  ///
  /// Relaxed: whoever destroys the table comes after all who had a reference, this caller among
  /// them, by the count of references.
  void mark_obsolete() const noexcept { is_obsolete_.store(true, std::memory_order_relaxed); }
  bool is_obsolete() const noexcept { return is_obsolete_.load(std::memory_order_relaxed); }

  /// Where a log is to hear of rows that expire (engine/tell.cc): every row with an earlier
  /// deadline was told of, or is not the newest of its key. Not kept over openings.
  engine::TimeMs untold_ms() const noexcept { return untold_ms_.load(std::memory_order_acquire); }

  /// All rows with a deadline before `untold_ms` were looked at. By one at a time.
  ///
  /// Release, and acquire above: whoever lets such rows go finds the ones that hide them.
  void note_told(engine::TimeMs untold_ms) const noexcept {
    untold_ms_.store(untold_ms, std::memory_order_release);
  }

 private:
  const TableInfo info_;
  mutable std::atomic<bool> is_obsolete_{false};
  mutable std::atomic<engine::TimeMs> untold_ms_;
};

using TableRef = base::Ref<const Table>;

}  // namespace ashlar::lsm
