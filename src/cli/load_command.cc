#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "cli/commands.h"
#include "cli/dump_form.h"
#include "cli/open_database.h"
#include "os/clock.h"

namespace ashlar::cli {
namespace {

// What goes into one batch, and so becomes visible and durable together.
constexpr std::size_t kBatchRowsMax = 1000;
constexpr std::size_t kBatchBytes = std::size_t{1} << 20U;

// Progress is told once in so many batches.
constexpr std::uint64_t kBatchesPerReport = 64;

DumpInput::Source source_of(std::FILE* file, const std::string& name) {
  return [file, name](std::span<char> to) -> Result<std::size_t> {
    const std::size_t got = std::fread(to.data(), 1, to.size(), file);
    if (got == 0 && std::ferror(file) != 0) return std::unexpected(system_error(name + ": read"));
    return got;
  };
}

/// One load: a dump in, rows out.
class Load {
 public:
  Load(os::Disk& disk, const LoadArguments& arguments, const Streams& streams, std::FILE* file,
       std::string name)
      : disk_(disk),
        arguments_(arguments),
        streams_(streams),
        file_(file),
        name_(std::move(name)) {}

  Result<void> run() {
    if (can_be_read_twice()) ASHLAR_TRY(verify());
    ASHLAR_TRY_ASSIGN(Db db, open_database(disk_, arguments_.directory));
    ASHLAR_TRY(store(db));
    return db.close();
  }

  void tell_total() const {
    streams_.print(std::to_string(loaded_count_) + " rows loaded, " +
                   std::to_string(expired_count_) + " skipped that had expired\n");
  }

  std::uint64_t loaded_count() const noexcept { return loaded_count_; }

 private:
  bool can_be_read_twice() const {
    struct stat status{};
    return fstat(fileno(file_), &status) == 0 && S_ISREG(status.st_mode) && ftello(file_) >= 0;
  }

  /// Reads the dump through, storing nothing, and goes back to its beginning.
  Result<void> verify() {
    const off_t begin = ftello(file_);
    DumpInput input(source_of(file_, name_));
    auto reader = make_reader(input, arguments_.form);
    if (!reader) return std::unexpected(named(reader.error()));
    while (true) {
      auto row = (*reader)->next();
      if (!row) return std::unexpected(named(row.error()));
      if (!*row) break;
    }
    if (fseeko(file_, begin, SEEK_SET) != 0) {
      return std::unexpected(system_error(name_ + ": seek"));
    }
    return {};
  }

  Result<void> store(Db& db) {
    DumpInput input(source_of(file_, name_));
    auto reader = make_reader(input, arguments_.form);
    if (!reader) return std::unexpected(named(reader.error()));
    const os::SystemClock clock;
    while (true) {
      auto row = (*reader)->next();
      if (!row) {
        // What was read before the damage was all right row by row: it is stored, and counted.
        ASHLAR_TRY(write_batch(db));
        return std::unexpected(named(row.error()));
      }
      if (!*row) break;
      if (clock.is_past((*row)->deadline_ms)) {
        ++expired_count_;
        continue;
      }
      batch_.put((*row)->key, (*row)->value, Expiry::at_ms((*row)->deadline_ms));
      const bool is_full = batch_.count() >= kBatchRowsMax || batch_.bytes() >= kBatchBytes;
      if (is_full) ASHLAR_TRY(write_batch(db));
    }
    return write_batch(db);
  }

  Result<void> write_batch(Db& db) {
    if (batch_.count() == 0) return {};
    ASHLAR_TRY(db.write(batch_, arguments_.durability));
    loaded_count_ += batch_.count();
    batch_.clear();
    if (++batch_count_ % kBatchesPerReport == 0 && isatty(fileno(streams_.err)) != 0) {
      streams_.complain("\r" + std::to_string(loaded_count_) + " rows\r");
    }
    return {};
  }

  Error named(const Error& error) const {
    return {error.code(), name_ + ": " + std::string(error.message())};
  }

  os::Disk& disk_;
  const LoadArguments& arguments_;
  const Streams& streams_;
  std::FILE* const file_;
  const std::string name_;
  WriteBatch batch_;
  std::uint64_t batch_count_ = 0;
  std::uint64_t loaded_count_ = 0;
  std::uint64_t expired_count_ = 0;
};

}  // namespace

ExitStatus run_load(os::Disk& disk, const LoadArguments& arguments, const Streams& streams) {
  const bool is_file = !arguments.input.empty();
  std::FILE* const file = is_file ? std::fopen(arguments.input.c_str(), "rb") : streams.in;
  if (file == nullptr) return streams.fail(system_error(arguments.input + ": open"));
  Load load(disk, arguments, streams, file, is_file ? arguments.input : "standard input");
  const Result<void> done = load.run();
  if (is_file) std::fclose(file);
  if (done) {
    load.tell_total();
    return kGood;
  }
  const ExitStatus status = streams.fail(done.error());
  streams.complain("ashlar: " + std::to_string(load.loaded_count()) + " rows had been loaded\n");
  return status;
}

}  // namespace ashlar::cli
