/// \file
/// A place on disk for one test.
#pragma once

#include <filesystem>

namespace ashlar::testing {

/// A new, empty directory, removed with all its content when this object goes.
///
/// Threads: immutable.
class TemporaryDirectory {
 public:
  /// Aborts when the system has no room for it: no test can go on without.
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace ashlar::testing
