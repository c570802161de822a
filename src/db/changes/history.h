/// \file
/// The segments that the log has given up and that are kept for those who follow changes, or go
/// back to a moment: in the folder `history/`, under the names that they had.
///
///     log/0000000007.log  --link, sync-->  history/0000000007.log  -->  removed when it is too old
///
/// A segment is linked there before its name in the log goes; after a crash it may have both. The
/// log never uses again what has a name here. Where the file system has no links it is copied.
///
/// Invariants:
///   J5  What is in the folder is segments of the log at hand, without a gap up to those that the
///       log still has, once the log is open with something to keep. The oldest go first.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "ashlar/result.h"
#include "base/thread_safety.h"
#include "engine/operation.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/disk.h"

namespace ashlar::db {

/// How much is kept.
struct HistoryLimits {
  std::uint64_t bytes_max = 0;    ///< Of files; 0: nothing.
  engine::TimeMs age_ms_max = 0;  ///< What is older may go; 0: whatever its age.
};

/// Threads:  thread-safe once it is attached.
/// Lifetime: the disk and the clock must outlive it.
class History final : public log::SegmentHeir {
 public:
  struct World {
    os::Disk& disk;
    const os::Clock& clock;
    std::string log_folder;
    std::string folder;                ///< Made when there is something to keep.
    log::SegmentHeir* next = nullptr;  ///< Asked as well, behind this one; null: nobody.
  };

  History(World world, const HistoryLimits& limits);

  /// Finds what is kept and removes what is not of this log, or is too much. Where nothing is to be
  /// kept, what is there stays as it is. Before the log gives up anything.
  ///
  /// Errors: kIo
  Result<void> attach(log::LogId log_id, std::uint64_t first_number);

  Result<bool> take(const log::SegmentHeader& header, const std::string& path) override;

  /// What the files take.
  std::uint64_t bytes() const;

 private:
  /// A segment that is kept.
  struct Kept {
    std::uint64_t number = 0;
    std::uint64_t file_bytes = 0;
    engine::TimeMs begin_ms = 0;  ///< When the first commit was made that begins in it.
  };

  std::string path_of(std::uint64_t number) const;
  Result<std::optional<Kept>> look_at(std::uint64_t number, log::LogId log_id) const;
  Result<bool> keep(const log::SegmentHeader& header, const std::string& path)
      ASHLAR_REQUIRES(mutex_);
  Result<void> drop_old() ASHLAR_REQUIRES(mutex_);
  bool is_oldest_too_much() const ASHLAR_REQUIRES(mutex_);

  const World world_;
  const HistoryLimits limits_;

  mutable base::Mutex mutex_;
  std::deque<Kept> kept_ ASHLAR_GUARDED_BY(mutex_);  // Ascending, without a gap.
  std::uint64_t bytes_ ASHLAR_GUARDED_BY(mutex_) = 0;
};

}  // namespace ashlar::db
