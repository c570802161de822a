/// \file
/// A database under test, the threads that use it, and values that betray damage.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/db.h"
#include "db/engine_rig_test.h"
#include "os/manual_clock.h"

namespace ashlar::concurrency {

/// A database on a clock that the test moves, without a thread of its own.
class World {
 public:
  explicit World(const Options& options = {});
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() = default;

  Db& db() noexcept { return db_; }
  os::ManualClock& clock() noexcept { return clock_; }

  /// Does one round of what the background thread would do.
  void maintain();

  /// Aborts when an invariant of the engine is broken. No thread may write meanwhile.
  void check();

 private:
  os::ManualClock clock_;
  db::EngineRig rig_;
  Db db_;  // Uses what stands above, so it goes first.
};

/// The keys that are there, by walking over them.
std::uint64_t count_keys(const Db& db);

/// Runs all tasks at the same time and returns when all are done.
void run_together(std::vector<std::function<void()>> tasks);

/// `count` times the same task, told apart by its number.
void add_tasks(std::vector<std::function<void()>>& tasks, std::size_t count,
               const std::function<void(std::size_t)>& task);

/// A value that tells its number, of a length that depends on it: some fit in place of others, some
/// do not, some lie apart.
std::string value_of(std::uint64_t number);

/// The number of a value, or nullopt when it is not, byte for byte, what `value_of` makes.
std::optional<std::uint64_t> number_of(std::string_view value);

/// "prefix" and seven digits, so that the order of numbers is the order of keys.
std::string key_of(std::string_view prefix, std::uint64_t number);

}  // namespace ashlar::concurrency
