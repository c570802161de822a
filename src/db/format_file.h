/// \file
/// The file `FORMAT` of a directory: which format the directory is in, or that a repair of it is
/// under way. Layout: docs/formats/directory.md.
///
/// Invariants:
///   D5  The content of `FORMAT` changes at once: it is written under another name, made durable
///       and renamed.
#pragma once

#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "os/file.h"

namespace ashlar::db {

inline constexpr std::string_view kFormatName = "FORMAT";
inline constexpr std::string_view kFormatNewName = "FORMAT.new";

/// The version that this code reads and writes, and how the file says so.
inline constexpr int kFormatVersion = 1;
inline constexpr std::string_view kFormatText = "ashlar directory 1\n";

/// What the file begins with while a repair moves things about.
inline constexpr std::string_view kRepairText = "ashlar directory 1 under repair\n";

enum class FormatState : std::uint8_t {
  kMissing,
  kGood,
  kOther,        ///< Of another version: it says so in good words.
  kUnderRepair,  ///< A repair was stopped in the midst.
  kDamaged,
};

struct FormatFile {
  FormatState state = FormatState::kMissing;
  std::string text;
};

/// Errors: kIo
Result<FormatFile> read_format(os::Disk& disk, const std::string& directory);

/// Makes `text` the content of the file, durably.
///
/// Errors: kIo, kOutOfSpace  the content is the one before, or `text`
Result<void> write_format(os::Disk& disk, const std::string& directory, std::string_view text);

}  // namespace ashlar::db
