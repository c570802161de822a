#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/assert.h"
#include "cli/commands.h"
#include "cli/dump_form.h"
#include "cli/open_database.h"
#include "db/directory.h"
#include "os/file.h"

namespace ashlar::cli {
namespace {

// So much is collected before it is written.
constexpr std::size_t kPieceBytes = std::size_t{256} << 10U;

/// A stream that a dump goes to. A file gets its name when the dump in it is whole and durable
/// (U4): a dump that fails must not cost the older one that it was to replace.
///
/// Threads: externally synchronised.
class Output {
 public:
  Output(os::Disk& disk, const std::string& path, const Streams& streams)
      : disk_(disk), name_(path.empty() ? "standard output" : path) {
    if (path.empty()) {
      file_ = streams.out;
      return;
    }
    std::error_code error;
    // Where a link leads, with the directory in front that the name is to be durable in.
    const auto target = std::filesystem::weakly_canonical(std::filesystem::absolute(path), error);
    target_ = error ? path : target.string();
    const auto status = std::filesystem::status(target_, error);
    // A device or a pipe is not replaced.
    is_replaced_ = std::filesystem::is_regular_file(status) || !std::filesystem::exists(status);
    file_ = std::fopen(written_path().c_str(), "wb");
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() {
    if (target_.empty() || file_ == nullptr) return;
    std::fclose(file_);
    if (is_replaced_ && !is_finished_) (void)os::remove_file(disk_, written_path());
  }

  /// Returns: whether there is a stream; errno tells why not
  bool is_open() const noexcept { return file_ != nullptr; }
  const std::string& name() const noexcept { return name_; }

  /// Writes `bytes` and empties it.
  Result<void> write(std::string& bytes) {
    ASHLAR_ASSERT(!is_finished_, "nothing stands behind the end of a dump");
    const std::size_t written = std::fwrite(bytes.data(), 1, bytes.size(), file_);
    if (written != bytes.size()) return std::unexpected(system_error(name_ + ": write"));
    bytes.clear();
    return {};
  }

  /// All is with the system, and in the case of a file on the disk and under its name.
  Result<void> finish() {
    if (std::fflush(file_) != 0) return std::unexpected(system_error(name_ + ": write"));
    // A pipe cannot be synced, and need not be.
    const bool is_synced =
        fsync(fileno(file_)) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
    if (!is_synced) return std::unexpected(system_error(name_ + ": sync"));
    if (is_replaced_) {
      ASHLAR_TRY(os::rename_file(disk_, written_path(), target_));
      is_finished_ = true;
      return os::sync_directory(disk_, std::filesystem::path(target_).parent_path().string());
    }
    is_finished_ = true;
    return {};
  }

 private:
  std::string written_path() const { return is_replaced_ ? target_ + ".unfinished" : target_; }

  os::Disk& disk_;
  const std::string name_;  // For messages.
  std::string target_;      // The file; empty for the standard output.
  bool is_replaced_ = false;
  bool is_finished_ = false;
  std::FILE* file_ = nullptr;
};

Result<void> write_rows(Db& db, DumpWriter& writer, Output& output) {
  std::string bytes;
  writer.append_begin(bytes);
  ASHLAR_TRY_ASSIGN(auto rows, db.scan());
  for (rows.seek_to_first(); rows.is_valid(); rows.next()) {
    ASHLAR_TRY_ASSIGN(const auto expiry, db.expiry_of(rows.key()));
    if (!expiry) continue;  // Its deadline came while it was being read.
    writer.append_row(
        bytes, {.key = rows.key(), .value = rows.value(), .deadline_ms = expiry->resolve_ms(0)});
    if (bytes.size() >= kPieceBytes) ASHLAR_TRY(output.write(bytes));
  }
  ASHLAR_TRY(rows.status());
  writer.append_end(bytes);
  ASHLAR_TRY(output.write(bytes));
  return output.finish();
}

/// Whether there is a database that nobody has open: a dump makes none.
Result<void> check_directory(os::Disk& disk, const std::string& directory) {
  ASHLAR_TRY(db::Directory::open_as_is(disk, directory));
  return {};
}

}  // namespace

ExitStatus run_dump(os::Disk& disk, const DumpArguments& arguments, const Streams& streams) {
  if (const auto checked = check_directory(disk, arguments.directory); !checked) {
    return streams.fail(checked.error());
  }
  auto db = open_database(disk, arguments.directory);
  if (!db) return streams.fail(db.error());
  Output output(disk, arguments.output, streams);
  if (!output.is_open()) return streams.fail(system_error(output.name() + ": open"));
  const auto writer = arguments.form == DumpForm::kText ? make_text_writer() : make_binary_writer();
  const Result<void> written = write_rows(*db, *writer, output);
  if (!written) return streams.fail(written.error());
  const Result<void> closed = db->close();
  return closed ? kGood : streams.fail(closed.error());
}

}  // namespace ashlar::cli
