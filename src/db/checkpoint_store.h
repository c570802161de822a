/// \file
/// The checkpoints of a directory: which one counts, and how a new one takes its place.
///
/// A checkpoint is written under a name that does not count, made durable, and renamed; the one
/// before is removed only after that.
///
/// Invariants:
///   K4  Once there has been a checkpoint, at every moment and after every power cut the newest
///       name leads to a whole file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "engine/log_place.h"
#include "memory/checkpoint/checkpoint_file.h"
#include "memory/checkpoint/checkpoint_reader.h"
#include "os/file.h"

namespace ashlar::db {

/// The name of a checkpoint: "0000000042.checkpoint".
std::string checkpoint_name(std::uint64_t number);

/// Returns: nullopt when `name` is not that of a checkpoint
std::optional<std::uint64_t> checkpoint_number(std::string_view name);

/// Of the one that is being written. It counts for nothing.
inline constexpr std::string_view kUnfinishedCheckpoint = "unfinished";

/// Threads: externally synchronised.
class CheckpointStore {
 public:
  /// Lifetime: `disk` must outlive it.
  CheckpointStore(os::Disk& disk, std::string directory)
      : disk_(disk), directory_(std::move(directory)) {}

  /// Finds the newest checkpoint and removes what an earlier process left unfinished.
  ///
  /// Errors: kIo
  Result<void> open();

  /// Hands the rows of the newest checkpoint to `visit`, as `memory::read_checkpoint` does. Older
  /// ones are removed once it has proved good, and not before.
  ///
  /// Returns: nullopt when there is none
  /// Errors:  kCorruption  it is damaged; kIo; those of `visit`
  Result<std::optional<memory::CheckpointReport>> load(
      const std::function<Result<void>(std::string_view payload)>& visit);

  /// Begins a new one.
  ///
  /// Errors: kIo, kOutOfSpace
  Result<std::unique_ptr<memory::CheckpointWriter>> begin(const engine::LogPlace& origin,
                                                          std::int64_t moment_ms);

  /// Puts the one that was begun, and is finished, in the place of the newest.
  ///
  /// Errors: kIo
  Result<void> install();

  /// The path of the newest, of which there is one.
  std::string newest_path() const;

  /// Gives the space of the one that was begun, and failed, back to the disk.
  void give_up();

 private:
  Result<void> remove_older();
  std::string path_of(std::uint64_t number) const {
    return directory_ + "/" + checkpoint_name(number);
  }
  std::string unfinished_path() const {
    return directory_ + "/" + std::string(kUnfinishedCheckpoint);
  }

  os::Disk& disk_;
  const std::string directory_;
  std::uint64_t newest_ = 0;  // 0: there is none.
};

}  // namespace ashlar::db
