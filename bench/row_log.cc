// Rows of writes that survive: the process (a write-ahead log without sync) or a power cut (with).
// The figure of the rows with sync is the time between two writes of all threads together.

#include <barrier>
#include <cstdint>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "backend_durable.h"
#include "keys.h"
#include "rows.h"

namespace ashlar::bench {
namespace {

template <typename Store, typename KeyOf>
class FillLoop final : public Contender {
 public:
  FillLoop() : Contender(Store::kName) {}

  void prepare() override { store_ = std::make_unique<Store>(); }

  Figure run(double /*seconds*/) override {
    ValueMaker values;
    const Stopwatch watch;
    for (std::uint64_t index = 0; index < kKeyCount; ++index) {
      expect(store_->put(KeyOf(index).view(), values.make(index, 0), false));
    }
    const Figure figure = watch.each_of(kKeyCount);
    for (std::uint64_t index = 0; index < kKeyCount; index += 9'973) {
      expect(store_->has(KeyOf(index).view(), values.make(index, 0)));
    }
    store_.reset();
    return figure;
  }

 private:
  std::unique_ptr<Store> store_;
};

template <typename Store>
class SyncLoop final : public Contender {
 public:
  explicit SyncLoop(std::size_t thread_count)
      : Contender(Store::kName), thread_count_(thread_count) {}

  Figure run(double seconds) override {
    std::barrier start(static_cast<std::ptrdiff_t>(thread_count_));
    std::vector<Part> parts(thread_count_);
    ++round_;
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < thread_count_; ++i) {
        threads.emplace_back([&, i] {
          start.arrive_and_wait();
          parts[i] = run_part(i, seconds);
        });
      }
    }
    Figure all;
    double rate = 0;
    for (const Part& part : parts) {
      rate += 1 / part.figure.wall;
      all.processor += part.figure.processor / static_cast<double>(thread_count_);
      add_wrong(part.failed_count);
    }
    all.wall = 1 / rate;
    return all;
  }

 private:
  struct Part {
    Figure figure;
    std::uint64_t failed_count = 0;
  };

  Part run_part(std::size_t thread, double seconds) {
    ValueMaker values;
    Part part;
    std::uint64_t index = (round_ << 40U) + (std::uint64_t{thread} << 32U);
    part.figure = time_operations(seconds, 16, [&] {
      const bool is_done = store_.put(Key(index).view(), values.make(index, 0), true);
      part.failed_count += is_done ? 0U : 1U;
      ++index;
    });
    return part;
  }

  std::size_t thread_count_;
  std::uint64_t round_ = 0;
  Store store_;
};

template <typename KeyOf>
RowOutcome run_fill(const Row& row, const Settings& settings) {
  Contenders contenders;
  contenders.push_back(std::make_unique<FillLoop<DurableAshlar, KeyOf>>());
#ifdef ASHLAR_BENCH_ROCKSDB
  contenders.push_back(std::make_unique<FillLoop<RocksDbBackend, KeyOf>>());
#endif
  return compare(row, settings, contenders, kRocksDbName);
}

RowOutcome run_sync(const Row& row, const Settings& settings, std::size_t thread_count) {
  Contenders contenders;
  contenders.push_back(std::make_unique<SyncLoop<DurableAshlar>>(thread_count));
#ifdef ASHLAR_BENCH_ROCKSDB
  contenders.push_back(std::make_unique<SyncLoop<RocksDbBackend>>(thread_count));
#endif
  return compare(row, settings, contenders, kRocksDbName);
}

}  // namespace

RowOutcome run_log_fillseq(const Row& row, const Settings& settings) {
  return run_fill<AscendingKey>(row, settings);
}

RowOutcome run_log_fillrandom(const Row& row, const Settings& settings) {
  return run_fill<Key>(row, settings);
}

RowOutcome run_log_sync_1(const Row& row, const Settings& settings) {
  return run_sync(row, settings, 1);
}

RowOutcome run_log_sync_16(const Row& row, const Settings& settings) {
  return run_sync(row, settings, 16);
}

}  // namespace ashlar::bench
