/// \file
/// The file `FORMAT` of a directory: which format and which engine the directory is of, and whether
/// a repair of it is under way. Layout: docs/formats/directory.md.
///
/// Invariants:
///   D5  The content of `FORMAT` changes at once: it is written under another name, made durable
///       and renamed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ashlar/options.h"
#include "ashlar/result.h"
#include "os/file.h"

namespace ashlar::db {

inline constexpr std::string_view kFormatName = "FORMAT";
inline constexpr std::string_view kFormatNewName = "FORMAT.new";

/// The version that this code reads and writes.
inline constexpr int kFormatVersion = 1;

// How the file says so, for either engine.
inline constexpr std::string_view kMemoryFormatText = "ashlar directory 1\n";
inline constexpr std::string_view kDiskFormatText = "ashlar directory 1 disk\n";
constexpr std::string_view format_text(Engine engine) noexcept {
  return engine == Engine::kDisk ? kDiskFormatText : kMemoryFormatText;
}

// What it begins with while a repair moves things about.
inline constexpr std::string_view kMemoryRepairText = "ashlar directory 1 under repair\n";
inline constexpr std::string_view kDiskRepairText = "ashlar directory 1 disk under repair\n";
constexpr std::string_view repair_text(Engine engine) noexcept {
  return engine == Engine::kDisk ? kDiskRepairText : kMemoryRepairText;
}

/// The engine in words: "the memory engine".
constexpr std::string_view words_of(Engine engine) noexcept {
  return engine == Engine::kDisk ? "the disk engine" : "the memory engine";
}

enum class FormatState : std::uint8_t {
  kMissing,
  kGood,
  kOther,        ///< Of another version: it says so in good words.
  kUnderRepair,  ///< A repair was stopped in the midst.
  kDamaged,
};

struct FormatFile {
  FormatState state = FormatState::kMissing;
  std::optional<Engine> engine;  ///< With kGood and kUnderRepair.
  std::string text;
};

/// Errors: kIo
Result<FormatFile> read_format(os::Disk& disk, const std::string& directory);

/// Makes `text` the content of the file, durably.
///
/// Errors: kIo, kOutOfSpace  the content is the one before, or `text`
Result<void> write_format(os::Disk& disk, const std::string& directory, std::string_view text);

}  // namespace ashlar::db
