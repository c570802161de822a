/// \file
/// Histories on disk: each session writes a file of its own, so that a process that is killed
/// leaves what its threads did. Lines: history_text.h.
///
/// What a session did is in its file before it asks to commit, the outcome as soon as it is known.
/// A file whose last transaction asked to commit and tells no outcome says so: it is kUnknown. One
/// that never asked counts as aborted, and what of it was not written yet is not in the history:
/// who saw that nevertheless saw a value that nobody wrote, which is an anomaly just as well.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ashlar/result.h"
#include "os/file.h"
#include "testing/isolation/transaction_history.h"

namespace ashlar::testing {

/// Records the transactions of one session.
///
/// Calls come as begin, operations, then committing and end, or end with kAborted alone.
///
/// Threads:  confined to the thread of its session.
/// Lifetime: the disk must outlive it.
class HistoryWriter {
 public:
  /// Makes the file `path`.
  ///
  /// Errors: kUnavailable  there is one already; kIo, kOutOfSpace  as os/file.h has them
  static Result<HistoryWriter> create(os::Disk& disk, const std::string& path);

  void begin(std::uint64_t stamp);
  void add(const Operation& operation);

  /// Call it right before the commit. Errors: kIo, kOutOfSpace. Cost: one write to the page cache.
  Result<void> committing();

  /// Call it right after the outcome is known. Errors and cost: those of `committing`.
  Result<void> end(Outcome outcome, std::uint64_t stamp);

 private:
  enum class State : std::uint8_t { kOutside, kRunning, kCommitting };

  explicit HistoryWriter(std::unique_ptr<os::File> file) noexcept;
  Result<void> flush();

  std::unique_ptr<os::File> file_;  // Null only when moved from.
  std::uint64_t bytes_written_ = 0;
  std::string pending_;
  State state_ = State::kOutside;
};

/// Whose a file is, and by when all of it had ended.
struct SessionFile {
  std::string path;
  std::uint32_t session = 0;
  /// A stamp drawn after its process was gone; the end of what has none.
  std::uint64_t ended_by = kNeverEnded;
};

/// Adds what is in `file` to `history`. A last line that was not written whole is left out.
///
/// Errors: kCorruption  a whole line is not what a writer writes: the message names file and line
///         kInvalidArgument  there is no such file, or TransactionHistory::add refuses; kIo
Result<void> read_history(os::Disk& disk, const SessionFile& file, TransactionHistory& history);

}  // namespace ashlar::testing
