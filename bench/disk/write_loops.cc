// Rows of writes: a round is all keys of the row once. The figure is the time of a key until it is
// acknowledged; how long the engine then works on in the background is in the notes.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "disk/disk_loops.h"
#include "disk/idle.h"
#include "disk/subject.h"
#include "keys.h"
#include "random.h"

namespace ashlar::bench {
namespace {

/// A loop that writes every key of its row once a round.
class WriteLoop : public DiskContender {
 public:
  using DiskContender::DiskContender;

  std::string note() const override {
    return std::string(name()) + " settled " + fixed(settle_seconds_, 2) + " s later";
  }

 protected:
  /// Waits for the end of what the round left to do: who is next has the machine to itself.
  void settle() { settle_seconds_ = wait_until_idle(); }

  /// Writes version `version` of the keys at all positions, in the order of `position_at`.
  template <typename PositionAt>
  Figure write_all(std::uint64_t version, PositionAt position_at) {
    return row().order == KeyOrder::kAscending ? write_keys<AscendingKey>(version, position_at)
                                               : write_keys<Key>(version, position_at);
  }

  /// Looks at some of what should be there.
  void look_at_some() {
    const auto reader = store().make_reader();
    std::string key;
    for (std::uint64_t position = 0; position < row().key_count; position += 997) {
      expect(reader->get(key_of(row(), position, key)) == Found::kRight);
    }
  }

 private:
  template <typename AnyKey, typename PositionAt>
  Figure write_keys(std::uint64_t version, PositionAt position_at) {
    return row().batch_count > 1 ? write_batches<AnyKey>(version, position_at)
                                 : write_singly<AnyKey>(version, position_at);
  }

  template <typename AnyKey, typename PositionAt>
  Figure write_singly(std::uint64_t version, PositionAt position_at) {
    DiskValueMaker values(row().value_bytes);
    DiskStore& into = store();
    const std::uint64_t count = row().key_count;
    std::uint64_t failed_count = 0;
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < count; ++i) {
      const AnyKey key(position_at(i));
      failed_count += into.put(key.view(), values.make(key.view(), version)) ? 0U : 1U;
    }
    const Figure figure = watch.each_of(count);
    add_wrong(failed_count);
    return figure;
  }

  template <typename AnyKey, typename PositionAt>
  Figure write_batches(std::uint64_t version, PositionAt position_at) {
    const std::size_t batch_count = row().batch_count;
    std::vector<DiskValueMaker> values(batch_count, DiskValueMaker(row().value_bytes));
    std::vector<AnyKey> keys(batch_count, AnyKey(0));
    std::vector<Pair> pairs(batch_count);
    const std::uint64_t count = row().key_count / batch_count * batch_count;
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < count; i += batch_count) {
      for (std::size_t k = 0; k < batch_count; ++k) {
        keys[k] = AnyKey(position_at(i + k));
        pairs[k] = {.key = keys[k].view(), .value = values[k].make(keys[k].view(), version)};
      }
      expect(store().write(pairs));
    }
    return watch.each_of(count);
  }

  double settle_seconds_ = 0;
};

/// Into an empty store.
class FillLoop final : public WriteLoop {
 public:
  using WriteLoop::WriteLoop;

  void prepare() override { subject().begin_anew(); }

  Figure run(double /*seconds*/) override {
    const Figure figure = write_all(0, [](std::uint64_t i) { return i; });
    settle();
    look_at_some();
    subject().close();
    return figure;
  }
};

/// Over what is there.
class OverwriteLoop final : public WriteLoop {
 public:
  OverwriteLoop(const DiskEngine& engine, const DiskRow& row) : WriteLoop(engine, row) {
    open_loaded();
  }

  Figure run(double /*seconds*/) override {
    const Shuffle shuffle(row().key_count);
    const Figure figure =
        write_all(++version_, [&shuffle](std::uint64_t i) { return shuffle.at(i); });
    settle();
    look_at_some();
    return figure;
  }

 private:
  std::uint64_t version_ = 0;
};

class DeleteLoop final : public WriteLoop {
 public:
  using WriteLoop::WriteLoop;

  void prepare() override {
    subject().begin_anew();
    add_wrong(subject().load());
  }

  Figure run(double /*seconds*/) override {
    const std::uint64_t count = row().key_count;
    const Shuffle shuffle(count);
    std::uint64_t failed_count = 0;
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < count; ++i) {
      failed_count += store().erase(Key(shuffle.at(i)).view()) ? 0U : 1U;
    }
    const Figure figure = watch.each_of(count);
    add_wrong(failed_count);
    settle();
    look_for_some();
    subject().close();
    return figure;
  }

 private:
  void look_for_some() {
    const auto reader = store().make_reader();
    for (std::uint64_t index = 0; index < row().key_count; index += 997) {
      expect(reader->get(Key(index).view()) == Found::kAbsent);
    }
    expect(reader->seek_to_first() == nullptr && !reader->has_failed());
  }
};

}  // namespace

std::unique_ptr<Contender> fill(const DiskEngine& engine, const DiskRow& row,
                                const Settings& /*settings*/) {
  return std::make_unique<FillLoop>(engine, row);
}

std::unique_ptr<Contender> overwrite(const DiskEngine& engine, const DiskRow& row,
                                     const Settings& /*settings*/) {
  return std::make_unique<OverwriteLoop>(engine, row);
}

std::unique_ptr<Contender> delete_all(const DiskEngine& engine, const DiskRow& row,
                                      const Settings& /*settings*/) {
  return std::make_unique<DeleteLoop>(engine, row);
}

}  // namespace ashlar::bench
