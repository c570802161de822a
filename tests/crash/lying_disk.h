/// \file
/// A disk that does not keep its promises: the planted bugs of the campaigns on a simulated disk.
/// To the database it looks as if it had forgotten a sync.
#pragma once

#include <string>
#include <vector>

#include "os/disk.h"

namespace ashlar::crash {

enum class Lie : std::uint8_t {
  kNone,
  kDurableWrites,  ///< Writes that should be durable when they return are not.
  kNames,          ///< Directories are never made durable.
  kSync,           ///< Files are not made durable by a sync.
};

class LyingDisk final : public os::Disk {
 public:
  LyingDisk(os::Disk& below, Lie lie) noexcept : below_(below), lie_(lie) {}

  Handle open(const std::string& path, os::OpenMode mode) override {
    const bool is_weakened = lie_ == Lie::kDurableWrites && mode == os::OpenMode::kDurable;
    return below_.open(path, is_weakened ? os::OpenMode::kReadWrite : mode);
  }
  int close(Handle handle) override { return below_.close(handle); }
  ssize_t read(Handle handle, char* to, std::size_t bytes, std::uint64_t offset) override {
    return below_.read(handle, to, bytes, offset);
  }
  ssize_t write(Handle handle, const char* from, std::size_t bytes, std::uint64_t offset) override {
    return below_.write(handle, from, bytes, offset);
  }
  int sync(Handle handle) override { return lie_ == Lie::kSync ? 0 : below_.sync(handle); }
  std::int64_t size(Handle handle) override { return below_.size(handle); }
  int allocate(Handle handle, std::uint64_t bytes) override {
    return below_.allocate(handle, bytes);
  }
  int truncate(Handle handle, std::uint64_t bytes) override {
    return below_.truncate(handle, bytes);
  }
  int map(Handle handle, std::size_t bytes, char** address) override {
    return below_.map(handle, bytes, address);
  }
  int unmap(char* address, std::size_t bytes) override { return below_.unmap(address, bytes); }
  int lock(Handle handle) override { return below_.lock(handle); }
  int rename(const std::string& from, const std::string& to) override {
    return below_.rename(from, to);
  }
  int remove(const std::string& path) override { return below_.remove(path); }
  int make_directory(const std::string& path) override { return below_.make_directory(path); }
  int sync_directory(const std::string& path) override {
    return lie_ == Lie::kNames ? 0 : below_.sync_directory(path);
  }
  int list(const std::string& path, std::vector<std::string>& names) override {
    return below_.list(path, names);
  }

 private:
  os::Disk& below_;
  const Lie lie_;
};

}  // namespace ashlar::crash
