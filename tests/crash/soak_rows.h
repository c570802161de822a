/// \file
/// The rows of the campaign `soak`. Key and value are made from the number of a row and the version
/// it is at, so one byte a row says what must be found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ashlar::crash {

/// What a database must hold.
///
/// Invariants:
///   Two versions of a row that are less than 128 puts apart have different values; so have two
///   rows.
///
/// Threads: externally synchronised.
class SoakRows {
 public:
  /// Keys and values of so many bytes together, on average.
  static constexpr std::uint64_t kRowBytes = 570;

  /// None of the rows is there at first. Their bytes are in memory from now on.
  explicit SoakRows(std::uint64_t row_count) : marks_(row_count, kAbsent) {}

  /// Keys ascend with their numbers.
  static void make_key(std::uint64_t number, std::string& key);

  /// The value of the version at hand: 100 or 1,000 bytes, of which about half is chance.
  void make_value(std::uint64_t number, std::string& value) const;

  void put(std::uint64_t number) noexcept;
  void erase(std::uint64_t number) noexcept;
  bool has(std::uint64_t number) const noexcept { return (marks_[number] & kPresent) != 0; }

  /// The first row that is there from `number` on, or `row_count()`.
  std::uint64_t next_from(std::uint64_t number) const noexcept;
  /// The last one that is there before `number`, or `row_count()` when there is none.
  std::uint64_t last_before(std::uint64_t number) const noexcept;

  std::uint64_t row_count() const noexcept { return marks_.size(); }

 private:
  static constexpr std::uint8_t kAbsent = 0;
  static constexpr std::uint8_t kPresent = 0x80;  // The other bits are the version.

  std::vector<std::uint8_t> marks_;
};

}  // namespace ashlar::crash
