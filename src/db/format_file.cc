#include "db/format_file.h"

#include <algorithm>

#include "base/assert.h"

namespace ashlar::db {
namespace {

constexpr std::string_view kBegin = "ashlar directory ";

// More than any repair has to say; a file of another kind is not read whole.
constexpr std::uint64_t kTextBytesMax = std::uint64_t{16} << 20U;

FormatState state_of(std::string_view text) noexcept {
  if (text == kFormatText) return FormatState::kGood;
  if (text.starts_with(kRepairText)) return FormatState::kUnderRepair;
  // A number and the end of the line: nothing else is a version.
  if (!text.starts_with(kBegin) || !text.ends_with('\n')) return FormatState::kDamaged;
  text.remove_prefix(kBegin.size());
  text.remove_suffix(1);
  const bool is_number = !text.empty() && text.front() != '0' && text.size() < 10 &&
                         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? FormatState::kOther : FormatState::kDamaged;
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
  format.state = state_of(format.text);
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
