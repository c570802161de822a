// Rows of what a store takes on disk, of what it writes for what it is given, and of how long it
// takes to open.

#include <chrono>
#include <cstdint>
#include <string>

#include "disk/disk_loops.h"
#include "disk/idle.h"
#include "disk/subject.h"
#include "keys.h"
#include "process_io.h"
#include "random.h"

namespace ashlar::bench {
namespace {

/// Bytes of files for each key, after loading, merging and closing. What is kept for the log does
/// not grow with the keys, so it is in the notes.
class SizeLoop final : public DiskContender {
 public:
  using DiskContender::DiskContender;

  Figure run(double /*seconds*/) override {
    subject().begin_anew();
    add_wrong(subject().load());
    subject().close();
    bytes_ = directory_bytes(subject().path());
    return {.wall = static_cast<double>(bytes_.data) / static_cast<double>(row().key_count)};
  }

  std::string note() const override {
    constexpr double kMebibyte = 1 << 20U;
    return std::string(name()) + " keeps " + fixed(static_cast<double>(bytes_.log) / kMebibyte, 0) +
           " MiB for its log besides";
  }

 private:
  DirectoryBytes bytes_;
};

/// Bytes that go to the disk for each byte of keys and values that is written: keys are inserted
/// one by one in no order, then all overwritten, until the store is idle and closed.
class WrittenLoop final : public DiskContender {
 public:
  using DiskContender::DiskContender;

  Figure run(double /*seconds*/) override {
    constexpr std::uint64_t kPasses = 4;
    subject().begin_anew();
    const std::uint64_t before = process_io().dirtied_bytes;
    for (std::uint64_t pass = 0; pass < kPasses; ++pass) write_all(pass);
    wait_until_idle();
    subject().close();
    const auto written = static_cast<double>(process_io().dirtied_bytes - before);
    const auto given = static_cast<double>(kPasses * row().key_count) *
                       static_cast<double>(kKeyBytes + row().value_bytes);
    return {.wall = written / given};
  }

 private:
  void write_all(std::uint64_t pass) {
    DiskValueMaker values(row().value_bytes);
    const Shuffle shuffle(row().key_count);
    for (std::uint64_t i = 0; i < row().key_count; ++i) {
      const Key key(shuffle.at((i + pass * 7919) % row().key_count));
      expect(store().put(key.view(), values.make(key.view(), pass)));
    }
  }
};

/// From the call to open a store to the first answer. Nothing is left in the log, and the files
/// are in the page cache.
class ReopenLoop final : public DiskContender {
 public:
  ReopenLoop(const DiskEngine& engine, const DiskRow& row) : DiskContender(engine, row) {
    open_loaded();
    subject().close();
  }

  Figure run(double /*seconds*/) override {
    Random random(++round_);
    const Key key(random.below(row().key_count));
    const Stopwatch watch;
    subject().open();
    const Found found = store().make_reader()->get(key.view());
    const Figure figure = watch.each_of(1);
    expect(found == Found::kRight);
    wait_until_idle();
    subject().close();
    return figure;
  }

 private:
  std::uint64_t round_ = 0;
};

}  // namespace

std::unique_ptr<Contender> measure_size(const DiskEngine& engine, const DiskRow& row,
                                        const Settings& /*settings*/) {
  return std::make_unique<SizeLoop>(engine, row);
}

std::unique_ptr<Contender> measure_writes(const DiskEngine& engine, const DiskRow& row,
                                          const Settings& /*settings*/) {
  return std::make_unique<WrittenLoop>(engine, row);
}

std::unique_ptr<Contender> reopen(const DiskEngine& engine, const DiskRow& row,
                                  const Settings& settings) {
  return std::make_unique<ReopenLoop>(engine, scaled(row, settings));
}

}  // namespace ashlar::bench
