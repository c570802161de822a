/// \file
/// Runs cases in forked children, so that one which crashes or hangs is counted and the others go
/// on.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace ashlar::crash {

/// A range of cases: the first, and the one after the last.
struct CaseRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Calls `run(i)` in a child for each case. Where the child dies or stays in one case for a minute,
/// `report(i, how)` is called in this process, and another child goes on behind it.
void run_watched(const CaseRange& cases, const std::function<void(std::uint64_t)>& run,
                 const std::function<void(std::uint64_t, const std::string& how)>& report);

}  // namespace ashlar::crash
