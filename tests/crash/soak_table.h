/// \file
/// A database under the campaign `soak`: each call does the same to the rows that must be there,
/// and each answer is held against them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/db.h"
#include "soak_rows.h"

namespace ashlar::crash {

/// What was found to be wrong: told as it is found, and counted.
///
/// Threads: externally synchronised.
class SoakFindings {
 public:
  void add(const std::string& what);
  std::uint64_t count() const noexcept { return count_; }
  /// More would not be read.
  bool is_enough() const noexcept { return count_ > 10; }

 private:
  std::uint64_t count_ = 0;
};

/// What a campaign has done.
struct SoakCounts {
  std::uint64_t put_count = 0;
  std::uint64_t erase_count = 0;
  std::uint64_t read_count = 0;
  std::uint64_t walked_count = 0;   ///< Rows that scans stood on.
  std::uint64_t written_bytes = 0;  ///< Of keys and values.
};

/// Threads:  externally synchronised.
/// Lifetime: what it is made from must outlive it.
class SoakTable {
 public:
  /// `lost_write_stride`: planted, every so many puts one does not reach the database; 0 for none.
  SoakTable(Db& db, SoakRows& rows, SoakFindings& findings, SoakCounts& counts,
            std::uint64_t lost_write_stride = 0) noexcept
      : db_(db),
        rows_(rows),
        findings_(findings),
        counts_(counts),
        lost_write_stride_(lost_write_stride) {}

  Result<void> put(std::uint64_t number);
  Result<void> erase(std::uint64_t number);

  /// Reads one row, or many at one moment, and looks at them.
  Result<void> read(std::uint64_t number);
  Result<void> read_many(const std::vector<std::uint64_t>& numbers);

  /// Walks up to `count_max` rows from `from` on, or from the last one before `from` backwards, and
  /// looks at each: none is left out and none is there that should not be.
  Result<void> walk_forward(std::uint64_t from, std::uint64_t count_max);
  Result<void> walk_backward(std::uint64_t from, std::uint64_t count_max);

 private:
  template <typename Answer>
  void compare(std::uint64_t number, const Answer& found);
  bool stands_on(const Iterator& at, std::uint64_t number, const char* where);

  Db& db_;
  SoakRows& rows_;
  SoakFindings& findings_;
  SoakCounts& counts_;
  const std::uint64_t lost_write_stride_;
  std::string key_;
  std::string value_;
};

}  // namespace ashlar::crash
