// Rows of ten keys at a time. The figure is the time of a whole batch.

#include <array>
#include <cstdint>
#include <optional>

#include "keys.h"
#include "peers.h"
#include "random.h"
#include "rows.h"

namespace ashlar::bench {
namespace {

using Indices = std::array<std::uint64_t, kBatchCount>;

/// The keys of one batch, in memory of the driver.
struct Batch {
  void draw(Random& random) noexcept {
    for (std::size_t i = 0; i < kBatchCount; ++i) {
      indices[i] = random.below(kKeyCount);
      keys[i] = Key(indices[i]);
      views[i] = keys[i].view();
    }
  }

  Indices indices = {};
  std::array<Key, kBatchCount> keys = {Key(0), Key(0), Key(0), Key(0), Key(0),
                                       Key(0), Key(0), Key(0), Key(0), Key(0)};
  std::array<std::string_view, kBatchCount> views;
};

template <Backend Store>
class BatchGetLoop final : public Contender {
 public:
  BatchGetLoop() : Contender(Store::kName), store_(kKeyCount) {
    add_wrong(load(store_, kKeyCount));
  }

  Figure run(double seconds) override {
    Random random(++round_);
    Batch batch;
    return time_operations(seconds, kSlowBlock, [&] {
      batch.draw(random);
      expect(store_.batch_get(batch.views, [&](std::size_t i, std::string_view value) {
        return ValueMaker::is_value_of(batch.indices[i], value);
      }));
    });
  }

 private:
  std::uint64_t round_ = 0;
  Store store_;
};

template <Backend Store>
class BatchSetLoop final : public Contender {
 public:
  BatchSetLoop() : Contender(Store::kName), store_(kKeyCount) {
    add_wrong(load(store_, kKeyCount));
  }

  Figure run(double seconds) override {
    Random random(++round_);
    Batch batch;
    std::array<ValueMaker, kBatchCount> values;
    std::array<Pair, kBatchCount> pairs;
    const Figure figure = time_operations(seconds, kSlowBlock, [&] {
      batch.draw(random);
      for (std::size_t i = 0; i < kBatchCount; ++i) {
        pairs[i] = {.key = batch.views[i], .value = values[i].make(batch.indices[i], round_)};
      }
      expect(store_.batch_set(pairs));
    });
    look_at(batch);
    return figure;
  }

 private:
  // The last batch is there, in this round's version.
  void look_at(const Batch& batch) {
    for (const std::uint64_t index : batch.indices) {
      expect(store_.get(Key(index).view(), [&](std::string_view value) {
        return value == ValueMaker().make(index, round_);
      }));
    }
  }

  std::uint64_t round_ = 0;
  Store store_;
};

}  // namespace

RowOutcome run_batch_get(const Row& row, const Settings& settings) {
  return compare(row, settings, against_tbb<BatchGetLoop>(), kTbbName);
}

RowOutcome run_batch_set(const Row& row, const Settings& settings) {
  return compare(row, settings, against_tbb<BatchSetLoop>(), kTbbName);
}

}  // namespace ashlar::bench
