/// \file
/// An engine that holds nothing, for tests of what surrounds an engine. Each test overrides what it
/// is about.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "engine/storage_engine.h"

namespace ashlar::testing {

/// Threads: thread-safe, as long as what overrides it is.
class StubEngine : public engine::StorageEngine {
 public:
  using engine::StorageEngine::apply;
  using engine::StorageEngine::expire;
  Result<std::size_t> apply(std::span<const engine::Operation>, engine::Commit*) override {
    return 0U;
  }
  Result<std::optional<engine::TimeMs>> expire(std::string_view, engine::TimeMs,
                                               engine::Commit*) override {
    return std::nullopt;
  }
  Result<bool> get(std::string_view, const engine::View&, Value*, engine::TimeMs*) const override {
    return false;
  }
  Result<void> multi_get(std::span<const std::string_view>, const engine::View&,
                         std::span<std::optional<Value>>) const override {
    return {};
  }
  Result<std::unique_ptr<engine::Cursor>> scan(const Range&, const engine::View&) override {
    return std::unexpected(Error::of_literal(ErrorCode::kUnavailable, "a stub has no rows"));
  }
  Result<void> visit_all(const RowVisitor&) override { return {}; }
  Result<engine::View> acquire_snapshot() override { return engine::View{}; }
  void release_snapshot(Sequence) noexcept override {}
  std::optional<engine::TimeMs> maintain() override { return std::nullopt; }
  void on_work(void (*)(void*), void*) noexcept override {}
  void wait_for_commits() override {}
  bool take_memory(std::size_t) override { return true; }
  void give_back_memory(std::size_t) noexcept override {}
  Stats stats() const override { return {}; }
  std::size_t memory_bytes() const noexcept override { return 0; }
  std::size_t snapshot_count() const noexcept override { return 0; }
  void check() const override {}
};

}  // namespace ashlar::testing
