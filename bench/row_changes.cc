// What a follower costs the writer whom it follows, and whether it keeps up.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "ashlar/changes.h"
#include "backend_ashlar.h"
#include "bench_directory.h"
#include "keys.h"
#include "random.h"
#include "rows.h"

namespace ashlar::bench {
namespace {

constexpr std::string_view kAloneName = "not followed";

// A follower that keeps up has the rest of a round in a part of the time that the round took.
constexpr double kRestMax = 0.1;

/// One thread writes as fast as it can; where it is followed, another reads all of it meanwhile.
class WriterLoop final : public Contender {
 public:
  enum class Followed : bool { kNo, kYes };

  explicit WriterLoop(Followed followed)
      : Contender(followed == Followed::kYes ? std::string_view("followed") : kAloneName),
        is_followed_(followed == Followed::kYes),
        directory_(is_followed_ ? "followed" : "alone"),
        db_(open_or_throw({.directory = directory_.path() + "/db",
                           .memory_budget_bytes = std::size_t{4} << 30U,
                           .history_bytes_max = std::uint64_t{1} << 30U})) {
    ValueMaker values;
    for (std::uint64_t i = 0; i < kKeyCount; ++i) {
      expect(db_.put(Key(i).view(), values.make(i, 0), Expiry::never(), Durability::kNone)
                 .has_value());
    }
    expect(db_.checkpoint().has_value());
  }

  Figure run(double seconds) override {
    const std::uint64_t begin = ChangeStream::bounds(db_)->newest;
    std::atomic<std::uint64_t> seen_count = 0;
    std::stop_source stop;
    std::jthread follower;
    if (is_followed_) {
      follower = std::jthread([&] {
        const auto count = [&](const CommitChanges&) -> Result<void> {
          seen_count.fetch_add(1, std::memory_order_relaxed);
          return {};
        };
        if (!follow_changes(db_, begin, count, stop.get_token())) has_failed_ = true;
      });
    }
    const Figure figure = write_for(seconds);
    if (is_followed_) wait_for_rest(seconds, begin, seen_count);
    stop.request_stop();
    return figure;
  }

  std::string note() const override {
    if (!is_followed_) return {};
    return "the follower had the rest of a round " + std::to_string(rest_ms_max_) +
           " ms after its end, at most";
  }
  bool has_failed_besides() const override { return has_failed_; }

 private:
  Figure write_for(double seconds) {
    Random random(++round_);
    ValueMaker values;
    return time_operations(seconds, kBlock, [&] {
      const std::uint64_t key = random.below(kKeyCount);
      expect(
          db_.put(Key(key).view(), values.make(key, round_), Expiry::never(), Durability::kProcess)
              .has_value());
    });
  }

  void wait_for_rest(double seconds, std::uint64_t begin,
                     const std::atomic<std::uint64_t>& seen_count) {
    const auto end_of_round = std::chrono::steady_clock::now();
    const std::uint64_t wanted = ChangeStream::bounds(db_)->newest - begin;
    while (seen_count < wanted && !has_failed_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::chrono::duration<double> rest = std::chrono::steady_clock::now() - end_of_round;
    rest_ms_max_ = std::max(rest_ms_max_, static_cast<std::uint64_t>(rest.count() * 1'000));
    if (rest.count() > kRestMax * seconds) has_failed_ = true;
  }

  const bool is_followed_;
  BenchDirectory directory_;
  Db db_;
  std::uint64_t round_ = 0;
  std::uint64_t rest_ms_max_ = 0;
  std::atomic<bool> has_failed_ = false;
};

}  // namespace

RowOutcome run_changes_tail(const Row& row, const Settings& settings) {
  Contenders contenders;
  contenders.push_back(std::make_unique<WriterLoop>(WriterLoop::Followed::kYes));
  contenders.push_back(std::make_unique<WriterLoop>(WriterLoop::Followed::kNo));
  return compare(row, settings, contenders, kAloneName);
}

}  // namespace ashlar::bench
