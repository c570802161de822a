#include "variant.h"

#include <initializer_list>
#include <string_view>
#include <utility>

#include "testing/random.h"

namespace ashlar::metamorphic {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = kKiB * kKiB;

/// Draws values by name, and keeps what it drew.
class Draw {
 public:
  Draw(std::uint64_t seed, std::uint64_t stream, ChosenValues& chosen)
      : random_(seed, stream), chosen_(chosen) {}

  std::uint64_t number(std::string_view name, std::initializer_list<std::uint64_t> choices) {
    const std::uint64_t value = choices.begin()[random_.below(choices.size())];
    keep(name, std::to_string(value));
    return value;
  }

  /// Returns: the enumerator that stands in the place of the name that was chosen
  template <typename T>
  T one_of(std::string_view name, std::initializer_list<std::string_view> choices) {
    const std::uint64_t index = random_.below(choices.size());
    keep(name, choices.begin()[index]);
    return static_cast<T>(index);
  }

  bool yes_or_no(std::string_view name) { return number(name, {0, 1}) == 1; }

  std::uint64_t any() { return random_.next(); }

 private:
  // Piece by piece: g++ 12 sees a sum of strings overflow where the thread sanitizer is on.
  void keep(std::string_view name, std::string_view value) {
    std::string kept(name);
    kept += '=';
    kept += value;
    chosen_.insert(std::move(kept));
  }

  testing::Random random_;
  ChosenValues& chosen_;
};

Options draw_options(const Variant& variant, Draw& draw) {
  Options options{.directory = {}, .engine = variant.engine};
  // What is held on disk keeps memtables, each of some 4 MiB: with less than this a write may be
  // refused while every slot holds something.
  options.memory_budget_bytes =
      variant.engine == Engine::kDisk
          ? draw.number("memory_budget_bytes",
                        {160 * kMiB, 200 * kMiB, 256 * kMiB, 500 * kMiB, 1024 * kMiB})
          : draw.number("memory_budget_bytes", {24 * kMiB, 40 * kMiB, 64 * kMiB, 256 * kMiB});
  options.key_bytes_max = draw.number("key_bytes_max", {1024, 4000, kKeyBytesHardMax});
  options.value_bytes_max = draw.number("value_bytes_max", {20'000, kMiB, kValueBytesHardMax});
  options.table_compression =
      draw.one_of<TableCompression>("table_compression", {"none", "lz4", "zstd"});
  if (variant.engine == Engine::kMemory) {
    options.memory_policy = draw.one_of<MemoryPolicy>("memory_policy", {"refuse", "evict"});
  }
  if (options.memory_policy == MemoryPolicy::kRefuse) {
    options.history_bytes_max = draw.number("history_bytes_max", {0, 0, 200 * kKiB, 100 * kMiB});
  }
  if (options.history_bytes_max > 0) {
    options.history_has_old_values = draw.yes_or_no("history_has_old_values");
  }
  return options;
}

log::LocalLogOptions draw_log(Draw& draw) {
  log::LocalLogOptions log;
  log.segment_bytes =
      draw.number("log.segment_bytes", {32 * kKiB, 64 * kKiB, 256 * kKiB, kMiB, 4 * kMiB});
  log.ring_bytes = draw.number("log.ring_bytes", {16 * kKiB, 64 * kKiB, 256 * kKiB, kMiB});
  log.has_thread = draw.yes_or_no("log.has_thread");
  return log;
}

lsm::EngineSettings draw_disk_engine(const Options& options, Draw& draw) {
  lsm::EngineSettings settings = lsm::EngineSettings::of(options);
  // Of the bytes of a memtable 64 KiB are its first buckets.
  settings.memtable_bytes =
      draw.number("memtable_bytes", {72 * kKiB, 80 * kKiB, 96 * kKiB, 160 * kKiB, kMiB});
  settings.full_count_max = draw.number("full_count_max", {1, 2, 3, 4});
  settings.level0_count_stop = draw.number("level0_count_stop", {4, 6, 12, 24});
  settings.row_chunk_count = draw.number("row_chunk_count", {0, 1, 3});
  settings.table_bytes_max =
      draw.number("table_bytes_max", {kKiB, 4 * kKiB, 8 * kKiB, 64 * kKiB, 64 * kMiB});
  lsm::PickerSettings& picker = settings.picker;
  picker.level0_count_max = draw.number("level0_count_max", {1, 2, 3});
  picker.base_bytes = draw.number("base_bytes", {4 * kKiB, 32 * kKiB, 128 * kKiB, 128 * kMiB});
  picker.fan_out = draw.number("fan_out", {2, 3, 10});
  picker.plan_bytes_max = draw.number("plan_bytes_max", {16 * kKiB, 256 * kKiB, 16 * kMiB});
  picker.overlap_bytes_max = draw.number("overlap_bytes_max", {8 * kKiB, 64 * kKiB, 64 * kMiB});
  picker.erase_percent_max = draw.number("erase_percent_max", {1, 10, 50, 100});
  picker.expiry_lag_ms_max =
      static_cast<engine::TimeMs>(draw.number("expiry_lag_ms_max", {0, 50, 1000, 3'600'000}));
  return settings;
}

Intervals draw_intervals(Draw& draw) {
  return {.maintain = draw.number("maintain_interval", {0, 1, 7, 100}),
          .checkpoint = draw.number("checkpoint_interval", {0, 0, 60, 400}),
          .compact = draw.number("compact_interval", {0, 0, 90, 600}),
          .stats = draw.number("stats_interval", {0, 3, 50}),
          .check = draw.number("check_interval", {0, 100}),
          .snapshot = draw.number("snapshot_interval", {0, 30, 300}),
          .reopen = draw.number("reopen_interval", {0, 0, 150, 700})};
}

Ways draw_ways(Draw& draw) {
  return {.get = draw.one_of<Ways::Get>("get_by", {"get", "multi_get", "scan"}),
          .put = draw.one_of<Ways::Put>("put_by", {"put", "batch", "transaction"}),
          .batch = draw.one_of<Ways::Batch>("batch_by", {"batch", "transaction"}),
          .exists = draw.one_of<Ways::Exists>("exists_by", {"exists", "get"}),
          .multi_get = draw.one_of<Ways::MultiGet>("multi_get_by", {"multi_get", "get"}),
          .scan = draw.one_of<Ways::Scan>("scan_by", {"next", "previous"})};
}

}  // namespace

Variant plain_variant() noexcept {
  return {};
}

Opening plain_opening(const Variant& variant) {
  Opening opening;
  opening.options.engine = variant.engine;
  opening.log.segment_bytes = kMiB;
  opening.log.ring_bytes = 256 * kKiB;
  opening.log.has_thread = false;
  opening.disk_engine = lsm::EngineSettings::of(opening.options);
  return opening;
}

Variant draw_variant(std::uint64_t seed, ChosenValues& chosen) {
  Draw draw(seed, 1, chosen);
  Variant variant;
  // Most on disk: there is more to choose.
  variant.engine = draw.number("engine", {0, 1, 1, 1}) == 0 ? Engine::kMemory : Engine::kDisk;
  variant.is_on_system_disk =
      draw.number("is_on_system_disk", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}) == 1;
  variant.hash_seed = draw.any() | 1U;
  variant.seed = draw.any();
  return variant;
}

Opening draw_opening(const Variant& variant, std::uint64_t index, ChosenValues& chosen) {
  Draw draw(variant.seed, 2 + index, chosen);
  Opening opening{.options = draw_options(variant, draw), .log = draw_log(draw)};
  opening.disk_engine = draw_disk_engine(opening.options, draw);
  opening.has_background = draw.number("has_background", {0, 0, 1}) == 1;
  opening.durability =
      draw.one_of<DurabilityRule>("durability", {"as asked", "none", "process", "disk"});
  // A sync of the system's disk takes longer than all else.
  const bool is_slow = variant.is_on_system_disk && opening.durability != DurabilityRule::kNone;
  if (is_slow) opening.durability = DurabilityRule::kProcess;
  opening.intervals = draw_intervals(draw);
  opening.ways = draw_ways(draw);
  return opening;
}

}  // namespace ashlar::metamorphic
