// The row of opening after an end: 1 GiB of log, until the first read is answered. Each side has
// its log made once, of the same commands, and opens it in every round; opening adds nothing to it
// but marks of some bytes.

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend_durable.h"
#include "keys.h"
#include "redis_server.h"
#include "rows.h"

namespace ashlar::bench {
namespace {

// What one command takes in the log of Ashlar: the size of the row is told by it. The logs of the
// others have a little less.
constexpr std::uint64_t kFrameBytes = 160;
constexpr std::uint64_t kLogBytes = std::uint64_t{1} << 30U;

constexpr int kRoundsMax = 3;               // A round of all sides takes some half a minute.
constexpr std::uint64_t kCheckStep = 9973;  // One in so many keys is looked at afterwards.

/// The commands: SET of different keys. Rounds shorter than the default take a shorter log.
std::uint64_t command_count_for(const Settings& settings) {
  const double share = std::min(1.0, settings.seconds / Settings{}.seconds);
  return static_cast<std::uint64_t>(share * static_cast<double>(kLogBytes / kFrameBytes));
}

std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

/// Ashlar would make a checkpoint when the log has grown as long as what it holds. Here the log is
/// what is measured, so a folder stands where the checkpoint would be written: it is given up.
class CheckpointBlock {
 public:
  explicit CheckpointBlock(const std::string& directory)
      : path_(directory + "/checkpoint/unfinished") {
    std::filesystem::create_directories(path_);
  }
  CheckpointBlock(const CheckpointBlock&) = delete;
  CheckpointBlock& operator=(const CheckpointBlock&) = delete;
  ~CheckpointBlock() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

 private:
  std::string path_;
};

class AshlarLog {
 public:
  static constexpr std::string_view kName = "ashlar";

  explicit AshlarLog(std::uint64_t command_count) : directory_("ashlar") {
    open();
    {
      const CheckpointBlock block(path());
      ValueMaker values;
      for (std::uint64_t index = 0; index < command_count; ++index) {
        is_good_ &= db_->put(Key(index).view(), values.make(index, 0), Expiry::never(),
                             Durability::kProcess)
                        .has_value();
      }
      is_good_ &= db_->close().has_value();
    }
    close();
  }

  bool is_good() const noexcept { return is_good_; }
  std::string path() const { return directory_.path() + "/db"; }
  static double processor_ns_elsewhere() { return 0; }

  void open() {
    db_ = std::make_unique<Db>(
        open_or_throw({.directory = path(), .memory_budget_bytes = std::size_t{4} << 30U}));
  }
  void close() { db_.reset(); }
  bool has(std::string_view key, std::string_view value) {
    const auto found = db_->get(key);
    return found && *found && (*found)->view() == value;
  }

 private:
  BenchDirectory directory_;
  bool is_good_ = true;
  std::unique_ptr<Db> db_;
};

class RedisLog {
 public:
  static constexpr std::string_view kName = kRedisName;

  explicit RedisLog(std::uint64_t command_count) : directory_("redis") {
    constexpr std::uint64_t kCommandsAtATime = 256;
    open();
    ValueMaker values;
    for (std::uint64_t index = 0; index < command_count; ++index) {
      connection_->add_set(Key(index).view(), values.make(index, 0));
      if (index % kCommandsAtATime == 0) is_good_ &= connection_->flush_sets();
    }
    is_good_ &= connection_->flush_sets();
    close();
  }

  bool is_good() const noexcept { return is_good_; }
  std::string path() const { return directory_.path(); }
  double processor_ns_elsewhere() const { return server_->processor_ns(); }

  void open() {
    // The kernel has what was written: no sync, and no rewrite, whose file would be another.
    const std::array<std::string, 8> settings = {"--appendonly",
                                                 "yes",
                                                 "--appendfsync",
                                                 "no",
                                                 "--aof-use-rdb-preamble",
                                                 "no",
                                                 "--auto-aof-rewrite-percentage",
                                                 "0"};
    server_ = std::make_unique<RedisServer>(path(), settings);
    connection_ = std::make_unique<RedisConnection>(*server_);
  }
  void close() {
    connection_.reset();
    server_.reset();
  }
  bool has(std::string_view key, std::string_view value) {
    const std::array<std::string_view, 2> words = {"GET", key};
    return connection_->ask_once_loaded(words) == value;
  }

 private:
  BenchDirectory directory_;
  bool is_good_ = true;
  std::unique_ptr<RedisServer> server_;
  std::unique_ptr<RedisConnection> connection_;
};

#ifdef ASHLAR_BENCH_ROCKSDB

class RocksDbLog {
 public:
  static constexpr std::string_view kName = kRocksDbName;

  explicit RocksDbLog(std::uint64_t command_count) : directory_("rocksdb") {
    open();
    ValueMaker values;
    for (std::uint64_t index = 0; index < command_count; ++index) {
      const Key key(index);
      const std::string_view value = values.make(index, 0);
      is_good_ &= db_->Put({}, {key.view().data(), kKeyBytes}, {value.data(), value.size()}).ok();
    }
    close();
  }

  bool is_good() const noexcept { return is_good_; }
  std::string path() const { return directory_.path(); }
  static double processor_ns_elsewhere() { return 0; }

  /// All of it stays in one memtable and its log, whatever is opened and closed.
  void open() {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    options.max_background_jobs = 2;
    options.write_buffer_size = std::size_t{8} << 30U;
    options.avoid_flush_during_recovery = true;
    options.avoid_flush_during_shutdown = true;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status opened = rocksdb::DB::Open(options, path(), &db);
    if (!opened.ok()) throw std::runtime_error("rocksdb: " + opened.ToString());
    db_.reset(db);
  }
  void close() { db_.reset(); }
  bool has(std::string_view key, std::string_view value) {
    std::string found;
    return db_->Get({}, {key.data(), key.size()}, &found).ok() && found == value;
  }

 private:
  BenchDirectory directory_;
  bool is_good_ = true;
  std::unique_ptr<rocksdb::DB> db_;
};

#endif

template <typename Log>
class OpenLoop final : public Contender {
 public:
  explicit OpenLoop(std::uint64_t command_count)
      : Contender(Log::kName), command_count_(command_count), log_(command_count) {
    expect(log_.is_good());
  }

  Figure run(double /*seconds*/) override {
    const Stopwatch watch;
    log_.open();
    expect(has(command_count_ - 1));
    Figure figure = watch.each_of(command_count_);
    figure.processor += log_.processor_ns_elsewhere() / static_cast<double>(command_count_);
    for (std::uint64_t index = 0; index < command_count_; index += kCheckStep) {
      expect(has(index));
    }
    log_.close();
    return figure;
  }

  std::string path() const { return log_.path(); }

 private:
  bool has(std::uint64_t index) { return log_.has(Key(index).view(), values_.make(index, 0)); }

  std::uint64_t command_count_;
  ValueMaker values_;
  Log log_;
};

/// Adds a side, and what its log takes on disk to `sizes`.
template <typename Log>
void add_side(std::uint64_t command_count, Contenders& contenders, std::string& sizes) {
  auto loop = std::make_unique<OpenLoop<Log>>(command_count);
  sizes += (sizes.empty() ? "" : ", ") + std::string(Log::kName) + " " +
           fixed(static_cast<double>(bytes_below(loop->path())) / (1U << 20U), 0) + " MiB";
  contenders.push_back(std::move(loop));
}

/// The peer that the row is judged against is the better one, and there is no verdict without both.
void judge_by_worse(RowOutcome& outcome) {
  auto& results = outcome.results;
  const bool are_both_there = results.size() == 2 && results[0].ratio && results[1].ratio;
  if (!are_both_there) {
    results[0].ratio.reset();
    return;
  }
  if (*results[1].ratio < *results[0].ratio) {
    std::swap(results[0].peer, results[1].peer);
    std::swap(results[0].peer_value, results[1].peer_value);
    std::swap(results[0].ratio, results[1].ratio);
    std::swap(results[0].peer_spread, results[1].peer_spread);
    std::swap(results[0].note, results[1].note);
  }
  results[1].name = std::string("log-recovery/") + results[1].peer;
}

}  // namespace

RowOutcome run_log_recovery(const Row& row, const Settings& settings) {
  const std::uint64_t command_count = command_count_for(settings);
  Contenders contenders;
  std::string sizes;
  add_side<AshlarLog>(command_count, contenders, sizes);
  if (RedisServer::is_installed()) add_side<RedisLog>(command_count, contenders, sizes);
#ifdef ASHLAR_BENCH_ROCKSDB
  add_side<RocksDbLog>(command_count, contenders, sizes);
#endif
  const Settings rounds{.rounds = std::min(settings.rounds, kRoundsMax),
                        .seconds = settings.seconds};
  RowOutcome outcome = compare(row, rounds, contenders, kRedisName);
  judge_by_worse(outcome);
  for (RowResult& result : outcome.results) {
    const auto seconds = [&](double ns) {
      return fixed(ns * 1e-9 * static_cast<double>(command_count), 2) + " s";
    };
    result.note += (result.note.empty() ? "" : "; ") + std::to_string(command_count) +
                   " commands in " + seconds(result.ours) +
                   (result.peer_value ? ", " + result.peer + " in " + seconds(*result.peer_value)
                                      : std::string());
  }
  outcome.results[0].note += "; logs: " + sizes;
  return outcome;
}

}  // namespace ashlar::bench
