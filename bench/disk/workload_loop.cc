// The six workloads of YCSB, with two threads. The figure is the time of an operation as each
// thread sees it.
//
// Source: Cooper et al., Benchmarking Cloud Serving Systems with YCSB, SoCC 2010.

#include <algorithm>
#include <array>
#include <barrier>
#include <cstdint>
#include <thread>
#include <vector>

#include "disk/disk_loops.h"
#include "disk/idle.h"
#include "disk/subject.h"
#include "keys.h"
#include "random.h"
#include "zipf.h"

namespace ashlar::bench {
namespace {

constexpr std::size_t kThreadCount = 2;
constexpr std::size_t kDrawCount = std::size_t{1} << 20U;
constexpr double kTheta = 0.99;
constexpr std::uint64_t kScanRowsMax = 100;

/// What each thread asks for, in turn: indices of keys, or how far back from the newest one.
std::vector<std::uint32_t> draws_of(const DiskRow& row) {
  if (row.workload.choice == Workload::Choice::kZipf) {
    return scrambled_zipf(row.key_count, kTheta, kDrawCount, 1);
  }
  const Zipf zipf(row.key_count, kTheta);
  Random random(1);
  std::vector<std::uint32_t> draws(kDrawCount);
  for (auto& draw : draws) draw = static_cast<std::uint32_t>(zipf.draw(random));
  return draws;
}

/// One thread of the workload. It inserts keys of its own, every `kThreadCount`-th beyond the
/// loaded ones, and looks for no insert of the other: that one may not be acknowledged yet.
class Actor {
 public:
  Actor(DiskStore& store, const DiskRow& row, const std::vector<std::uint32_t>& draws,
        std::uint64_t thread)
      : store_(store),
        row_(row),
        draws_(draws),
        thread_(thread),
        random_(thread + 1),
        values_(row.value_bytes),
        reader_(store.make_reader()),
        at_(random_.below(kDrawCount)) {}

  /// One operation. Returns: whether its answer was right
  bool act() {
    const Workload& load = row_.workload;
    auto choice = static_cast<int>(random_.below(100));
    if (choice < load.read_percent) return is_there(pick());
    choice -= load.read_percent;
    if (choice < load.update_percent) return update(pick());
    choice -= load.update_percent;
    if (choice < load.insert_percent) return insert();
    choice -= load.insert_percent;
    if (choice < load.scan_percent) return scan(pick());
    const std::uint64_t index = pick();
    return is_there(index) && update(index);
  }

 private:
  std::uint64_t pick() {
    at_ = (at_ + 1) % kDrawCount;
    const std::uint64_t draw = draws_[at_];
    if (row_.workload.choice == Workload::Choice::kZipf) return draw;
    if (draw < inserted_count_) return own_insert(inserted_count_ - 1 - draw);
    return row_.key_count - 1 - std::min(draw - inserted_count_, row_.key_count - 1);
  }

  std::uint64_t own_insert(std::uint64_t count) const noexcept {
    return row_.key_count + count * kThreadCount + thread_;
  }

  bool is_there(std::uint64_t index) { return reader_->get(Key(index).view()) == Found::kRight; }

  bool update(std::uint64_t index) {
    const Key key(index);
    return store_.put(key.view(), values_.make(key.view(), ++version_));
  }

  bool insert() {
    const Key key(own_insert(inserted_count_));
    const bool is_done = store_.put(key.view(), values_.make(key.view(), 0));
    ++inserted_count_;
    return is_done;
  }

  bool scan(std::uint64_t index) {
    const Key from(index);
    const std::uint64_t row_count = 1 + random_.below(kScanRowsMax);
    reader_->refresh();
    const StoreRow* at = reader_->seek(from.view());
    if (at == nullptr || at->key != from.view()) return false;
    bool is_right = true;
    std::uint64_t rank = 0;
    for (std::uint64_t i = 0; i < row_count && at != nullptr; ++i) {
      is_right &= i == 0 || rank < rank_of(at->key);
      is_right &= DiskValueMaker::is_value_of(at->key, at->value, row_.value_bytes);
      rank = rank_of(at->key);
      at = reader_->next();
    }
    return is_right && !reader_->has_failed();
  }

  DiskStore& store_;
  const DiskRow& row_;
  const std::vector<std::uint32_t>& draws_;
  std::uint64_t thread_;
  Random random_;
  DiskValueMaker values_;
  std::unique_ptr<DiskReader> reader_;
  std::size_t at_;
  std::uint64_t version_ = 0;
  std::uint64_t inserted_count_ = 0;
};

class WorkloadLoop final : public DiskContender {
 public:
  WorkloadLoop(const DiskEngine& engine, const DiskRow& row)
      : DiskContender(engine, row), draws_(draws_of(row)) {
    open_loaded();
    add_wrong(subject().warm_up());
    for (std::uint64_t thread = 0; thread < kThreadCount; ++thread) {
      actors_.push_back(std::make_unique<Actor>(store(), this->row(), draws_, thread));
    }
  }
  WorkloadLoop(const WorkloadLoop&) = delete;
  WorkloadLoop& operator=(const WorkloadLoop&) = delete;
  ~WorkloadLoop() override { actors_.clear(); }  // Before the store that they read.

  Figure run(double seconds) override {
    std::barrier start(static_cast<std::ptrdiff_t>(kThreadCount));
    std::array<Part, kThreadCount> parts = {};
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < kThreadCount; ++i) {
        threads.emplace_back([&, i] {
          start.arrive_and_wait();
          parts[i].figure = time_operations(
              seconds, kSlowBlock, [&] { parts[i].wrong_count += actors_[i]->act() ? 0U : 1U; });
        });
      }
    }
    Figure mean;
    for (const Part& part : parts) {
      mean.wall += part.figure.wall / kThreadCount;
      mean.processor += part.figure.processor / kThreadCount;
      add_wrong(part.wrong_count);
    }
    wait_until_idle();
    return mean;
  }

 private:
  struct alignas(128) Part {  // A line of its own for each thread's count.
    Figure figure;
    std::uint64_t wrong_count = 0;
  };

  std::vector<std::uint32_t> draws_;
  std::vector<std::unique_ptr<Actor>> actors_;
};

}  // namespace

std::unique_ptr<Contender> run_workload(const DiskEngine& engine, const DiskRow& row,
                                        const Settings& /*settings*/) {
  return std::make_unique<WorkloadLoop>(engine, row);
}

}  // namespace ashlar::bench
