// Rows of two threads that read and overwrite keys of uneven popularity. The figure is the time of
// an operation as each thread sees it.

#include <array>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "keys.h"
#include "peers.h"
#include "random.h"
#include "rows.h"
#include "zipf.h"

namespace ashlar::bench {
namespace {

constexpr std::size_t kThreadCount = 2;
constexpr std::size_t kDrawCount = std::size_t{1} << 21U;  // 8 MiB, read in order.
constexpr double kTheta = 0.99;

/// What both sides of a row share.
struct Mix {
  std::vector<std::uint32_t> draws;
  std::uint64_t read_percent;
};

template <Backend Store>
class MixedLoop final : public Contender {
 public:
  explicit MixedLoop(const Mix* mix) : Contender(Store::kName), mix_(mix), store_(kKeyCount) {
    add_wrong(load(store_, kKeyCount));
  }

  Figure run(double seconds) override {
    ++round_;
    std::barrier start(static_cast<std::ptrdiff_t>(kThreadCount));
    std::array<Part, kThreadCount> parts = {};
    {
      std::vector<std::jthread> threads;
      threads.reserve(kThreadCount);
      for (std::size_t i = 0; i < kThreadCount; ++i) {
        threads.emplace_back([&, i] {
          start.arrive_and_wait();
          parts[i] = run_part(i, seconds);
        });
      }
    }
    Figure mean;
    for (const auto& part : parts) {
      mean.wall += part.figure.wall / kThreadCount;
      mean.processor += part.figure.processor / kThreadCount;
      add_wrong(part.wrong_count);
    }
    return mean;
  }

 private:
  struct Part {
    Figure figure;
    std::uint64_t wrong_count;
  };

  Part run_part(std::size_t thread, double seconds) {
    Random random(round_ * kThreadCount + thread);
    ValueMaker values;
    std::size_t at = random.below(kDrawCount);
    std::uint64_t wrong_count = 0;
    const Figure figure = time_operations(seconds, kBlock, [&] {
      at = (at + 1) % kDrawCount;
      const std::uint64_t index = mix_->draws[at];
      const Key key(index);
      const bool is_right = random.below(100) < mix_->read_percent
                                ? store_.get(
                                      key.view(),
                                      [index](std::string_view value) {
                                        return ValueMaker::is_value_of(index, value);
                                      })
                                : store_.put(key.view(), values.make(index, round_));
      wrong_count += is_right ? 0U : 1U;
    });
    return {.figure = figure, .wrong_count = wrong_count};
  }

  const Mix* mix_;
  std::uint64_t round_ = 0;
  Store store_;
};

RowOutcome run_mixed(const Row& row, const Settings& settings, std::uint64_t read_percent) {
  const Mix mix = {.draws = scrambled_zipf(kKeyCount, kTheta, kDrawCount, 1),
                   .read_percent = read_percent};
  return compare(row, settings, against_tbb<MixedLoop>(&mix), kTbbName);
}

}  // namespace

RowOutcome run_mixed_95_5(const Row& row, const Settings& settings) {
  return run_mixed(row, settings, 95);
}

RowOutcome run_mixed_50_50(const Row& row, const Settings& settings) {
  return run_mixed(row, settings, 50);
}

}  // namespace ashlar::bench
