// Rows of point reads of what is in the cache. The figure is the time of a key.

#include <cstdint>
#include <string_view>
#include <vector>

#include "disk/disk_loops.h"
#include "disk/random_batch.h"
#include "disk/subject.h"
#include "keys.h"
#include "random.h"

namespace ashlar::bench {
namespace {

/// Reads uniform keys, one by one or so many at once.
class ReadLoop final : public DiskContender {
 public:
  ReadLoop(const DiskEngine& engine, const DiskRow& row) : DiskContender(engine, row) {
    open_loaded();
    add_wrong(subject().warm_up());
  }

  Figure run(double seconds) override {
    return row().batch_count > 1 ? read_batches(seconds) : read_singly(seconds);
  }

 private:
  Figure read_singly(double seconds) {
    const auto reader = store().make_reader();
    Random random(++round_);
    const std::uint64_t count = row().key_count;
    return time_operations(seconds, kBlock, [&] {
      expect(reader->get(Key(random.below(count)).view()) == Found::kRight);
    });
  }

  Figure read_batches(double seconds) {
    const auto reader = store().make_reader();
    RandomBatch batch(row(), ++round_);
    const Figure figure =
        time_operations(seconds, kSlowBlock, [&] { expect(reader->multi_get(batch.draw())); });
    return batch.figure_of_a_key(figure);
  }

  std::uint64_t round_ = 0;
};

/// Asks for keys that are not there, strewn over those that are.
class MissingLoop final : public DiskContender {
 public:
  MissingLoop(const DiskEngine& engine, const DiskRow& row) : DiskContender(engine, row) {
    open_loaded();
    add_wrong(subject().warm_up());
  }

  Figure run(double seconds) override {
    const auto reader = store().make_reader();
    Random random(++round_);
    const std::uint64_t count = row().key_count;
    return time_operations(seconds, kBlock, [&] {
      expect(reader->get(Key(count + random.below(count)).view()) == Found::kAbsent);
    });
  }

 private:
  std::uint64_t round_ = 0;
};

}  // namespace

std::unique_ptr<Contender> read_random(const DiskEngine& engine, const DiskRow& row,
                                       const Settings& /*settings*/) {
  return std::make_unique<ReadLoop>(engine, row);
}

std::unique_ptr<Contender> read_missing(const DiskEngine& engine, const DiskRow& row,
                                        const Settings& /*settings*/) {
  return std::make_unique<MissingLoop>(engine, row);
}

}  // namespace ashlar::bench
