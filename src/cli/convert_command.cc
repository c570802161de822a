// A conversion writes all rows of a directory into a new one of the other engine, beside it, under
// a name that nobody takes for a database. What is on the disk is then read back and held against
// the source, row by row; only after that the new directory gets its name.

#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/assert.h"
#include "cli/commands.h"
#include "cli/dump_form.h"
#include "cli/open_database.h"
#include "db/directory.h"
#include "db/format_file.h"
#include "db/inspection/table_survey.h"
#include "os/clock.h"
#include "os/file.h"

namespace ashlar::cli {
namespace {

// What goes into one batch.
constexpr std::size_t kBatchRowsMax = 1000;
constexpr std::size_t kBatchBytes = std::size_t{1} << 20U;

// Progress is told once in so many rows.
constexpr std::uint64_t kRowsPerReport = 1U << 16U;

constexpr const char* kUnfinishedSuffix = ".unfinished";

Error refusal(const std::string& path, const std::string& what) {
  return {ErrorCode::kInvalidArgument, path + ": " + what};
}

/// `path` without a slash at its end, and with a directory in front that the name is durable in.
std::string whole(const std::string& path) {
  const auto normal = std::filesystem::absolute(path).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).string();
}

/// The rows of a database with their deadlines, in order, but for those that expire meanwhile.
///
/// Threads:  externally synchronised.
/// Lifetime: the database must outlive it.
class Rows {
 public:
  static Result<Rows> of(Db& db) {
    ASHLAR_TRY_ASSIGN(Iterator rows, db.scan());
    rows.seek_to_first();
    return Rows(db, std::move(rows));
  }

  /// The row at hand, or nullopt at the end.
  ///
  /// Lifetime: of its views, until `next`
  Result<std::optional<DumpRow>> row() {
    for (; rows_.is_valid(); rows_.next()) {
      ASHLAR_TRY_ASSIGN(const auto expiry, db_.expiry_of(rows_.key()));
      if (!expiry) continue;
      return DumpRow{
          .key = rows_.key(), .value = rows_.value(), .deadline_ms = expiry->resolve_ms(0)};
    }
    ASHLAR_TRY(rows_.status());
    return std::nullopt;
  }
  void next() { rows_.next(); }

 private:
  Rows(Db& db, Iterator rows) : db_(db), rows_(std::move(rows)) {}

  Db& db_;
  Iterator rows_;
};

/// One conversion.
class Conversion {
 public:
  Conversion(os::Disk& disk, const ConvertArguments& arguments, const Streams& streams)
      : disk_(disk), arguments_(arguments), streams_(streams) {
    const char* const suffix = arguments.to == Engine::kDisk ? ".disk" : ".memory";
    target_ =
        arguments.output.empty() ? whole(arguments.directory) + suffix : whole(arguments.output);
    unfinished_ = target_ + kUnfinishedSuffix;
  }

  Result<void> run() {
    ASHLAR_TRY(check());
    ASHLAR_TRY_ASSIGN(Db source, open_database(disk_, arguments_.directory));
    ASHLAR_TRY(copy(source));
    ASHLAR_TRY(verify(source));
    ASHLAR_TRY(source.close());
    ASHLAR_TRY(os::rename_file(disk_, unfinished_, target_));
    return os::sync_directory(disk_, std::filesystem::path(target_).parent_path().string());
  }

  void tell_total() const {
    char checksum[20];
    std::snprintf(checksum, sizeof(checksum), "%016" PRIx64, total_.checksum);
    streams_.print(target_ + ": " + std::to_string(total_.row_count) + " rows, checksum " +
                   checksum + ", of " + std::string(db::words_of(arguments_.to)) +
                   "; read back and compared\n");
  }

 private:
  /// Whether there is something to convert, and room for a name.
  Result<void> check() {
    const std::string& from = arguments_.directory;
    ASHLAR_TRY(db::Directory::open_as_is(disk_, from));
    ASHLAR_TRY_ASSIGN(const std::optional<Engine> engine, db::engine_of(disk_, from));
    if (engine == arguments_.to) {
      return std::unexpected(
          refusal(from, "is of " + std::string(db::words_of(*engine)) + " already"));
    }
    if (target_.starts_with(whole(from) + "/")) {
      return std::unexpected(refusal(target_, "is inside of what is to be converted"));
    }
    std::error_code error;
    const bool is_taken = std::filesystem::exists(target_, error) &&
                          !(std::filesystem::is_directory(target_, error) &&
                            std::filesystem::is_empty(target_, error));
    if (is_taken) return std::unexpected(refusal(target_, "is there already, and not empty"));
    if (std::filesystem::exists(unfinished_, error)) {
      return std::unexpected(
          refusal(unfinished_, "is of a conversion that was stopped: remove it first"));
    }
    return {};
  }

  Result<void> copy(Db& source) {
    ASHLAR_TRY_ASSIGN(Db target, open_database(disk_, unfinished_, arguments_.to));
    ASHLAR_TRY_ASSIGN(Rows rows, Rows::of(source));
    WriteBatch batch;
    std::uint64_t row_count = 0;
    while (true) {
      ASHLAR_TRY_ASSIGN(const auto row, rows.row());
      if (row) batch.put(row->key, row->value, Expiry::at_ms(row->deadline_ms));
      const bool is_full = batch.count() >= kBatchRowsMax || batch.bytes() >= kBatchBytes;
      if ((is_full || !row) && batch.count() > 0) {
        ASHLAR_TRY(target.write(batch, Durability::kNone));
        batch.clear();
      }
      if (!row) break;
      tell_progress(++row_count);
      rows.next();
    }
    // The rows go where the engine has them, and out of the log; closing makes the rest durable.
    ASHLAR_TRY(target.checkpoint());
    return target.close();
  }

  void tell_progress(std::uint64_t row_count) const {
    if (row_count % kRowsPerReport != 0 || isatty(fileno(streams_.err)) == 0) return;
    streams_.complain("\r" + std::to_string(row_count) + " rows\r");
  }

  /// Reads the new directory from the disk and holds each row of it against the source.
  Result<void> verify(Db& source) {
    ASHLAR_TRY_ASSIGN(Db target, open_database(disk_, unfinished_, arguments_.to));
    DumpTotal written;
    {
      ASHLAR_TRY_ASSIGN(Rows left, Rows::of(source));
      ASHLAR_TRY_ASSIGN(Rows right, Rows::of(target));
      ASHLAR_TRY(compare(left, right, written));
    }
    ASHLAR_ASSERT(total_ == written, "rows that are equal have one checksum");
    return target.close();
  }

  Result<void> compare(Rows& left, Rows& right, DumpTotal& written) {
    const os::SystemClock clock;
    while (true) {
      ASHLAR_TRY_ASSIGN(const auto expected, left.row());
      ASHLAR_TRY_ASSIGN(const auto found, right.row());
      if (!expected && !found) return {};
      const bool is_same = expected && found && expected->key == found->key;
      if (is_same) {
        if (expected->value != found->value || expected->deadline_ms != found->deadline_ms) {
          return std::unexpected(differs(found->key));
        }
        total_.add(*expected);
        written.add(*found);
        left.next();
        right.next();
        continue;
      }
      // One side may have lost a row to its deadline between the two looks; it only.
      const bool is_left = expected && (!found || expected->key < found->key);
      const DumpRow& only = is_left ? *expected : *found;
      if (!clock.is_past(only.deadline_ms)) return std::unexpected(differs(only.key));
      (is_left ? left : right).next();
    }
  }

  Error differs(std::string_view key) const {
    return {ErrorCode::kCorruption,
            unfinished_ + ": has not read back as it was written, at key " + db::text_of_key(key)};
  }

  os::Disk& disk_;
  const ConvertArguments& arguments_;
  const Streams& streams_;
  std::string target_;
  std::string unfinished_;
  DumpTotal total_;
};

}  // namespace

ExitStatus run_convert(os::Disk& disk, const ConvertArguments& arguments, const Streams& streams) {
  Conversion conversion(disk, arguments, streams);
  if (const Result<void> done = conversion.run(); !done) return streams.fail(done.error());
  conversion.tell_total();
  return kGood;
}

}  // namespace ashlar::cli
