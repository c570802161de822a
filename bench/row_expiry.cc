// The row of expiry: one writer stores keys that live for some seconds, at a steady million a
// second, so that as many expire each second. Looked at: how long an operation may take meanwhile,
// and how much of what is held has already expired.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "backend_ashlar.h"
#include "keys.h"
#include "random.h"
#include "rows.h"

namespace ashlar::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kPutsPerMs = 1000;
constexpr std::int64_t kLifeMs = 2000;
constexpr std::int64_t kWarmUpMs = kLifeMs + 1000;
constexpr std::int64_t kSlackMs = 100;  // Keys this close to their deadline are not asked for.
constexpr std::int64_t kStatsEveryMs = 50;
constexpr int kBlockPuts = 64;  // Puts between two readings of the clock.
constexpr int kPutsPerGet = 4;
constexpr int kSampledOneIn = 8;
constexpr double kExpiredMillionsMin = 0.9;  // A second; with less, the row says nothing.
constexpr double kLatencyMaxUs = 2000;       // Of p99.9.

/// Times of operations, those that were sampled.
class Latencies {
 public:
  template <typename Operation>
  auto time(Operation operation) {
    const auto begin = Clock::now();
    const auto answer = operation();
    samples_us_.push_back(std::chrono::duration<float, std::micro>(Clock::now() - begin).count());
    return answer;
  }

  double percentile_us(double percent) {
    if (samples_us_.empty()) return 0;
    const auto last = static_cast<double>(samples_us_.size() - 1);
    const auto at = static_cast<std::ptrdiff_t>(percent / 100 * last);
    std::ranges::nth_element(samples_us_, samples_us_.begin() + at);
    return static_cast<double>(*(samples_us_.begin() + at));
  }

  void clear() { samples_us_.clear(); }

 private:
  std::vector<float> samples_us_;
};

/// The writer. Key k is the k-th key stored; no key is stored twice.
class Churn {
 public:
  explicit Churn(std::int64_t measured_ms)
      : end_ms_(kWarmUpMs + measured_ms), count_by_ms_(static_cast<std::size_t>(end_ms_) + 1) {}

  void run() {
    std::int64_t next_stats_ms = kWarmUpMs;
    bool is_measuring = false;
    for (std::int64_t ms = elapsed_ms(); ms < end_ms_; ms = elapsed_ms()) {
      note_time(ms);
      if (!is_measuring && ms >= kWarmUpMs) {
        is_measuring = true;
        begin_measuring();
      }
      if (ms >= next_stats_ms) {
        look_at_stats();
        next_stats_ms = ms + kStatsEveryMs;
      }
      if (static_cast<std::int64_t>(put_count_) < (ms + 1) * kPutsPerMs) {
        run_block(ms);
      } else {
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
    }
    look_at_stats();
    expired_count_ = stats_.expired_count - expired_before_;
  }

  Latencies puts;
  Latencies gets;
  double block_us_max = 0;  ///< The longest block of puts and gets.
  double dead_percent_mean = 0;
  double dead_percent_max = 0;
  std::uint64_t wrong_count = 0;

  /// Keys that expired and were reclaimed while measuring, in millions a second.
  double expired_millions() const {
    return static_cast<double>(expired_count_) / static_cast<double>(end_ms_ - kWarmUpMs) / 1000;
  }
  const Stats& stats() const { return stats_; }

 private:
  std::int64_t elapsed_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin_).count();
  }

  // count_by_ms_[t]: how many keys had been stored when t ms were over.
  void note_time(std::int64_t ms) {
    for (; noted_ms_ <= ms; ++noted_ms_)
      count_by_ms_[static_cast<std::size_t>(noted_ms_)] = put_count_;
  }

  /// How many keys had been stored `age_ms` ago.
  std::uint64_t count_ago(std::int64_t ms, std::int64_t age_ms) const {
    return ms < age_ms ? 0 : count_by_ms_[static_cast<std::size_t>(ms - age_ms)];
  }

  void begin_measuring() {
    puts.clear();
    gets.clear();
    block_us_max = 0;
    if (const auto stats = db_.stats()) expired_before_ = stats->expired_count;
  }

  void run_block(std::int64_t ms) {
    const auto begin = Clock::now();
    const std::uint64_t live_begin = count_ago(ms, kLifeMs - kSlackMs);
    const std::uint64_t dead_end = count_ago(ms, kLifeMs + kSlackMs);
    for (int i = 0; i < kBlockPuts; ++i) {
      put_one(i % kSampledOneIn == 0);
      if (i % kPutsPerGet != 0) continue;
      const bool is_sampled = i % (kSampledOneIn * kPutsPerGet) == 0;
      get_one(live_begin + random_.below(put_count_ - live_begin), true, is_sampled);
      if (i == 0 && dead_end > 0) get_one(random_.below(dead_end), false, false);
    }
    const std::chrono::duration<double, std::micro> taken = Clock::now() - begin;
    block_us_max = std::max(block_us_max, taken.count());
  }

  void put_one(bool is_sampled) {
    const std::uint64_t index = put_count_++;
    const auto put = [&] {
      return db_
          .put(Key(index).view(), values_.make(index, 0),
               Expiry::in(std::chrono::milliseconds(kLifeMs)))
          .has_value();
    };
    const bool is_done = is_sampled ? puts.time(put) : put();
    wrong_count += is_done ? 0U : 1U;
  }

  // A live key has its value, a dead one is absent whether or not it was reclaimed.
  static bool is_right(std::uint64_t index, const std::optional<Value>& value, bool is_live) {
    return value ? is_live && ValueMaker::is_value_of(index, value->view()) : !is_live;
  }

  void get_one(std::uint64_t index, bool is_live, bool is_sampled) {
    const Key key(index);
    const auto get = [&] { return db_.get(key.view()); };
    const auto found = is_sampled ? gets.time(get) : get();
    wrong_count += found && is_right(index, *found, is_live) ? 0U : 1U;
  }

  // What is held beyond the keys that we know to be alive is dead.
  void look_at_stats() {
    const auto stats = db_.stats();
    if (!stats) return;
    stats_ = *stats;
    const std::int64_t ms = std::min(elapsed_ms(), end_ms_);
    note_time(ms);
    const auto alive = static_cast<double>(put_count_ - count_ago(ms, kLifeMs));
    const auto held = static_cast<double>(std::max<std::uint64_t>(stats->key_count, 1));
    const double dead_percent = std::max(0.0, 100 * (held - alive) / held);
    dead_percent_max = std::max(dead_percent_max, dead_percent);
    ++look_count_;
    dead_percent_mean += (dead_percent - dead_percent_mean) / look_count_;
  }

  std::int64_t end_ms_;
  std::vector<std::uint64_t> count_by_ms_;
  std::int64_t noted_ms_ = 0;
  Db db_ = open_or_throw({.memory_budget_bytes = std::size_t{4} << 30U});
  ValueMaker values_;
  Random random_{3};
  Stats stats_;
  std::uint64_t put_count_ = 0;
  std::uint64_t expired_before_ = 0;
  std::uint64_t expired_count_ = 0;
  double look_count_ = 0;
  Clock::time_point begin_ = Clock::now();
};

RowResult latency_line(const Row& row, const std::string& what, Latencies& latencies) {
  return {.name = std::string(row.name) + "/" + what + " p99.9",
          .ours = latencies.percentile_us(99.9),
          .unit = "us",
          .must = kLatencyMaxUs,
          .goal = Goal::kOursAtMost,
          .note = "p50 " + fixed(latencies.percentile_us(50), 2) + ", p99 " +
                  fixed(latencies.percentile_us(99), 2) + ", slowest sampled " +
                  fixed(latencies.percentile_us(100), 1) + " us"};
}

}  // namespace

RowOutcome run_expiry_churn(const Row& row, const Settings& settings) {
  const double wanted_ms = settings.seconds * settings.rounds * 2 * 1000;
  Churn churn(
      std::clamp(static_cast<std::int64_t>(wanted_ms), std::int64_t{1000}, std::int64_t{10'000}));
  churn.run();

  const RowResult put = latency_line(row, "put", churn.puts);
  const RowResult get = latency_line(row, "get", churn.gets);
  RowOutcome outcome;
  outcome.wrong_count = churn.wrong_count;
  outcome.wrong_of = AshlarBackend::kName;
  outcome.results.push_back(
      {.name = std::string(row.name),
       .ours = churn.dead_percent_mean,
       .unit = "% dead",
       .must = row.must,
       .aim = row.aim,
       .goal = Goal::kOursAtMost,
       .has_failed_besides =
           !is_ok(put) || !is_ok(get) || churn.expired_millions() < kExpiredMillionsMin,
       .note = fixed(churn.expired_millions(), 2) + " M keys reclaimed a second, dead at most " +
               fixed(churn.dead_percent_max, 2) + " %, lag at most " +
               std::to_string(churn.stats().expiry_lag_ms_max) + " ms, slowest block of " +
               std::to_string(kBlockPuts) + " puts " + fixed(churn.block_us_max, 0) + " us"});
  outcome.results.push_back(put);
  outcome.results.push_back(get);
  return outcome;
}

}  // namespace ashlar::bench
