// Rows that change which keys there are: a round is a million operations, however long it takes.

#include <cstdint>
#include <memory>

#include "keys.h"
#include "peers.h"
#include "random.h"
#include "rows.h"

namespace ashlar::bench {
namespace {

template <Backend Store>
class InsertLoop final : public Contender {
 public:
  InsertLoop() : Contender(Store::kName) {}

  void prepare() override {
    store_.reset();
    store_ = std::make_unique<Store>(kKeyCount);
  }

  Figure run(double /*seconds*/) override {
    const Stopwatch watch;
    add_wrong(load(*store_, kKeyCount));
    const Figure figure = watch.each_of(kKeyCount);
    look_at_some();
    store_.reset();  // The next one in turn has the memory to itself.
    return figure;
  }

 private:
  void look_at_some() {
    for (std::uint64_t index = 0; index < kKeyCount; index += 997) {
      expect(store_->get(Key(index).view(), [index](std::string_view value) {
        return ValueMaker::is_value_of(index, value);
      }));
    }
  }

  std::unique_ptr<Store> store_;
};

template <Backend Store>
class DeleteLoop final : public Contender {
 public:
  DeleteLoop() : Contender(Store::kName), store_(kKeyCount) {}

  void prepare() override { add_wrong(load(store_, kKeyCount)); }

  Figure run(double /*seconds*/) override {
    const Shuffle shuffle(kKeyCount);
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < kKeyCount; ++i) expect(store_.erase(Key(shuffle.at(i)).view()));
    const Figure figure = watch.each_of(kKeyCount);
    for (std::uint64_t index = 0; index < kKeyCount; index += 997) {
      expect(!store_.get(Key(index).view(), [](std::string_view) { return true; }));
    }
    return figure;
  }

 private:
  Store store_;
};

}  // namespace

RowOutcome run_insert(const Row& row, const Settings& settings) {
  return compare(row, settings, against_all<InsertLoop>(), kTbbName);
}

RowOutcome run_delete(const Row& row, const Settings& settings) {
  return compare(row, settings, against_all<DeleteLoop>(), kTbbName);
}

}  // namespace ashlar::bench
