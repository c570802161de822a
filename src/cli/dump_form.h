/// \file
/// Dumps: all rows of a database as a stream that can be kept, compared and loaded elsewhere.
/// Layout of both forms: docs/formats/dump.md, version 1.
///
/// Invariants:
///   U1  Any row can be written in either form, and comes back as it was.
///   U2  A dump ends with the number of its rows and their checksum: one that was cut short, or
///       changed, is refused.
///   U3  There is one way to write a row: what is read is what would be written.
///   U4  A dump that fails leaves the file of its name as it was (dump_command.cc).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ashlar/expiry.h"
#include "ashlar/result.h"
#include "base/coding.h"
#include "base/hash.h"
#include "cli/commands.h"

namespace ashlar::cli {

/// One row. Whoever hands it out says how long its views live.
struct DumpRow {
  std::string_view key;
  std::string_view value;
  std::int64_t deadline_ms = Expiry::kNeverMs;

  bool has_deadline() const noexcept { return deadline_ms != Expiry::kNeverMs; }
};

/// What the end of a dump tells: the same for the same rows in both forms.
struct DumpTotal {
  std::uint64_t row_count = 0;
  std::uint64_t checksum = 0;

  void add(const DumpRow& row) noexcept {
    ++row_count;
    char deadline[8];
    base::store_number(deadline, row.deadline_ms);
    checksum = base::hash_key(row.key, checksum);
    checksum = base::hash_key(row.value, checksum);
    checksum = base::hash_key({deadline, sizeof(deadline)}, checksum);
  }
  bool operator==(const DumpTotal&) const = default;
};

/// Puts a dump together, piece by piece.
///
/// Threads: externally synchronised.
class DumpWriter {
 public:
  virtual ~DumpWriter() = default;
  virtual void append_begin(std::string& to) = 0;
  virtual void append_row(std::string& to, const DumpRow& row) = 0;
  virtual void append_end(std::string& to) = 0;
};

std::unique_ptr<DumpWriter> make_text_writer();
std::unique_ptr<DumpWriter> make_binary_writer();

/// The bytes of a dump as they come, of which a reader looks at some before it takes them.
///
/// Threads: externally synchronised.
class DumpInput {
 public:
  /// Fills the front of its argument. Returns: how many bytes; 0 at the end
  using Source = std::function<Result<std::size_t>(std::span<char>)>;

  explicit DumpInput(Source source) : source_(std::move(source)) {}

  /// Fetches until `bytes` bytes are at hand, or the end is.
  ///
  /// Cost: memory for what has come, whatever was asked for
  Result<bool> fetch(std::size_t bytes);

  /// Fetches what the source has to give at once. Returns: false at the end
  Result<bool> fetch_more();

  /// The bytes at hand.
  ///
  /// Lifetime: until the next fetch
  std::string_view bytes() const noexcept { return std::string_view(buffer_).substr(begin_); }
  void take(std::size_t bytes) noexcept;

  /// How many bytes were taken.
  std::uint64_t offset() const noexcept { return offset_; }

 private:
  Source source_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::uint64_t offset_ = 0;
};

/// Takes a dump apart.
///
/// Threads: externally synchronised.
class DumpReader {
 public:
  virtual ~DumpReader() = default;

  /// The next row; nullopt once the end was read and found right (U2).
  ///
  /// Errors:   kCorruption  this is not a dump, or not the whole of one: names line or offset
  ///           those of the source
  /// Lifetime: of its views, until the next call
  virtual Result<std::optional<DumpRow>> next() = 0;
};

/// Lifetime: `input` must outlive the reader.
std::unique_ptr<DumpReader> make_text_reader(DumpInput& input);
std::unique_ptr<DumpReader> make_binary_reader(DumpInput& input);

/// The reader for `form`, or for the form that the first bytes tell of.
///
/// Errors: kCorruption  they tell of none; those of the source
Result<std::unique_ptr<DumpReader>> make_reader(DumpInput& input, std::optional<DumpForm> form);

// What the forms begin with.
inline constexpr std::string_view kTextBegin = "# ashlar dump 1 text\n";
inline constexpr std::string_view kBinaryBegin = {"ashlrdmp\1\0\0\0\0\0\0\0", 16};
inline constexpr std::string_view kBinaryMagic = kBinaryBegin.substr(0, 8);

}  // namespace ashlar::cli
