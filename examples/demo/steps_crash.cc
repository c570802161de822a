// The step that loses a process: a child loads the catalogue and is killed in the midst of it.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <new>
#include <thread>
#include <unordered_map>

#include "steps.h"

namespace demo {
namespace {

/// A number that a child and its parent see alike, and that outlives the child.
class SharedCount {
 public:
  SharedCount()
      : memory_(mmap(nullptr, sizeof(Count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0)) {
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    count_ = new (memory_) Count(0);
  }
  SharedCount(const SharedCount&) = delete;
  SharedCount& operator=(const SharedCount&) = delete;
  ~SharedCount() { munmap(memory_, sizeof(Count)); }

  std::size_t load() const { return count_->load(); }
  void store(std::size_t value) { count_->store(value); }

 private:
  using Count = std::atomic<std::size_t>;
  static_assert(Count::is_always_lock_free, "a lock would not survive the child");

  void* memory_;
  Count* count_;
};

/// The child: stores one record after the other, and counts what has been acknowledged. From half
/// of the records on it may be killed at any moment by a thread of its own; it does not get beyond
/// three quarters. Returns only when the database fails.
void load_until_killed(const Catalogue& catalogue, const std::string& directory,
                       SharedCount& acknowledged) {
  auto db = ashlar::Db::open(demo_options(directory));
  if (!db) return;
  const std::size_t half = catalogue.records.size() / 2;
  const std::thread killer([&acknowledged, half] {
    while (acknowledged.load() < half) std::this_thread::yield();
    kill(getpid(), SIGKILL);
  });
  for (std::size_t index = 0; index < half + half / 2; ++index) {
    const Record& record = catalogue.records[index];
    const auto stored = db->put(record.key, catalogue.text_of(record), ashlar::Expiry::never(),
                                ashlar::Durability::kProcess);
    if (!stored) _exit(1);  // The thread must not be waited for.
    acknowledged.store(index + 1);
  }
  while (true) pause();
}

ashlar::Result<void> expect_killed(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    return {};
  }
  return wrong("the child ended by itself: it could not store the records");
}

}  // namespace

ashlar::Result<std::size_t> lose_process(const Catalogue& catalogue, const std::string& directory,
                                         Terminal& terminal) {
  terminal.heading("Crash: a process loads the records and is killed in the midst (kill -9)");
  SharedCount acknowledged;
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) {
    return std::unexpected(
        ashlar::Error::of_literal(ashlar::ErrorCode::kUnavailable, "the system has no process"));
  }
  if (child == 0) {
    load_until_killed(catalogue, directory, acknowledged);
    _exit(1);
  }
  ASHLAR_TRY(expect_killed(child));
  terminal.figure("acknowledged by then", {grouped(acknowledged.load()), " records"});
  return acknowledged.load();
}

ashlar::Result<void> prove_survival(const Stage& stage) {
  const auto& records = stage.catalogue.records;
  std::unordered_map<std::string_view, const Record*> newest;
  for (std::size_t index = 0; index < stage.stored_count; ++index) {
    newest[records[index].key] = &records[index];
  }
  // One more may have been under way: it is there or not, but never in part.
  const Record& next = records[stage.stored_count];
  ASHLAR_TRY_ASSIGN(const auto stored_next, stage.db.get(next.key));
  const bool is_next_there = stored_next && *stored_next == stage.catalogue.text_of(next);
  if (is_next_there) newest[next.key] = &next;

  for (const auto& [key, record] : newest) {
    ASHLAR_TRY_ASSIGN(const auto value, stage.db.get(key));
    if (!value) return wrong(record->key + ": was acknowledged, but is not there");
    if (*value != stage.catalogue.text_of(*record)) {
      return wrong(record->key + ": was acknowledged, but differs from the source");
    }
  }
  ASHLAR_TRY_ASSIGN(const auto stats, stage.db.stats());
  if (stats.key_count != newest.size()) {
    return wrong(grouped(stats.key_count) + " keys came back, " + grouped(newest.size()) +
                 " were stored");
  }
  stage.terminal.figure("commits that came back", {grouped(stats.replayed_count), " in the log"});
  stage.terminal.good({"all ", grouped(stage.stored_count),
                       " acknowledged records are there, byte for byte",
                       is_next_there ? ", and the one under way" : ""});
  return {};
}

}  // namespace demo
