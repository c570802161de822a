// The row of checkpoints: 1 M keys, a writer that overwrites them as fast as it can, and meanwhile
// all of them are written to a file. Redis forks for that (BGSAVE). Looked at: how much memory
// grows, how long the writer has to wait, and how long it takes.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "backend_durable.h"
#include "keys.h"
#include "latency_histogram.h"
#include "process_memory.h"
#include "random.h"
#include "redis_server.h"
#include "rows.h"

namespace ashlar::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kGrowthMustPercent = 10;
constexpr double kGrowthAimPercent = 3;
constexpr double kLatencyMustMs = 2;
constexpr double kLatencyAimMs = 0.5;

constexpr int kRoundsMax = 3;
constexpr auto kWarmUp = std::chrono::milliseconds(300);
constexpr auto kSamplePause = std::chrono::milliseconds(2);
constexpr auto kProcessSamplePause = std::chrono::milliseconds(10);
constexpr std::uint64_t kCommandsAtATime = 16;  // Of the writer to Redis, which wants a pipeline.

/// What one checkpoint cost.
struct Cost {
  double growth_percent = 0;
  double latency_ms = 0;  ///< p99.9 of the writer: of a write, to Redis of sixteen.
  double seconds = 0;
  double writes_per_second = 0;
};

/// Runs `write` in a thread of its own, without a pause, until it is told to stop.
class Writer {
 public:
  template <typename Write>
  explicit Writer(Write write)
      : thread_([this, write](const std::stop_token& stop) mutable {
          while (!stop.stop_requested()) {
            const auto begin = Clock::now();
            const bool is_done = write();
            const std::chrono::nanoseconds time = Clock::now() - begin;
            failed_count_ += is_done ? 0U : 1U;
            if (is_measured_.load(std::memory_order_relaxed)) {
              times_.add(static_cast<std::uint64_t>(time.count()));
            }
          }
        }) {}

  void begin_measuring() { is_measured_.store(true, std::memory_order_relaxed); }
  void end_measuring() { is_measured_.store(false, std::memory_order_relaxed); }
  void stop() {
    thread_.request_stop();
    thread_.join();
  }

  // Once it has stopped.
  const LatencyHistogram& times() const { return times_; }
  std::uint64_t failed_count() const { return failed_count_; }

 private:
  LatencyHistogram times_;
  std::uint64_t failed_count_ = 0;
  std::atomic<bool> is_measured_{false};
  std::jthread thread_;  // Last: it uses the rest.
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Fills in what the writer of `cost` saw, which has stopped.
void take_writer(const Writer& writer, std::uint64_t commands_each, Cost& cost) {
  cost.latency_ms = writer.times().percentile_ns(99.9) * 1e-6;
  cost.writes_per_second =
      static_cast<double>(writer.times().count() * commands_each) / cost.seconds;
}

Cost run_ashlar(std::uint64_t seed, std::uint64_t& wrong_count) {
  trim_memory();
  const double resident_empty = resident_bytes();
  const BenchDirectory directory("ashlar");
  Db db = open_or_throw(
      {.directory = directory.path() + "/db", .memory_budget_bytes = std::size_t{4} << 30U});
  ValueMaker values;
  const auto put = [&db](std::uint64_t index, std::string_view value) {
    return db.put(Key(index).view(), value, Expiry::never(), Durability::kProcess).has_value();
  };
  for (std::uint64_t index = 0; index < kKeyCount; ++index) {
    wrong_count += put(index, values.make(index, 0)) ? 0U : 1U;
  }
  // One that is not looked at, so that none is made by itself meanwhile.
  wrong_count += db.checkpoint() ? 0U : 1U;

  Writer writer([&put, random = Random(seed), maker = ValueMaker()]() mutable {
    const std::uint64_t index = random.below(kKeyCount);
    return put(index, maker.make(index, random.next()));
  });
  std::this_thread::sleep_for(kWarmUp);
  const double resident_before = resident_bytes();
  std::atomic<double> resident_peak = resident_before;
  std::jthread sampler([&resident_peak](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      resident_peak = std::max(resident_peak.load(), resident_bytes());
      std::this_thread::sleep_for(kSamplePause);
    }
  });
  Cost cost;
  writer.begin_measuring();
  const auto begin = Clock::now();
  wrong_count += db.checkpoint() ? 0U : 1U;
  cost.seconds = seconds_since(begin);
  writer.end_measuring();
  sampler.request_stop();
  sampler.join();
  writer.stop();
  take_writer(writer, 1, cost);
  wrong_count += writer.failed_count();
  cost.growth_percent =
      100 * (resident_peak.load() - resident_before) / (resident_before - resident_empty);
  for (std::uint64_t index = 0; index < kKeyCount; index += 997) {
    const auto found = db.get(Key(index).view());
    const bool is_right = found && *found && ValueMaker::is_value_of(index, (*found)->view());
    wrong_count += is_right ? 0U : 1U;
  }
  return cost;
}

/// Watches the memory of `server` and its children until the save that was begun is over. Returns
/// the peak.
double watch_save(const RedisServer& server) {
  double peak = 0;
  while (true) {
    const std::vector<pid_t> children = children_of(server.pid());
    double bytes = proportional_bytes(server.pid());
    for (const pid_t child : children) bytes += proportional_bytes(child);
    peak = std::max(peak, bytes);
    if (children.empty()) return peak;
    std::this_thread::sleep_for(kProcessSamplePause);
  }
}

Cost run_redis(std::uint64_t seed, std::uint64_t& wrong_count) {
  const BenchDirectory directory("redis");
  const RedisServer server(directory.path(), {});
  RedisConnection connection(server);
  ValueMaker values;
  for (std::uint64_t index = 0; index < kKeyCount; ++index) {
    connection.add_set(Key(index).view(), values.make(index, 0));
    if (index % 256 == 0) wrong_count += connection.flush_sets() ? 0U : 1U;
  }
  wrong_count += connection.flush_sets() ? 0U : 1U;

  RedisConnection writers_connection(server);
  Writer writer([&writers_connection, random = Random(seed), maker = ValueMaker()]() mutable {
    for (std::uint64_t i = 0; i < kCommandsAtATime; ++i) {
      const std::uint64_t index = random.below(kKeyCount);
      writers_connection.add_set(Key(index).view(), maker.make(index, random.next()));
    }
    return writers_connection.flush_sets();
  });
  std::this_thread::sleep_for(kWarmUp);
  const double before = proportional_bytes(server.pid());
  Cost cost;
  writer.begin_measuring();
  const auto begin = Clock::now();
  const auto answer = connection.ask(std::array{std::string_view("BGSAVE")});
  wrong_count += answer && answer->starts_with("+Background saving") ? 0U : 1U;
  const double peak = watch_save(server);
  cost.seconds = seconds_since(begin);
  writer.end_measuring();
  writer.stop();
  take_writer(writer, kCommandsAtATime, cost);
  wrong_count += writer.failed_count();
  cost.growth_percent = 100 * (peak - before) / before;
  wrong_count += connection.info_number("persistence", "rdb_saves") == 1 ? 0U : 1U;
  return cost;
}

/// The spread of one figure over the rounds.
Spread spread_over(const std::vector<Cost>& costs, double Cost::* figure) {
  std::vector<double> figures;
  for (const Cost& cost : costs) figures.push_back(cost.*figure);
  return spread_of(figures);
}

/// A line of the report on `figure`. `redis` is empty when there is none.
RowResult line_of(std::string name, std::string unit, const std::vector<Cost>& ours,
                  const std::vector<Cost>& redis, double Cost::* figure) {
  RowResult result{.name = std::move(name), .peer = std::string(kRedisName)};
  result.unit = std::move(unit);
  result.ours_spread = spread_over(ours, figure);
  result.ours = result.ours_spread->median;
  if (redis.empty()) return result;
  result.peer_spread = spread_over(redis, figure);
  result.peer_value = result.peer_spread->median;
  return result;
}

std::string writes_text(const std::vector<Cost>& costs) {
  return fixed(spread_over(costs, &Cost::writes_per_second).median / 1000, 0) + " K writes/s";
}

}  // namespace

RowOutcome run_checkpoint(const Row& row, const Settings& settings) {
  RowOutcome outcome;
  std::vector<Cost> ours;
  std::vector<Cost> redis;
  std::uint64_t wrong_of_redis = 0;
  for (int round = 0; round < std::min(settings.rounds, kRoundsMax); ++round) {
    const auto seed = static_cast<std::uint64_t>(round);
    ours.push_back(run_ashlar(seed, outcome.wrong_count));
    if (RedisServer::is_installed()) redis.push_back(run_redis(seed, wrong_of_redis));
  }
  if (outcome.wrong_count > 0) outcome.wrong_of = "ashlar";
  if (wrong_of_redis > 0) outcome.wrong_of += " redis";
  outcome.wrong_count += wrong_of_redis;

  const std::string name(row.name);
  RowResult memory = line_of(name + "-memory", "%", ours, redis, &Cost::growth_percent);
  memory.must = kGrowthMustPercent;
  memory.aim = kGrowthAimPercent;
  memory.goal = Goal::kOursAtMost;
  memory.note = "growth of resident memory; of Redis with its child";
  RowResult latency = line_of(name + "-p999", "ms", ours, redis, &Cost::latency_ms);
  latency.must = kLatencyMustMs;
  latency.aim = kLatencyAimMs;
  latency.goal = Goal::kOursAtMost;
  latency.note = "of the writer meanwhile: " + writes_text(ours);
  if (!redis.empty()) latency.note += "; Redis, sixteen at a time: " + writes_text(redis);

  RowResult time = line_of(name, "s", ours, redis, &Cost::seconds);
  if (time.peer_value) time.ratio = *time.peer_value / time.ours;
  time.must = row.must;
  time.aim = row.aim;
  time.has_failed_besides = !is_ok(memory) || !is_ok(latency);
  time.note = "from the call to its end, the file durable";
  outcome.results = {std::move(time), std::move(memory), std::move(latency)};
  return outcome;
}

}  // namespace ashlar::bench
