#include <unistd.h>

#include <cstdio>
#include <string>

#include "cli/commands.h"
#include "cli/dump_form.h"
#include "cli/open_database.h"
#include "db/directory.h"

namespace ashlar::cli {
namespace {

// So much is collected before it is written.
constexpr std::size_t kPieceBytes = std::size_t{256} << 10U;

/// A stream that a dump goes to.
class Output {
 public:
  Output(std::FILE* file, std::string name) : file_(file), name_(std::move(name)) {}

  /// Writes `bytes` and empties it.
  Result<void> write(std::string& bytes) {
    const std::size_t written = std::fwrite(bytes.data(), 1, bytes.size(), file_);
    if (written != bytes.size()) return std::unexpected(system_error(name_ + ": write"));
    bytes.clear();
    return {};
  }

  /// All is with the system, and in the case of a file on the disk.
  Result<void> finish() {
    if (std::fflush(file_) != 0) return std::unexpected(system_error(name_ + ": write"));
    // A pipe cannot be synced, and need not be.
    if (fsync(fileno(file_)) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP) {
      return {};
    }
    return std::unexpected(system_error(name_ + ": sync"));
  }

 private:
  std::FILE* const file_;
  const std::string name_;
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
  auto db = open_database(arguments.directory);
  if (!db) return streams.fail(db.error());
  const bool is_file = !arguments.output.empty();
  std::FILE* const file = is_file ? std::fopen(arguments.output.c_str(), "wb") : streams.out;
  if (file == nullptr) return streams.fail(system_error(arguments.output + ": open"));
  Output output(file, is_file ? arguments.output : "standard output");
  const auto writer = arguments.form == DumpForm::kText ? make_text_writer() : make_binary_writer();
  const Result<void> written = write_rows(*db, *writer, output);
  if (is_file) std::fclose(file);  // What it had was synced.
  if (!written) return streams.fail(written.error());
  const Result<void> closed = db->close();
  return closed ? kGood : streams.fail(closed.error());
}

}  // namespace ashlar::cli
