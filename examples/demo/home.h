/// \file
/// The directory that the database of the demo lives in: a temporary one that goes in the end, or
/// one that the user named and keeps.
#pragma once

#include <cstdint>
#include <string>

#include "ashlar/result.h"

namespace demo {

class Home {
 public:
  /// Makes the directory: `wanted`, or a temporary one when that is empty.
  ///
  /// Errors: kIo               it cannot be made
  ///         kInvalidArgument  `wanted` is there already and not empty
  static ashlar::Result<Home> make(const std::string& wanted);
  Home(Home&& other) noexcept;
  Home& operator=(Home&& other) = delete;
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  ~Home();

  const std::string& path() const { return path_; }
  bool is_kept() const { return is_kept_; }

  /// Bytes of the files in the part `part` of the database's directory: "log", "checkpoint", or
  /// empty for all of it.
  std::uint64_t bytes_of(const std::string& part) const;

 private:
  Home(std::string path, bool is_kept) : path_(std::move(path)), is_kept_(is_kept) {}

  std::string path_;  // Empty once it was moved from.
  bool is_kept_;
};

}  // namespace demo
