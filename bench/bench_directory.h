/// \file
/// A place on disk for a store under test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace ashlar::bench {

/// A directory beside the results of the bench, empty at first and gone in the end. What a run that
/// was killed left behind goes when the next one makes a directory of the same name.
class BenchDirectory {
 public:
  explicit BenchDirectory(std::string_view name)
      : path_(std::filesystem::path("build") / "bench" / "data" / name) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  BenchDirectory(const BenchDirectory&) = delete;
  BenchDirectory& operator=(const BenchDirectory&) = delete;
  ~BenchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace ashlar::bench
