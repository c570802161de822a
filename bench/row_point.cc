// Rows of single reads and overwrites: the store is loaded once, its keys never change.

#include <cstdint>

#include "keys.h"
#include "peers.h"
#include "random.h"
#include "rows.h"

namespace ashlar::bench {
namespace {

constexpr std::uint64_t kHotKeyCount = 10'000;

template <Backend Store>
class GetLoop final : public Contender {
 public:
  explicit GetLoop(std::uint64_t key_count)
      : Contender(Store::kName), key_count_(key_count), store_(key_count) {
    add_wrong(load(store_, key_count));
  }

  Figure run(double seconds) override {
    Random random(++round_);
    return time_operations(seconds, kBlock, [&] {
      const std::uint64_t index = random.below(key_count_);
      expect(store_.get(Key(index).view(), [index](std::string_view value) {
        return ValueMaker::is_value_of(index, value);
      }));
    });
  }

 private:
  std::uint64_t key_count_;
  std::uint64_t round_ = 0;
  Store store_;
};

template <Backend Store>
class SetLoop final : public Contender {
 public:
  explicit SetLoop(std::uint64_t key_count)
      : Contender(Store::kName), key_count_(key_count), store_(key_count) {
    add_wrong(load(store_, key_count));
  }

  Figure run(double seconds) override {
    Random random(++round_);
    ValueMaker values;
    const Figure figure = time_operations(seconds, kBlock, [&] {
      const std::uint64_t index = random.below(key_count_);
      expect(store_.put(Key(index).view(), values.make(index, round_)));
    });
    look_at_some();
    return figure;
  }

 private:
  // That what was written is there is not a part of the time.
  void look_at_some() {
    Random random(round_);
    for (int i = 0; i < 1000; ++i) {
      const std::uint64_t index = random.below(key_count_);
      expect(store_.get(Key(index).view(), [&](std::string_view value) {
        return value == ValueMaker().make(index, round_);
      }));
    }
  }

  std::uint64_t key_count_;
  std::uint64_t round_ = 0;
  Store store_;
};

}  // namespace

RowOutcome run_get(const Row& row, const Settings& settings) {
  return compare(row, settings, against_all<GetLoop>(kKeyCount), kTbbName);
}

RowOutcome run_get_hot(const Row& row, const Settings& settings) {
  return compare(row, settings, against_all<GetLoop>(kHotKeyCount), LockedMapBackend::kName);
}

RowOutcome run_set(const Row& row, const Settings& settings) {
  return compare(row, settings, against_all<SetLoop>(kKeyCount), kTbbName);
}

}  // namespace ashlar::bench
