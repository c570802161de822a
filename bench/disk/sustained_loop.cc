// The row of writes that go on until merging is what limits them: twenty million of them over five
// million keys. The figure is the time of a write, the merging that is left at the end included;
// the longest stall of a writer is in the notes, and one above a tenth of a second misses the row.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "disk/disk_loops.h"
#include "disk/idle.h"
#include "disk/subject.h"
#include "keys.h"
#include "random.h"

namespace ashlar::bench {
namespace {

constexpr std::uint64_t kWritesPerKey = 4;
constexpr double kStallSecondsMax = 0.1;

class SustainedLoop final : public DiskContender {
 public:
  SustainedLoop(const DiskEngine& engine, const DiskRow& row) : DiskContender(engine, row) {}

  void prepare() override {
    subject().begin_anew();
    add_wrong(subject().load());
  }

  Figure run(double /*seconds*/) override {
    using Clock = std::chrono::steady_clock;
    const std::uint64_t write_count = row().key_count * kWritesPerKey;
    const auto begin = Clock::now();
    const Stopwatch watch;
    write_all(write_count);
    const Figure written = watch.each_of(write_count);
    wait_until_idle_and_note();
    const std::chrono::duration<double> seconds = settled_ - begin;
    look_at_some();
    subject().close();
    return {.wall = seconds.count() * 1e9 / static_cast<double>(write_count),
            .processor = written.processor};
  }

  std::string note() const override {
    return std::string(name()) + ": longest stall " + fixed(stall_seconds_ * 1000, 0) +
           " ms, settled " + fixed(settle_seconds_, 2) + " s after the last write";
  }

  bool has_failed_besides() const override { return stall_seconds_ > kStallSecondsMax; }

 private:
  void write_all(std::uint64_t write_count) {
    constexpr std::uint64_t kLookEvery = 16;  // Writes between two readings of the clock.
    DiskValueMaker values(row().value_bytes);
    Random random(1);
    auto last_look = std::chrono::steady_clock::now();
    std::uint64_t failed_count = 0;
    for (std::uint64_t i = 0; i < write_count; ++i) {
      const Key key(random.below(row().key_count));
      failed_count += store().put(key.view(), values.make(key.view(), i)) ? 0U : 1U;
      if (i % kLookEvery != 0) continue;
      const auto now = std::chrono::steady_clock::now();
      stall_seconds_ =
          std::max(stall_seconds_, std::chrono::duration<double>(now - last_look).count());
      last_look = now;
    }
    add_wrong(failed_count);
  }

  void wait_until_idle_and_note() {
    const auto begin = std::chrono::steady_clock::now();
    settle_seconds_ = wait_until_idle();
    settled_ = begin + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                           std::chrono::duration<double>(settle_seconds_));
  }

  void look_at_some() {
    const auto reader = store().make_reader();
    for (std::uint64_t index = 0; index < row().key_count; index += 997) {
      expect(reader->get(Key(index).view()) == Found::kRight);
    }
  }

  double stall_seconds_ = 0;
  double settle_seconds_ = 0;
  std::chrono::steady_clock::time_point settled_;
};

}  // namespace

std::unique_ptr<Contender> overwrite_sustained(const DiskEngine& engine, const DiskRow& row,
                                               const Settings& settings) {
  return std::make_unique<SustainedLoop>(engine, scaled(row, settings));
}

}  // namespace ashlar::bench
