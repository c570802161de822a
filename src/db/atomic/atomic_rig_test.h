/// \file
/// A database of the engine under test, in a directory or, where the engine can do without, in
/// memory only.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "ashlar/db.h"
#include "db/access.h"
#include "db/calling_thread_test.h"
#include "db/engine_rig_test.h"
#include "lsm/engine/tiny_settings_test.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"

namespace ashlar::db {

enum class Place : std::uint8_t { kMemory, kDirectory };

inline std::string place_name(const ::testing::TestParamInfo<Place>& place) {
  return place.param == Place::kMemory ? "InMemory" : "InADirectory";
}

template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : std::string(error_code_name(result.error().code()));
}

class AtomicRig : public ::testing::TestWithParam<Place> {
 protected:
  static constexpr std::int64_t kStartMs = 1'000'000;
  static constexpr std::size_t kValueBytesMax = 4096;

  AtomicRig() { open(); }

  void open() {
    db_.reset();
    Options options;
    options.key_bytes_max = 64;
    options.value_bytes_max = kValueBytesMax;
    options.memory_budget_bytes = kDiskMemoryBudgetBytesMin;
    options.engine = engine_under_test();
    const bool has_directory = GetParam() == Place::kDirectory || options.engine == Engine::kDisk;
    if (has_directory) options.directory = "/data";
    Environment environment = in_calling_thread(
        disk_, clock_,
        {.segment_bytes = std::size_t{4} << 20U, .ring_bytes = std::size_t{1} << 20U});
    environment.disk_engine = lsm::tiny_settings(options);
    Result<Db> opened = Access::open(options, environment);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    db_.emplace(std::move(*opened));
  }

  /// The power goes, and what was not durable with it.
  void lose_power() {
    disk_.cut_power(os::PowerCut::kKeepNothing, 1);
    open();
  }

  std::string read(std::string_view key) const {
    const auto result = db_->get(key);
    return result && *result ? std::string((*result)->view()) : "-";
  }

  os::ManualClock clock_{kStartMs};
  os::SimulatedDisk disk_;
  std::optional<Db> db_;
};

}  // namespace ashlar::db
