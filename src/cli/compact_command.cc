// `compact` opens the database as any process does. While it works a second thread asks how far it
// is: the figures of a database may be asked for at any time.

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>

#include "cli/commands.h"
#include "cli/open_database.h"
#include "cli/progress.h"
#include "db/directory.h"
#include "os/thread.h"

namespace ashlar::cli {
namespace {

constexpr auto kPauseBetweenLooks = std::chrono::milliseconds(250);

/// Tells of the progress of `db` until it goes.
///
/// Threads:  confined.
/// Lifetime: the database must outlive it.
class Teller {
 public:
  Teller(const Db& db, const std::string& name, const Streams& streams)
      : db_(db),
        streams_(streams),
        progress_(name,
                  isatty(fileno(streams.err)) != 0 ? ProgressForm::kBar : ProgressForm::kLines) {}
  Teller(const Teller&) = delete;
  Teller& operator=(const Teller&) = delete;
  ~Teller() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    streams_.complain(progress_.end());
  }

  /// Errors: kUnavailable  the system refuses a thread
  Result<void> start() {
    ASHLAR_TRY_ASSIGN(thread_, os::start_thread("progress", [this](const std::stop_token& stop) {
                        tell_until(stop);
                      }));
    return {};
  }

 private:
  void tell_until(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto is_over = [&] { return stop.stop_requested(); };
    while (!stopped_.wait_for(lock, stop, kPauseBetweenLooks, is_over)) {
      const auto stats = db_.stats();
      if (!stats) return;
      streams_.complain(progress_.next(stats->compact_done_bytes, stats->compact_total_bytes));
    }
  }

  const Db& db_;
  const Streams& streams_;
  Progress progress_;  // Of the thread, while there is one.
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // Last, so that it ends first.
};

struct Outcome {
  Stats before;
  Stats after;
};

/// Errors: as `Db::compact`; also those of opening and closing
Result<Outcome> compact(os::Disk& disk, const std::string& directory, const Streams& streams) {
  ASHLAR_TRY(db::Directory::open_as_is(disk, directory));  // It makes no database.
  ASHLAR_TRY_ASSIGN(Db db, open_database(disk, directory));
  Outcome outcome;
  ASHLAR_TRY(db.checkpoint());  // So that what was in the log alone counts as well.
  ASHLAR_TRY_ASSIGN(outcome.before, db.stats());
  {
    Teller teller(db, directory, streams);
    ASHLAR_TRY(teller.start());
    ASHLAR_TRY(db.compact());
  }
  ASHLAR_TRY_ASSIGN(outcome.after, db.stats());
  ASHLAR_TRY(db.close());
  return outcome;
}

std::string words_of(const Stats& stats) {
  return std::to_string(stats.table_count) + " tables of " + std::to_string(stats.table_bytes) +
         " bytes";
}

}  // namespace

ExitStatus run_compact(os::Disk& disk, const std::string& directory, const Streams& streams) {
  const Result<Outcome> outcome = compact(disk, directory, streams);
  if (!outcome) return streams.fail(outcome.error());
  streams.print(directory + ": " + words_of(outcome->after) + ", from " +
                words_of(outcome->before) + "; " +
                std::to_string(outcome->after.compaction_read_bytes) + " bytes were read, " +
                std::to_string(outcome->after.compaction_written_bytes) + " written\n");
  return kGood;
}

}  // namespace ashlar::cli
