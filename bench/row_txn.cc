// Rows of transactions. The figure is the time between two commits of all threads together.

#include <algorithm>
#include <array>
#include <barrier>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "backend_txn.h"
#include "keys.h"
#include "random.h"
#include "rows.h"
#include "zipf.h"

namespace ashlar::bench {
namespace {

constexpr std::string_view kOptimisticName = "rocksdb optimistic";
constexpr std::string_view kLockingName = "rocksdb locking";
constexpr std::size_t kDrawCount = std::size_t{1} << 20U;

/// What the sides of a row share.
struct TxnShape {
  std::uint64_t key_count;
  std::size_t thread_count;
  std::vector<std::uint32_t> draws;  // Empty: uniform.
};

/// Runs a part in each of `count` threads at a time. `part(thread)` gives a Figure.
template <typename Part>
Figure run_threads(std::size_t count, Part part) {
  std::barrier start(static_cast<std::ptrdiff_t>(count));
  std::vector<Figure> figures(count);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        figures[i] = part(i);
      });
    }
  }
  Figure all;
  double rate = 0;
  for (const Figure& figure : figures) {
    rate += 1 / figure.wall;
    all.processor += figure.processor / static_cast<double>(count);
  }
  all.wall = 1 / rate;
  return all;
}

template <typename Store>
class TxnLoop final : public Contender {
 public:
  explicit TxnLoop(const TxnShape* shape) : Contender(Store::kName), shape_(shape) {
    ValueMaker values;
    for (std::uint64_t i = 0; i < shape->key_count; ++i) {
      expect(store_.put(Key(i).view(), values.make(i, 0)));
    }
    expect(store_.settle());
    for (std::uint64_t i = 0; i < shape->key_count; ++i) expect(store_.has(Key(i).view()));
  }

  Figure run(double seconds) override {
    ++round_;
    std::vector<std::uint64_t> wrong_counts(shape_->thread_count, 0);
    const Figure figure = run_threads(shape_->thread_count, [&](std::size_t thread) {
      Random random(round_ * 64 + thread);
      ValueMaker values;
      return time_operations(seconds, kBlock, [&] {
        if (!run_one(random, values)) ++wrong_counts[thread];
      });
    });
    for (const std::uint64_t count : wrong_counts) add_wrong(count);
    return figure;
  }

 private:
  std::uint64_t draw(Random& random) const {
    if (shape_->draws.empty()) return random.below(shape_->key_count);
    return shape_->draws[random.below(kDrawCount)];
  }

  bool run_one(Random& random, ValueMaker& values) {
    std::array keys{Key(draw(random)), Key(draw(random)), Key(draw(random)), Key(draw(random))};
    // In one order everywhere, so that those who lock do not lock each other up.
    std::ranges::sort(keys, {}, &Key::view);
    const std::uint64_t written = random.next();
    return store_.run({.reads = {keys[0].view(), keys[1].view(), keys[2].view(), keys[3].view()},
                       .writes = {keys[0].view(), keys[1].view()},
                       .value = values.make(written, round_)});
  }

  const TxnShape* shape_;
  std::uint64_t round_ = 0;
  Store store_;
};

/// One number that all threads count up. None may be left behind by the others.
template <typename Store>
class CounterLoop final : public Contender {
 public:
  explicit CounterLoop(std::size_t thread_count)
      : Contender(Store::kName), thread_count_(thread_count) {
    expect(store_.put(Key(0).view(), "0"));
  }

  Figure run(double seconds) override {
    std::vector<std::uint64_t> counts(thread_count_, 0);
    const Figure figure = run_threads(thread_count_, [&](std::size_t thread) {
      return time_operations(seconds, 16, [&] {
        if (store_.count_up(Key(0).view())) ++counts[thread];
      });
    });
    for (const std::uint64_t count : counts) {
      counted_ += count;
      least_ = std::min(least_, count);
    }
    expect(store_.number(Key(0).view()) == counted_);
    return figure;
  }

  std::string note() const override {
    return std::string(name()) + ": a thread counted at least " + std::to_string(least_) +
           " times in a round";
  }

 private:
  const std::size_t thread_count_;
  std::uint64_t counted_ = 0;
  std::uint64_t least_ = UINT64_MAX;
  Store store_;
};

template <template <typename> typename Loop, typename Ours, typename PeerKind,
          typename... Arguments>
Contenders against_rocksdb(Arguments... arguments) {
  Contenders contenders;
  contenders.push_back(std::make_unique<Loop<Ours>>(arguments...));
#ifdef ASHLAR_BENCH_ROCKSDB
  contenders.push_back(std::make_unique<Loop<RocksDbTransactions<PeerKind>>>(arguments...));
#endif
  return contenders;
}

#ifndef ASHLAR_BENCH_ROCKSDB
struct RocksDbOptimistic;
struct RocksDbPessimistic;
#endif

template <Engine kEngine>
RowOutcome run_low(const Row& row, const Settings& settings) {
  const TxnShape shape{.key_count = kKeyCount, .thread_count = 1, .draws = {}};
  return compare(row, settings,
                 against_rocksdb<TxnLoop, AshlarTransactions<kEngine>, RocksDbOptimistic>(&shape),
                 kOptimisticName);
}

}  // namespace

RowOutcome run_txn_low(const Row& row, const Settings& settings) {
  return run_low<Engine::kMemory>(row, settings);
}

RowOutcome run_txn_low_disk(const Row& row, const Settings& settings) {
  return run_low<Engine::kDisk>(row, settings);
}

RowOutcome run_txn_high(const Row& row, const Settings& settings) {
  constexpr std::uint64_t kHotKeyCount = 1000;
  const TxnShape shape{.key_count = kHotKeyCount,
                       .thread_count = 2,
                       .draws = scrambled_zipf(kHotKeyCount, 0.99, kDrawCount, 1)};
  return compare(
      row, settings,
      against_rocksdb<TxnLoop, AshlarTransactions<Engine::kMemory>, RocksDbPessimistic>(&shape),
      kLockingName);
}

RowOutcome run_txn_counter(const Row& row, const Settings& settings) {
  constexpr std::size_t kThreadCount = 8;
  return compare(
      row, settings,
      against_rocksdb<CounterLoop, AshlarTransactions<Engine::kMemory>, RocksDbPessimistic>(
          kThreadCount),
      kLockingName);
}

/// Against ourselves at the lower level.
RowOutcome run_txn_serializable_cost(const Row& row, const Settings& settings) {
  using Snapshot = AshlarTransactions<Engine::kMemory, Isolation::kSnapshot>;
  const TxnShape shape{.key_count = kKeyCount, .thread_count = 1, .draws = {}};
  Contenders contenders;
  contenders.push_back(std::make_unique<TxnLoop<AshlarTransactions<Engine::kMemory>>>(&shape));
  contenders.push_back(std::make_unique<TxnLoop<Snapshot>>(&shape));
  return compare(row, settings, contenders, Snapshot::kName);
}

}  // namespace ashlar::bench
