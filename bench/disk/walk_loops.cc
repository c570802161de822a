// Rows of walks over what is in the cache: from end to end, the figure is the time of a row; or ten
// rows on from a random one, the figure is the time of all that.

#include <cstdint>

#include "disk/disk_loops.h"
#include "disk/subject.h"
#include "keys.h"
#include "random.h"

namespace ashlar::bench {
namespace {

enum class Direction : std::uint8_t { kForward, kBackward };

class WalkLoop final : public DiskContender {
 public:
  WalkLoop(const DiskEngine& engine, const DiskRow& row, Direction direction)
      : DiskContender(engine, row), direction_(direction) {
    open_loaded();
    add_wrong(subject().warm_up());
  }

  Figure run(double seconds) override {
    const auto reader = store().make_reader();
    const Figure figure =
        direction_ == Direction::kForward
            ? walk(
                  seconds, [&] { return reader->seek_to_first(); }, [&] { return reader->next(); },
                  [](std::uint64_t before, std::uint64_t rank) { return before < rank; })
            : walk(
                  seconds, [&] { return reader->seek_to_last(); },
                  [&] { return reader->previous(); },
                  [](std::uint64_t before, std::uint64_t rank) { return before > rank; });
    expect(!reader->has_failed());
    return figure;
  }

 private:
  /// Walks from `begin` by `step` again and again: all rows must come, in order.
  template <typename Begin, typename Step, typename IsInOrder>
  Figure walk(double seconds, Begin begin, Step step, IsInOrder is_in_order) {
    const std::size_t value_bytes = row().value_bytes;
    const StoreRow* at = nullptr;
    std::uint64_t rank = 0;
    std::uint64_t seen_count = row().key_count;  // Of the walk before.
    return time_operations(seconds, kBlock, [&] {
      if (at == nullptr) {
        expect(seen_count == row().key_count);
        at = begin();
        seen_count = 0;
        expect(at != nullptr);
        if (at == nullptr) return;
      } else {
        expect(is_in_order(rank, rank_of(at->key)));
      }
      rank = rank_of(at->key);
      expect(DiskValueMaker::is_value_of(at->key, at->value, value_bytes));
      ++seen_count;
      at = step();
    });
  }

  Direction direction_;
};

class SeekLoop final : public DiskContender {
 public:
  SeekLoop(const DiskEngine& engine, const DiskRow& row) : DiskContender(engine, row) {
    open_loaded();
    add_wrong(subject().warm_up());
  }

  Figure run(double seconds) override {
    const auto reader = store().make_reader();
    Random random(++round_);
    const std::uint64_t count = row().key_count;
    const Figure figure = time_operations(seconds, kSlowBlock, [&] {
      const Key from(random.below(count));
      expect(is_right(*reader, from));
    });
    expect(!reader->has_failed());
    return figure;
  }

 private:
  static constexpr int kNexts = 10;

  bool is_right(DiskReader& reader, const Key& from) const {
    const StoreRow* at = reader.seek(from.view());
    if (at == nullptr || at->key != from.view()) return false;
    bool is_right = DiskValueMaker::is_value_of(at->key, at->value, row().value_bytes);
    std::uint64_t rank = rank_of(at->key);
    for (int i = 0; i < kNexts; ++i) {
      at = reader.next();
      if (at == nullptr) return is_right && rank > kNearTheEnd;
      is_right &= rank < rank_of(at->key);
      rank = rank_of(at->key);
      is_right &= DiskValueMaker::is_value_of(at->key, at->value, row().value_bytes);
    }
    return is_right;
  }

  static constexpr std::uint64_t kNearTheEnd = ~std::uint64_t{0} / 1000 * 999;

  std::uint64_t round_ = 0;
};

}  // namespace

std::unique_ptr<Contender> walk_forward(const DiskEngine& engine, const DiskRow& row,
                                        const Settings& /*settings*/) {
  return std::make_unique<WalkLoop>(engine, row, Direction::kForward);
}

std::unique_ptr<Contender> walk_backward(const DiskEngine& engine, const DiskRow& row,
                                         const Settings& /*settings*/) {
  return std::make_unique<WalkLoop>(engine, row, Direction::kBackward);
}

std::unique_ptr<Contender> seek_random(const DiskEngine& engine, const DiskRow& row,
                                       const Settings& /*settings*/) {
  return std::make_unique<SeekLoop>(engine, row);
}

}  // namespace ashlar::bench
