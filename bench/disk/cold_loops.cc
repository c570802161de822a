// Rows of data four times as large as memory. Each store opens and reads within a limit of its own
// that counts its heap and the page cache. Those whose caches and filters come from an allocator
// get a little on top, for what that loses. LMDB has no such thing, nor has Ashlar: it takes whole
// huge pages, of no more than its budget.

#include <cstdint>
#include <optional>
#include <vector>

#include "disk/disk_loops.h"
#include "disk/memory_cage.h"
#include "disk/random_batch.h"
#include "disk/subject.h"
#include "keys.h"
#include "random.h"
#include "zipf.h"

namespace ashlar::bench {
namespace {

constexpr std::size_t kHeapSlackBytes = std::size_t{24} << 20U;
// Many more than fit in a cache, so that their going round helps none.
constexpr std::size_t kDrawCount = std::size_t{1} << 23U;
constexpr double kTheta = 0.99;
constexpr int kColdBlock = 32;

std::size_t limit_of(const DiskEngine& engine, const DiskRow& row) {
  const bool has_slack = engine.name != kDiskAshlarName && engine.name != kDiskLmdbName;
  return row.memory_bytes + (has_slack ? kHeapSlackBytes : 0);
}

/// Opens its store within a limit, and warms it there.
class ColdLoop : public DiskContender {
 public:
  ColdLoop(const DiskEngine& engine, const DiskRow& row)
      : DiskContender(engine, row), cage_(std::string(engine.name), limit_of(engine, row)) {
    open_loaded();
    subject().close();
    drop_from_page_cache(subject().path());
  }

  Figure run(double seconds) override {
    const MemoryCage::Stay stay(cage_);
    if (!subject().is_open()) {
      subject().open();
      warm_up(seconds);
    }
    return read(seconds);
  }

 protected:
  /// Reads for `seconds`.
  virtual Figure read(double seconds) = 0;

  /// Reads until the caches have what they will have.
  virtual void warm_up(double seconds) { read(kWarmUps * seconds); }

 private:
  static constexpr double kWarmUps = 3;

  MemoryCage cage_;
};

class ZipfColdLoop final : public ColdLoop {
 public:
  ZipfColdLoop(const DiskEngine& engine, const DiskRow& row)
      : ColdLoop(engine, row), draws_(scrambled_zipf(row.key_count, kTheta, kDrawCount, 1)) {}

 private:
  // Reads enough to find out which keys are asked for again and again: a cache of a few hundred
  // thousand rows is not full before. A store so slow that it takes long over them gets fewer.
  static constexpr double kWarmUpReadsPerSecond = 1'000'000;
  static constexpr double kWarmUpsMax = 100;

  Figure read(double seconds) override {
    const auto reader = store().make_reader();
    return time_operations(seconds, kColdBlock, [&] { read_next(*reader); });
  }

  void warm_up(double seconds) override {
    const auto reader = store().make_reader();
    const auto count_max = static_cast<std::uint64_t>(kWarmUpReadsPerSecond * seconds);
    std::uint64_t count = 0;
    for (double left = kWarmUpsMax * seconds; left > 0 && count < count_max; left -= seconds) {
      time_operations(seconds, kColdBlock, [&] {
        read_next(*reader);
        ++count;
      });
    }
  }

  void read_next(DiskReader& reader) {
    at_ = (at_ + 1) % kDrawCount;
    expect(reader.get(Key(draws_[at_]).view()) == Found::kRight);
  }

  std::vector<std::uint32_t> draws_;
  std::size_t at_ = 0;
};

class BatchColdLoop final : public ColdLoop {
 public:
  using ColdLoop::ColdLoop;

 private:
  Figure read(double seconds) override {
    const auto reader = store().make_reader();
    RandomBatch batch(row(), ++round_);
    const Figure figure =
        time_operations(seconds, 1, [&] { expect(reader->multi_get(batch.draw())); });
    return batch.figure_of_a_key(figure);
  }

  std::uint64_t round_ = 0;
};

}  // namespace

std::unique_ptr<Contender> read_zipf_cold(const DiskEngine& engine, const DiskRow& row,
                                          const Settings& /*settings*/) {
  return std::make_unique<ZipfColdLoop>(engine, row);
}

std::unique_ptr<Contender> read_batches_cold(const DiskEngine& engine, const DiskRow& row,
                                             const Settings& /*settings*/) {
  return std::make_unique<BatchColdLoop>(engine, row);
}

}  // namespace ashlar::bench
