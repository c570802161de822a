/// \file
/// A disk engine on a disk in memory, and a log that is figures only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lsm/engine/engine_core.h"
#include "lsm/engine/tiny_settings_test.h"
#include "os/faulty_disk.h"
#include "os/file.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"

namespace ashlar::lsm {

/// Counts commits; what it is told it hands on.
class FigureLog final : public engine::LogControl {
 public:
  engine::LogPlace end() const override {
    return {.position = commit_count, .chain = 0, .commit = 0};
  }
  Result<void> make_durable(const engine::LogPlace& place) override {
    return on_durable ? on_durable(place) : Result<void>();
  }
  Result<void> release_before(const engine::LogPlace& place) override {
    if (on_release) on_release(place);
    return {};
  }

  std::uint64_t commit_count = 0;
  std::function<Result<void>(const engine::LogPlace&)> on_durable;
  std::function<void(const engine::LogPlace&)> on_release;
};

struct DiskEngineRig {
  static constexpr const char* kDirectory = "/tables";

  Result<std::unique_ptr<DiskEngine>> try_open() {
    const Options options{.memory_budget_bytes = std::size_t{64} << 20U};
    EngineSettings settings = tiny_settings(options);
    settings.row_chunk_count = row_chunk_count;
    return DiskEngine::open({.disk = faulty,
                             .clock = clock,
                             .directory = kDirectory,
                             .seed = ++seed,
                             .settings = settings});
  }

  /// Opens the engine, anew if it is open.
  void open(engine::Background background = engine::Background::kCallers) {
    engine.reset();
    auto opened = try_open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    engine = std::move(*opened);
    ASSERT_TRUE(engine->start(log, background).has_value());
  }

  Result<void> put(std::string_view key, std::string_view value,
                   engine::TimeMs deadline_ms = engine::kNever) {
    const engine::Operation put{.key = key, .value = value, .deadline_ms = deadline_ms};
    ASHLAR_TRY(engine->apply({&put, 1}, nullptr));
    ++log.commit_count;
    return {};
  }

  Result<bool> erase(std::string_view key) {
    const engine::Operation erase{.kind = engine::OperationKind::kErase, .key = key, .value = {}};
    ASHLAR_TRY_ASSIGN(const std::size_t count, engine->apply({&erase, 1}, nullptr));
    return count == 1;
  }

  std::optional<std::string> get(std::string_view key,
                                 const engine::View& view = engine::kLatest) const {
    Value value;
    if (!engine->get(key, view, &value, nullptr).value()) return std::nullopt;
    return std::string(value.view());
  }

  /// The files that are there.
  std::vector<std::string> names() { return os::list_directory(disk, kDirectory).value(); }
  std::size_t table_file_count() {
    return static_cast<std::size_t>(std::ranges::count_if(
        names(), [](const std::string& name) { return name.ends_with(".table"); }));
  }

  os::ManualClock clock;
  os::SimulatedDisk disk;
  os::FaultyDisk faulty{disk};
  FigureLog log;
  std::uint64_t seed = 0;
  std::size_t row_chunk_count = 0;
  std::unique_ptr<DiskEngine> engine;  // Last, so that it goes first.
};

}  // namespace ashlar::lsm
