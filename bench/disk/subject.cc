#include "disk/subject.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <span>
#include <vector>

#include "disk/disk_values.h"
#include "disk/idle.h"
#include "keys.h"
#include "random.h"

namespace ashlar::bench {
namespace {

constexpr std::size_t kLoadBatchBytesMax = std::size_t{128} << 10U;

std::string directory_name(const DiskEngine& engine, const DiskRow& row) {
  std::string name = std::string(row.name) + "-" + std::string(engine.name);
  std::ranges::replace_if(name, [](char c) { return c == ' ' || c == ','; }, '_');
  return name;
}

/// The positions of all keys of `row`, in the order in which they are loaded.
std::vector<std::uint32_t> load_order(const DiskRow& row) {
  std::vector<std::uint32_t> positions(row.key_count);
  std::iota(positions.begin(), positions.end(), 0U);
  if (row.state == StoreState::kCompacted && row.order == KeyOrder::kRandom) {
    std::ranges::sort(positions, {},
                      [](std::uint32_t index) { return rank_of(Key(index).view()); });
  }
  return positions;
}

/// Collects rows and writes them together.
class Loader {
 public:
  Loader(DiskStore& store, const DiskRow& row)
      : store_(store),
        row_(row),
        values_(row.value_bytes),
        count_max_(std::max<std::size_t>(1, kLoadBatchBytesMax / row.value_bytes)) {}

  void add(std::uint64_t position) {
    std::string& key = keys_.emplace_back();
    key_of(row_, position, key);
    texts_.emplace_back(values_.make(key, 0));
    if (keys_.size() == count_max_) flush();
  }

  void flush() {
    std::vector<Pair> pairs(keys_.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {.key = keys_[i], .value = texts_[i]};
    failed_count_ += store_.write(pairs) ? 0 : pairs.size();
    keys_.clear();
    texts_.clear();
  }

  std::uint64_t failed_count() const noexcept { return failed_count_; }

 private:
  DiskStore& store_;
  const DiskRow& row_;
  DiskValueMaker values_;
  std::size_t count_max_;
  std::vector<std::string> keys_;
  std::vector<std::string> texts_;
  std::uint64_t failed_count_ = 0;
};

}  // namespace

std::string_view key_of(const DiskRow& row, std::uint64_t position, std::string& buffer) {
  if (row.order == KeyOrder::kAscending) {
    buffer = AscendingKey(position).view();
  } else {
    buffer = Key(position).view();
  }
  return buffer;
}

DiskRow scaled(const DiskRow& row, const Settings& settings) {
  constexpr std::uint64_t kKeyCountMin = 1'000;
  const double share = std::min(1.0, settings.seconds / Settings{}.seconds);
  DiskRow smaller = row;
  const auto key_count = static_cast<std::uint64_t>(static_cast<double>(row.key_count) * share);
  smaller.key_count = std::max(key_count, kKeyCountMin);
  return smaller;
}

Subject::Subject(const DiskEngine& engine, const DiskRow& row)
    : engine_(engine),
      row_(row),
      directory_(directory_name(engine, row)),
      settings_({.directory = directory_.path() + "/store",
                 .memory_bytes = row.memory_bytes,
                 .value_bytes = row.value_bytes,
                 .compression = row.compression,
                 .value_place = engine.value_place,
                 .caching = row.caching}) {
  std::filesystem::create_directory(settings_.directory);
}

void Subject::begin_anew() {
  close();
  std::filesystem::remove_all(settings_.directory);
  std::filesystem::create_directory(settings_.directory);
  open();
}

std::uint64_t Subject::load() {
  if (row_.state == StoreState::kEmpty) return 0;
  Loader loader(*store_, row_);
  for (const std::uint32_t position : load_order(row_)) loader.add(position);
  loader.flush();
  std::uint64_t failed_count = loader.failed_count();
  if (row_.state == StoreState::kCompacted) failed_count += store_->compact() ? 0U : 1U;
  wait_until_idle();
  return failed_count;
}

std::uint64_t Subject::warm_up() {
  constexpr std::uint64_t kShare = 8;  // More than one row of every block.
  const auto reader = store_->make_reader();
  std::uint64_t seen_count = 0;
  for (const auto* at = reader->seek_to_first(); at != nullptr; at = reader->next()) ++seen_count;
  std::uint64_t wrong_count = seen_count == row_.key_count ? 0 : 1;
  Random random(row_.key_count);
  std::string key;
  for (std::uint64_t i = 0; i < row_.key_count / kShare; ++i) {
    key_of(row_, random.below(row_.key_count), key);
    wrong_count += reader->get(key) == Found::kRight ? 0U : 1U;
  }
  return wrong_count;
}

}  // namespace ashlar::bench
