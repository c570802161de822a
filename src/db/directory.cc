#include "db/directory.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/assert.h"

namespace ashlar::db {
namespace {

constexpr std::string_view kFormat = "ashlar directory 1\n";
constexpr std::string_view kFormatName = "FORMAT";
constexpr std::string_view kFormatNewName = "FORMAT.new";
constexpr std::string_view kLockName = "LOCK";

Result<std::string> read_short_file(const os::File& file) {
  std::string text(128, '\0');
  ASHLAR_TRY_ASSIGN(const std::size_t bytes, file.read_some(0, text));
  text.resize(bytes);
  return text;
}

/// Opens the lock file and locks it.
Result<std::unique_ptr<os::File>> take_lock(os::Disk& disk, const std::string& path) {
  const std::string lock_path = path + "/" + std::string(kLockName);
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, lock_path, os::OpenMode::kReadWrite));
  if (file == nullptr) {
    auto created = os::File::open(disk, lock_path, os::OpenMode::kCreate);
    if (!created) {
      // Somebody else may have made it in between.
      auto found = os::File::open(disk, lock_path, os::OpenMode::kReadWrite);
      if (found && *found != nullptr) created = std::move(found);
    }
    ASHLAR_TRY_ASSIGN(file, std::move(created));
  }
  ASHLAR_TRY_ASSIGN(const bool is_locked, file->lock());
  if (!is_locked) {
    ASHLAR_TRY_ASSIGN(const std::string holder, read_short_file(*file));
    return std::unexpected(Error(
        ErrorCode::kUnavailable,
        path + ": is open in process " + (holder.empty() ? std::string("(unknown)") : holder)));
  }
  const std::string holder = std::to_string(getpid());
  ASHLAR_TRY(file->truncate(0));
  ASHLAR_TRY(file->write(0, holder));
  return file;
}

/// Writes the format of a directory that is new.
Result<void> write_format(os::Disk& disk, const std::string& path) {
  const std::string fresh = path + "/" + std::string(kFormatNewName);
  ASHLAR_TRY(os::remove_file(disk, fresh));
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, fresh, os::OpenMode::kCreate));
  ASHLAR_TRY(file->write(0, kFormat));
  ASHLAR_TRY(file->sync());
  ASHLAR_TRY(os::rename_file(disk, fresh, path + "/" + std::string(kFormatName)));
  return os::sync_directory(disk, path);
}

/// Checks the format of a directory, or writes it when the directory is new.
Result<void> check_format(os::Disk& disk, const std::string& path) {
  const std::string name = path + "/" + std::string(kFormatName);
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, name, os::OpenMode::kRead));
  if (file != nullptr) {
    ASHLAR_TRY_ASSIGN(const std::string text, read_short_file(*file));
    if (text == kFormat) return {};
    return std::unexpected(Error(ErrorCode::kInvalidArgument,
                                 name + ": is of a format that this version does not know"));
  }
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk, path));
  const bool is_new = std::ranges::all_of(names, [](const std::string& entry) {
    return entry == kLockName || entry == kFormatNewName;
  });
  if (!is_new) {
    return std::unexpected(Error(ErrorCode::kInvalidArgument,
                                 path + ": is neither empty nor the directory of a database"));
  }
  return write_format(disk, path);
}

}  // namespace

Result<std::unique_ptr<Directory>> Directory::open(os::Disk& disk, const std::string& path) {
  ASHLAR_ASSERT(!path.empty(), "a database without a directory has nothing to open");
  ASHLAR_TRY(os::make_directory(disk, path));
  ASHLAR_TRY_ASSIGN(auto lock, take_lock(disk, path));
  ASHLAR_TRY(check_format(disk, path));
  return std::unique_ptr<Directory>(new Directory(path, std::move(lock)));
}

}  // namespace ashlar::db
