/// \file
/// How far a long command is, in words: on a terminal a bar that is drawn again and again,
/// elsewhere a line for each tenth, so that a log file of it can be read.
#pragma once

#include <cstdint>
#include <string>

namespace ashlar::cli {

enum class ProgressForm : std::uint8_t { kBar, kLines };

/// Threads: externally synchronised.
class Progress {
 public:
  /// Input: name  of what is worked on; stands before each line
  Progress(std::string name, ProgressForm form) : name_(std::move(name)), form_(form) {}

  /// What to write now; empty when nothing new is to be said.
  std::string next(std::uint64_t done_bytes, std::uint64_t total_bytes);

  /// What to write in the end: a bar is wiped away.
  std::string end() const;

 private:
  static constexpr std::uint64_t kBarCells = 40;
  static constexpr std::uint64_t kPercentPerLine = 10;

  std::string bar(std::uint64_t percent, std::uint64_t total_bytes) const;

  const std::string name_;
  const ProgressForm form_;
  std::uint64_t told_percent_ = 0;
  std::size_t bar_columns_ = 0;  // Of the bar that is drawn; 0 for none.
};

}  // namespace ashlar::cli
