/// \file
/// What a killed writer had been told, kept where it survives: the file that the writer appends to
/// after each acknowledgement, and the state that must be found because of it.
///
/// The writer is one thread, so commits have an order: commit i is made of values that say i. After
/// a kill the database must hold the state after commit n for some n that is at least the last one
/// acknowledged, and at most one more than it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "ashlar/db.h"
#include "testing/random.h"

namespace ashlar::crash {

/// The script of a writer: which commit comes when. A function of the seed alone, so that the
/// checker knows what the writer did.
class Script {
 public:
  /// `durable_percent` of the steps are at kDisk, 5 at kNone, the others at kProcess.
  explicit Script(std::uint64_t seed, std::uint64_t durable_percent = 5)
      : random_(seed), durable_percent_(durable_percent) {}

  /// One commit: what to put and what to erase, at once.
  struct Step {
    std::map<std::string, std::optional<std::string>> writes;  ///< nullopt: erase.
    bool is_batch = false;
    bool is_transaction = false;  ///< Of a batch: made as one, with something undone in between.
    bool has_deadline = false;
    bool is_short_lived = false;    ///< The deadline comes before anybody looks (T1).
    bool makes_checkpoint = false;  ///< Before it.
    Durability durability = Durability::kProcess;
  };

  Step next();

 private:
  testing::Random random_;
  std::uint64_t durable_percent_;
  std::uint64_t number_ = 0;
};

using State = std::map<std::string, std::string>;

/// What a short-lived key lives. Whoever opens the database to look at it waits for longer.
inline constexpr std::chrono::milliseconds kShortLife{5};

/// Makes `step` in `db`. Returns whether it was acknowledged.
bool run_step(Db& db, const Script::Step& step);

/// Makes `step` in `state`: what is there once its short-lived keys are not.
void apply_step(State& state, const Script::Step& step);

/// All that `db` holds.
State read_state(Db& db);

/// A number that two different states do not share.
std::uint64_t fingerprint_of(const State& state);

}  // namespace ashlar::crash
