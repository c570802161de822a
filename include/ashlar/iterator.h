/// \file
/// Ordered walks over a range of keys.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ashlar/result.h"

namespace ashlar {

class Transaction;

namespace engine {
class Cursor;
}

/// Which keys a scan covers, in the order of their bytes (unsigned, shorter first).
struct Range {
  std::string from;               ///< The first key that belongs to it. Empty: from the very first.
  std::optional<std::string> to;  ///< The first key beyond it. Absent: up to the very last.

  /// Every key.
  static Range all() { return {}; }

  /// The keys that begin with `prefix`. An empty one means every key.
  static Range prefix(std::string_view prefix);
};

/// Walks the keys of a range forward and backward, at one snapshot: what is written after
/// the scan was opened is not seen.
///
/// A new iterator stands nowhere: seek first. Stepping over either end makes it invalid; a seek
/// makes it valid again. A failure makes it invalid too, and `status` then says why.
///
///     ASHLAR_TRY_ASSIGN(auto rows, db.scan(Range::prefix("user:")));
///     for (rows.seek_to_first(); rows.is_valid(); rows.next()) use(rows.key(), rows.value());
///     ASHLAR_TRY(rows.status());
///
/// Cost:     rows are fetched ahead in groups, so a step is a few instructions; a seek is a descent
///           of the ordered side and one group of reads. While it lives it holds a snapshot.
/// Threads:  externally synchronised.
/// Lifetime: must not outlive its `Db`, nor the `Snapshot` it was opened at.
class Iterator {
 public:
  Iterator(Iterator&& other) noexcept;
  Iterator& operator=(Iterator&& other) noexcept;
  Iterator(const Iterator&) = delete;
  Iterator& operator=(const Iterator&) = delete;
  ~Iterator();

  /// Stands on the first or the last key of the range, or becomes invalid when it is empty.
  void seek_to_first();
  void seek_to_last();

  /// Stands on the first key of the range at or after `key`.
  void seek(std::string_view key);

  /// Stands on the last key of the range at or before `key`.
  void seek_for_previous(std::string_view key);

  /// Steps to the neighbour. The iterator must be valid (asserted).
  void next();
  void previous();

  bool is_valid() const noexcept;

  /// The row stood on. The iterator must be valid (asserted).
  ///
  /// Lifetime: the views die with the next call that is not const.
  std::string_view key() const noexcept;
  std::string_view value() const noexcept;

  /// Whether everything went well since the last seek.
  ///
  /// Errors: kOutOfSpace  memory for the ordered side or for a group of rows could not be had. The
  ///         database cannot be closed under a scan: `Db::close` fails while an iterator lives.
  ///         kIo, kCorruption  of the disk engine: a row could not be read, or a large value when
  ///         it was asked for; that was then empty, and the next step makes the iterator invalid
  Result<void> status() const;

 private:
  friend class Db;
  friend class Transaction;
  explicit Iterator(std::unique_ptr<engine::Cursor> cursor) noexcept;

  std::unique_ptr<engine::Cursor> cursor_;  // Null only in a moved-from iterator.
};

}  // namespace ashlar
