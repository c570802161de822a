/// \file
/// A small in-memory engine on a clock that the test moves, with shorter calls.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ashlar/options.h"
#include "memory/memory_engine.h"
#include "os/manual_clock.h"

namespace ashlar::memory {

/// Threads: confined.
class EngineRig {
 public:
  static constexpr std::uint64_t kHashSeed = 7;

  explicit EngineRig(std::size_t budget_bytes = std::size_t{32} << 20U,
                     MemoryPolicy policy = MemoryPolicy::kRefuse)
      : engine_(make(budget_bytes, policy, clock_)) {}

  engine::StorageEngine* operator->() const noexcept { return engine_.get(); }
  os::ManualClock& clock() noexcept { return clock_; }
  engine::TimeMs in(engine::TimeMs ms) const noexcept { return clock_.now_ms() + ms; }

  /// Returns: whether there was room for it
  bool put(std::string_view key, std::string_view value,
           engine::TimeMs deadline_ms = engine::kNever) {
    const engine::Operation put{.key = key, .value = value, .deadline_ms = deadline_ms};
    return engine_->apply({&put, 1}).has_value();
  }

  /// Returns: whether the key was there
  bool erase(std::string_view key) {
    const engine::Operation erase{.kind = engine::OperationKind::kErase, .key = key, .value = {}};
    return engine_->apply({&erase, 1}).value() == 1;
  }

  std::optional<std::string> get(std::string_view key,
                                 const engine::View& view = engine::kLatest) const {
    Value value;
    if (!engine_->get(key, view, &value, nullptr).value()) return std::nullopt;
    return std::string(value.view());
  }

  /// Lets the clock run on and the background work.
  void pass(engine::TimeMs ms) {
    clock_.advance(ms);
    engine_->maintain();
  }

 private:
  static std::unique_ptr<engine::StorageEngine> make(std::size_t budget_bytes, MemoryPolicy policy,
                                                     const os::Clock& clock) {
    Options options;
    options.memory_budget_bytes = budget_bytes;
    options.memory_policy = policy;
    return std::move(make_memory_engine(options, clock, kHashSeed).value());
  }

  os::ManualClock clock_;
  std::unique_ptr<engine::StorageEngine> engine_;
};

}  // namespace ashlar::memory
