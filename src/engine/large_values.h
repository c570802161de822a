/// \file
/// Where an engine finds the values that stand in the log and not in its rows: behind this are the
/// log, and the pieces of it that are kept since rows refer to them (value_reference.h).
///
/// Invariants:
///   V41  As long as somebody refers to a piece, or may read from it, none of its bytes is changed
///        or removed: who keeps pieces asks the referrer before one goes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ashlar/result.h"

namespace ashlar::engine {

/// Consecutive bytes of the log that are in one file, and go together.
struct ValuePiece {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  bool is_kept = false;  ///< No part of the log any more: it is there for those who refer to it.

  bool operator==(const ValuePiece&) const = default;
};

/// Who knows which pieces are needed.
///
/// Threads: thread-safe.
class ValueReferrer {
 public:
  ValueReferrer() = default;
  ValueReferrer(const ValueReferrer&) = delete;
  ValueReferrer& operator=(const ValueReferrer&) = delete;

  /// Whether a value may be read from `piece`, by anyone. One that nobody refers to is never
  /// referred to again.
  virtual bool refers_to(const ValuePiece& piece) const = 0;

 protected:
  ~ValueReferrer() = default;
};

/// Threads: thread-safe.
class LargeValues {
 public:
  LargeValues() = default;
  LargeValues(const LargeValues&) = delete;
  LargeValues& operator=(const LargeValues&) = delete;

  /// Fills `to` with the bytes from `position` on. Whether they are the right ones is for the
  /// caller to prove (V40 of value_reference.h).
  ///
  /// Errors: kCorruption  no file has them, or it ends before them: names it
  ///         kIo
  /// Cost:   a short lock; a read of the disk unless the page cache has them
  virtual Result<void> read(std::uint64_t position, std::span<char> to) const = 0;

  /// All pieces there are, ascending; what was appended is in one of them.
  ///
  /// Cost: for those who write tables, not for those who read values
  virtual std::vector<ValuePiece> pieces() const = 0;

  /// The file and the offset in it at which `position` lies, for messages: "PATH at 4096".
  virtual std::string place_of(std::uint64_t position) const = 0;

  /// Removes the pieces that are kept and that the referrer does not refer to.
  ///
  /// Errors: kIo  some may be left: it can be called again
  virtual Result<void> drop_unreferred() = 0;

 protected:
  ~LargeValues() = default;
};

}  // namespace ashlar::engine
