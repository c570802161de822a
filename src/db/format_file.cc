#include "db/format_file.h"

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace ashlar::db {
namespace {

constexpr std::string_view kBegin = "ashlar directory ";

// More than any repair has to say; a file of another kind is not read whole.
constexpr std::uint64_t kTextBytesMax = std::uint64_t{16} << 20U;

// What a version that says more than its number may say of the engine.
constexpr std::string_view kDiskEnd = " disk";

/// The state of a text that is none of this version.
FormatState state_of_other(std::string_view text) noexcept {
  // A number, perhaps the engine, and the end of the line: nothing else is a version.
  if (!text.starts_with(kBegin) || !text.ends_with('\n')) return FormatState::kDamaged;
  text.remove_prefix(kBegin.size());
  text.remove_suffix(1);
  if (text.ends_with(kDiskEnd)) text.remove_suffix(kDiskEnd.size());
  const bool is_number = !text.empty() && text.front() != '0' && text.size() < 10 &&
                         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? FormatState::kOther : FormatState::kDamaged;
}

void judge(FormatFile& format) noexcept {
  constexpr std::array kEngines{Engine::kMemory, Engine::kDisk};
  for (const Engine engine : kEngines) {
    const bool is_good = format.text == format_text(engine);
    if (!is_good && !format.text.starts_with(repair_text(engine))) continue;
    format.state = is_good ? FormatState::kGood : FormatState::kUnderRepair;
    format.engine = engine;
    return;
  }
  format.state = state_of_other(format.text);
}

}  // namespace

Result<FormatFile> read_format(os::Disk& disk, const std::string& directory) {
  const std::string path = directory + "/" + std::string(kFormatName);
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, path, os::OpenMode::kRead));
  if (file == nullptr) return FormatFile{};
  ASHLAR_TRY_ASSIGN(const std::uint64_t bytes, file->size());
  FormatFile format;
  format.text.resize(std::min(bytes, kTextBytesMax));
  ASHLAR_TRY_ASSIGN(const std::size_t got, file->read_some(0, format.text));
  format.text.resize(got);
  judge(format);
  return format;
}

Result<void> write_format(os::Disk& disk, const std::string& directory, std::string_view text) {
  ASHLAR_ASSERT(text.starts_with(kBegin), "the file says what it is");
  ASHLAR_ASSERT(text.size() < kTextBytesMax, "what is written can be read");
  const std::string fresh = directory + "/" + std::string(kFormatNewName);
  ASHLAR_TRY(os::remove_file(disk, fresh));
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, fresh, os::OpenMode::kCreate));
  ASHLAR_TRY(file->write(0, text));
  ASHLAR_TRY(file->sync());
  ASHLAR_TRY(os::rename_file(disk, fresh, directory + "/" + std::string(kFormatName)));
  return os::sync_directory(disk, directory);
}

}  // namespace ashlar::db
