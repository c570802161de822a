// The row of one thread that reads beside one that overwrites as fast as it can. The figure is the
// time of a read; how fast the writer was is in the notes.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "disk/disk_loops.h"
#include "disk/idle.h"
#include "disk/subject.h"
#include "keys.h"
#include "random.h"

namespace ashlar::bench {
namespace {

class ReadWhileWriting final : public DiskContender {
 public:
  ReadWhileWriting(const DiskEngine& engine, const DiskRow& row) : DiskContender(engine, row) {
    open_loaded();
    add_wrong(subject().warm_up());
  }

  Figure run(double seconds) override {
    ++round_;
    Figure figure;
    {
      const std::jthread writer([this](const std::stop_token& stop) { write_until(stop); });
      const auto reader = store().make_reader();
      Random random(round_);
      const std::uint64_t count = row().key_count;
      figure = time_operations(seconds, kSlowBlock, [&] {
        expect(reader->get(Key(random.below(count)).view()) == Found::kRight);
      });
    }
    add_wrong(failed_count_);
    writer_note_ = fixed(static_cast<double>(written_count_) / seconds / 1000, 0);
    wait_until_idle();
    return figure;
  }

  std::string note() const override {
    return std::string(name()) + " wrote " + writer_note_ + " K a second";
  }

 private:
  void write_until(const std::stop_token& stop) {
    DiskValueMaker values(row().value_bytes);
    Random random(round_ + 1'000'000);
    failed_count_ = 0;
    written_count_ = 0;
    while (!stop.stop_requested()) {
      const Key key(random.below(row().key_count));
      failed_count_ += store().put(key.view(), values.make(key.view(), round_)) ? 0U : 1U;
      ++written_count_;
    }
  }

  std::uint64_t round_ = 0;
  std::uint64_t failed_count_ = 0;   // Of the writer, read once it has ended.
  std::uint64_t written_count_ = 0;  // As above.
  std::string writer_note_;
};

}  // namespace

std::unique_ptr<Contender> read_while_writing(const DiskEngine& engine, const DiskRow& row,
                                              const Settings& /*settings*/) {
  return std::make_unique<ReadWhileWriting>(engine, row);
}

}  // namespace ashlar::bench
