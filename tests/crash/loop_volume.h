/// \file
/// A real file system on a loop device, whose power can be cut: made for the campaign `powercut`,
/// by root only.
///
/// Nothing is left behind, however the process ends: the image has no name once it is attached, the
/// device is let go with its last use, and what is mounted is so in a mount namespace of this
/// process alone.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "ashlar/result.h"
#include "testing/temporary_directory.h"

namespace ashlar::crash {

/// Threads: confined.
class LoopVolume {
 public:
  /// Makes an empty file system of `type`, "ext4" or "xfs", and mounts it.
  ///
  /// Errors: kUnavailable  this machine or user cannot have one: says what is missing
  static Result<std::unique_ptr<LoopVolume>> make(const std::string& type);
  ~LoopVolume();
  LoopVolume(const LoopVolume&) = delete;
  LoopVolume& operator=(const LoopVolume&) = delete;

  /// Where it is mounted.
  const std::filesystem::path& path() const noexcept { return mount_point_.path(); }

  /// The power goes: the file system writes nothing any more, not even its journal.
  ///
  /// Errors: kIo
  Result<void> cut_power();

  /// Mounts it again after a cut. No file on it may be open.
  ///
  /// Errors: kIo
  Result<void> remount();

 private:
  explicit LoopVolume(std::string type) : type_(std::move(type)) {}

  Result<void> attach();
  Result<void> format() const;
  Result<void> mount();
  Result<void> unmount();

  const std::string type_;
  const testing::TemporaryDirectory mount_point_;
  int device_ = -1;
  std::string device_path_;
  bool is_mounted_ = false;
};

}  // namespace ashlar::crash
