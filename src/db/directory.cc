#include "db/directory.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "db/format_file.h"

namespace ashlar::db {
namespace {

bool has_name(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// Whether a directory with these names in it holds a database that has lost its format.
bool is_database(const std::vector<std::string>& names) {
  return has_name(names, kLogFolder) &&
         (has_name(names, kCheckpointFolder) || has_name(names, kTableFolder));
}

/// The engine whose folder is there, when that of the other is not.
std::optional<Engine> engine_by_folders(const std::vector<std::string>& names) {
  const bool has_tables = has_name(names, kTableFolder);
  if (has_tables == has_name(names, kCheckpointFolder)) return std::nullopt;
  return has_tables ? Engine::kDisk : Engine::kMemory;
}

Error of_other_engine(const std::string& path, Engine made_for, Engine engine) {
  return {ErrorCode::kInvalidArgument,
          path + ": is of " + std::string(words_of(made_for)) + ", and was to be opened with " +
              std::string(words_of(engine)) + ": `ashlar convert` makes a copy for that"};
}

Result<std::string> read_short_file(const os::File& file) {
  std::string text(128, '\0');
  ASHLAR_TRY_ASSIGN(const std::size_t bytes, file.read_some(0, text));
  text.resize(bytes);
  return text;
}

Error held_by(const std::string& path, const std::string& holder) {
  std::string process = holder.empty() ? "(unknown)" : holder;
  if (process == std::to_string(getpid())) process += ", which is this one";
  return {ErrorCode::kUnavailable, path + ": is open in process " + process};
}

Error looked_at(const std::string& path) {
  return {ErrorCode::kUnavailable,
          path + ": is being looked at, as `ashlar check` does: try again when that has ended"};
}

/// Refuses a directory that is somebody else's before anything in it is touched: a lock file may
/// be theirs too (D6).
Result<void> check_is_not_foreign(os::Disk& disk, const std::string& path) {
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk, path));
  const bool is_new = std::ranges::all_of(names, [](const std::string& entry) {
    return entry == kLockName || entry == kFormatNewName;
  });
  if (is_new || is_database(names)) return {};
  // Not by the listing: one that is being made just now has its format before anything else.
  const std::string format_path = path + "/" + std::string(kFormatName);
  ASHLAR_TRY_ASSIGN(const auto format, os::File::open(disk, format_path, os::OpenMode::kRead));
  if (format != nullptr) return {};
  return std::unexpected(Error(ErrorCode::kInvalidArgument,
                               path + ": is neither empty nor the directory of a database"));
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
  ASHLAR_TRY_ASSIGN(const bool is_locked, file->lock(os::LockMode::kAlone));
  if (!is_locked) {
    // Those who look share the lock and write nothing: the text is then of somebody before them.
    ASHLAR_TRY_ASSIGN(const bool is_shared, file->lock(os::LockMode::kShared));
    if (is_shared) return std::unexpected(looked_at(path));
    ASHLAR_TRY_ASSIGN(const std::string holder, read_short_file(*file));
    return std::unexpected(held_by(path, holder));
  }
  const std::string holder = std::to_string(getpid());
  ASHLAR_TRY(file->truncate(0));
  ASHLAR_TRY(file->write(0, holder));
  return file;
}

/// Checks the format of a directory, or writes it when the directory is new.
Result<void> check_format(os::Disk& disk, const std::string& path, Engine engine) {
  const std::string name = path + "/" + std::string(kFormatName);
  ASHLAR_TRY_ASSIGN(const FormatFile format, read_format(disk, path));
  switch (format.state) {
    case FormatState::kGood:
      if (format.engine == engine) return {};
      return std::unexpected(of_other_engine(path, *format.engine, engine));
    case FormatState::kOther:
      return std::unexpected(Error(ErrorCode::kInvalidArgument,
                                   name + ": is of a format that this version does not know"));
    case FormatState::kUnderRepair:
      return std::unexpected(
          Error(ErrorCode::kCorruption, name + " at 0: a repair was stopped in the midst"));
    case FormatState::kDamaged:
      return std::unexpected(
          Error(ErrorCode::kCorruption, name + " at 0: says nothing that is a format"));
    case FormatState::kMissing:
      break;
  }
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk, path));
  if (is_database(names)) {
    return std::unexpected(Error(ErrorCode::kCorruption, name + " at 0: the file is missing"));
  }
  return write_format(disk, path, format_text(engine));
}

/// Whether there is a database to look at, damaged or not.
Result<void> check_is_database(os::Disk& disk, const std::string& path) {
  ASHLAR_ASSERT(!path.empty(), "a database without a directory has nothing to look at");
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk, path));
  if (has_name(names, kFormatName) || is_database(names)) return {};
  return std::unexpected(
      Error(ErrorCode::kInvalidArgument, path + ": is not the directory of a database"));
}

}  // namespace

Result<std::unique_ptr<Directory>> Directory::open(os::Disk& disk, const std::string& path,
                                                   Engine engine) {
  ASHLAR_ASSERT(!path.empty(), "a database without a directory has nothing to open");
  ASHLAR_TRY(os::make_directory(disk, path));
  ASHLAR_TRY(check_is_not_foreign(disk, path));
  ASHLAR_TRY_ASSIGN(auto lock, take_lock(disk, path));
  ASHLAR_TRY(check_format(disk, path, engine));
  return std::unique_ptr<Directory>(new Directory(path, std::move(lock)));
}

Result<std::unique_ptr<Directory>> Directory::open_as_is(os::Disk& disk, const std::string& path) {
  ASHLAR_TRY(check_is_database(disk, path));
  const std::string lock_path = path + "/" + std::string(kLockName);
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, lock_path, os::OpenMode::kRead));
  if (file != nullptr) {
    ASHLAR_TRY_ASSIGN(const bool is_locked, file->lock(os::LockMode::kShared));
    if (!is_locked) {
      ASHLAR_TRY_ASSIGN(const std::string holder, read_short_file(*file));
      return std::unexpected(held_by(path, holder));
    }
  }
  return std::unique_ptr<Directory>(new Directory(path, std::move(file)));
}

Result<std::unique_ptr<Directory>> Directory::open_for_repair(os::Disk& disk,
                                                              const std::string& path) {
  ASHLAR_TRY(check_is_database(disk, path));
  ASHLAR_TRY_ASSIGN(auto lock, take_lock(disk, path));
  return std::unique_ptr<Directory>(new Directory(path, std::move(lock)));
}

Result<std::optional<Engine>> engine_of(os::Disk& disk, const std::string& path) {
  std::vector<std::string> names;
  const int listed = disk.list(path, names);
  if (listed == -ENOENT || listed == -ENOTDIR) return std::nullopt;
  ASHLAR_TRY_ASSIGN(names, os::list_directory(disk, path));
  ASHLAR_TRY_ASSIGN(const FormatFile format, read_format(disk, path));
  if (format.engine) return format.engine;
  // Of another version its folders tell nothing, and without a log they are somebody else's.
  const bool may_be_guessed = format.state != FormatState::kOther && is_database(names);
  return may_be_guessed ? engine_by_folders(names) : std::nullopt;
}

}  // namespace ashlar::db
