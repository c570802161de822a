/// \file
/// A disk that hands every call to another: what stands between a program and its disk changes the
/// calls that it cares about and inherits the rest.
#pragma once

#include <string>
#include <vector>

#include "os/disk.h"

namespace ashlar::testing {

/// Threads:  those of the disk below.
/// Lifetime: the disk below must outlive it.
class ForwardingDisk : public os::Disk {
 public:
  explicit ForwardingDisk(os::Disk& below) noexcept : below_(below) {}

  Handle open(const std::string& path, os::OpenMode mode) override {
    return below_.open(path, mode);
  }
  int close(Handle handle) override { return below_.close(handle); }
  ssize_t read(Handle handle, char* to, std::size_t bytes, std::uint64_t offset) override {
    return below_.read(handle, to, bytes, offset);
  }
  ssize_t write(Handle handle, const char* from, std::size_t bytes, std::uint64_t offset) override {
    return below_.write(handle, from, bytes, offset);
  }
  int sync(Handle handle) override { return below_.sync(handle); }
  std::int64_t size(Handle handle) override { return below_.size(handle); }
  int allocate(Handle handle, std::uint64_t bytes, os::NewSpace space) override {
    return below_.allocate(handle, bytes, space);
  }
  int truncate(Handle handle, std::uint64_t bytes) override {
    return below_.truncate(handle, bytes);
  }
  int map(Handle handle, std::size_t bytes, char** address) override {
    return below_.map(handle, bytes, address);
  }
  int unmap(char* address, std::size_t bytes) override { return below_.unmap(address, bytes); }
  int lock(Handle handle, os::LockMode mode) override { return below_.lock(handle, mode); }
  int rename(const std::string& from, const std::string& to) override {
    return below_.rename(from, to);
  }
  int remove(const std::string& path) override { return below_.remove(path); }
  int link(const std::string& from, const std::string& to) override {
    return below_.link(from, to);
  }
  int make_directory(const std::string& path) override { return below_.make_directory(path); }
  int sync_directory(const std::string& path) override { return below_.sync_directory(path); }
  int list(const std::string& path, std::vector<std::string>& names) override {
    return below_.list(path, names);
  }

 private:
  os::Disk& below_;
};

}  // namespace ashlar::testing
