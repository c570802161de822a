/// \file
/// What a command reads from and writes to, and what it says by its exit status.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string_view>

#include "ashlar/result.h"

namespace ashlar::cli {

/// How a command ended.
enum ExitStatus : std::uint8_t {
  kGood = 0,    ///< It did what it was asked to, and all is well.
  kDamage = 1,  ///< Stored bytes are damaged: those of a directory, or of a dump.
  kFailed = 2,  ///< It could not be done, or the command line was wrong.
};

/// Lifetime: the files must outlive it.
struct Streams {
  std::FILE* in = nullptr;
  std::FILE* out = nullptr;
  std::FILE* err = nullptr;

  void print(std::string_view text) const { std::fwrite(text.data(), 1, text.size(), out); }
  void complain(std::string_view text) const { std::fwrite(text.data(), 1, text.size(), err); }

  /// Tells of `error`. Returns: the status that goes with it
  ExitStatus fail(const Error& error) const {
    complain("ashlar: ");
    complain(error.message());
    complain("\n");
    return error.code() == ErrorCode::kCorruption ? kDamage : kFailed;
  }
};

}  // namespace ashlar::cli
