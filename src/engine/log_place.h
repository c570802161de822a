/// \file
/// A place in the log, as files that stand for the state before it remember it.
#pragma once

#include <cstdint>

namespace ashlar::engine {

/// A place between two commits of the log.
struct LogPlace {
  std::uint64_t position = 0;
  std::uint32_t chain = 0;
  std::uint64_t commit = 0;

  bool operator==(const LogPlace&) const = default;
};

}  // namespace ashlar::engine
