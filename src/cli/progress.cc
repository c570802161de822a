#include "cli/progress.h"

#include <algorithm>

#include "base/assert.h"

namespace ashlar::cli {
namespace {

std::string mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes >> 20U) + " MiB";
}

}  // namespace

std::string Progress::next(std::uint64_t done_bytes, std::uint64_t total_bytes) {
  ASHLAR_ASSERT(done_bytes <= total_bytes, "no more is done than there is to do");
  if (total_bytes == 0) return {};
  // In floating point: a hundred times the bytes might not fit.
  const auto percent = static_cast<std::uint64_t>(100.0 * static_cast<double>(done_bytes) /
                                                  static_cast<double>(total_bytes));
  if (form_ == ProgressForm::kBar) {
    std::string drawn = bar(percent, total_bytes);
    bar_columns_ = drawn.size();
    return "\r" + drawn;
  }
  if (percent < told_percent_ + kPercentPerLine) return {};
  told_percent_ = percent / kPercentPerLine * kPercentPerLine;
  return name_ + ": " + std::to_string(told_percent_) + " % of " + mebibytes(total_bytes) + "\n";
}

std::string Progress::bar(std::uint64_t percent, std::uint64_t total_bytes) const {
  const std::uint64_t full = std::min(percent, std::uint64_t{100}) * kBarCells / 100;
  const std::string number = std::to_string(percent);
  return name_ + " [" + std::string(full, '#') + std::string(kBarCells - full, '.') + "] " +
         std::string(3 - std::min<std::size_t>(number.size(), 3), ' ') + number + " % of " +
         mebibytes(total_bytes);
}

std::string Progress::end() const {
  if (bar_columns_ == 0) return {};
  return "\r" + std::string(bar_columns_, ' ') + "\r";
}

}  // namespace ashlar::cli
