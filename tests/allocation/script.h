/// \file
/// A list of calls that is run again and again, each time with another allocation failing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ashlar/db.h"
#include "failing_new.h"
#include "os/manual_clock.h"

namespace ashlar::allocation {

/// What the database should hold.
using Content = std::map<std::string, std::string, std::less<>>;

/// A database, what it should hold, and what a script keeps between its steps.
class Stage {
 public:
  explicit Stage(const Options& options);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() { snapshot.reset(); }  // Before its database.

  Db& db() noexcept { return db_; }
  os::ManualClock& clock() noexcept { return clock_; }

  /// One round of maintenance. Errors: kOutOfSpace  it threw std::bad_alloc
  Result<void> maintain();

  /// Puts for the preparation of a script.
  void put(const std::string& key, const std::string& value);

  /// Takes the snapshot that the script's steps may read at.
  void take_snapshot();

  /// Fails the test unless the database is whole and holds what it should, at the snapshot too.
  void expect_intact();

  Content content;
  Content content_at_snapshot;
  std::optional<Snapshot> snapshot;
  bool may_lose_keys = false;  ///< Under eviction.

 private:
  void expect_content(const Content& expected, const Snapshot* at);

  os::ManualClock clock_;
  Db db_;  // Uses the clock, so it goes first.
};

/// One call. `act` must not allocate on its own account; `effect` says what a success changed.
struct Step {
  std::function<Result<void>(Stage&)> act;
  std::function<void(Content&)> effect = [](Content&) {};
  /// Another code than kOutOfSpace that tells of memory that ran out.
  std::optional<ErrorCode> other_code = std::nullopt;
};

struct Script {
  Options options{.memory_budget_bytes = std::size_t{64} << 20U};
  std::function<void(Stage&)> prepare = [](Stage&) {};
  std::vector<Step> steps;
};

/// Runs `script` with the n-th allocation failing, for every n until none fails any more. After
/// each failure the database must be intact, hold all of what succeeded and nothing of what failed;
/// and the call that failed must succeed when it is made again.
void run_for_every_allocation(const Script& script, FailureMode mode);

}  // namespace ashlar::allocation
