/// \file
/// Brings commits that were stored back into an engine, quicker than they were made: some are taken
/// apart ahead, so that the memory that they touch is on its way when their turn comes.
///
/// Invariants:
///   J2  Commits are applied in their order, each by the clock of no later moment than its own, and
///       what was decided when it was made is not decided again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "db/changes/reclaim_teller.h"
#include "db/replay_clock.h"
#include "engine/operation_codec.h"
#include "engine/storage_engine.h"

namespace ashlar::db {

/// Threads:  confined to the one that opens a database.
/// Lifetime: `engine`, `clock` and the teller must outlive it.
class Replayer {
 public:
  /// `source` names what is replayed in messages. `teller` notes what the engine has to let go
  /// meanwhile, and hears what commits bring back; null: nobody does.
  Replayer(engine::StorageEngine& engine, ReplayClock& clock, std::string source,
           ReclaimTeller* teller = nullptr);

  /// Takes the payload of one commit, which need not live longer than the call. It may be applied
  /// later, at the latest by `finish`.
  ///
  /// Errors: kCorruption  it cannot be understood
  ///         kOutOfSpace  the memory budget does not hold it, or one before it
  ///
  /// Input: position  of the payload in the log, for an engine whose rows may refer to it; none: of
  ///                  what is not in a log
  Result<void> add(std::string_view payload, std::optional<std::uint64_t> position = std::nullopt);

  /// Applies what has not been applied yet.
  ///
  /// Errors: kOutOfSpace, as for `add`
  Result<void> finish();

 private:
  /// A commit that was taken apart: its operations, up to those of the next.
  struct Commit {
    engine::TimeMs moment_ms;
    std::size_t operations_end;
    std::optional<std::uint64_t> position;
  };

  Result<void> take_apart(std::string_view payload, std::optional<std::uint64_t> position);
  Result<void> apply_staged();
  Result<void> apply(std::size_t begin, std::size_t end, std::optional<std::uint64_t> position);
  Result<void> apply_some(std::size_t begin, std::size_t end,
                          std::optional<std::uint64_t> position);
  void note_written(std::span<const engine::Operation> operations) noexcept;

  engine::StorageEngine& engine_;
  ReplayClock& clock_;
  const std::string source_;
  ReclaimTeller* const teller_;          // Or null.
  const std::unique_ptr<char[]> bytes_;  // Copies of the payloads that are staged.
  std::size_t bytes_used_ = 0;

  // What is staged; the operations and keys are views of the bytes.
  std::vector<Commit> commits_;
  std::vector<engine::Operation> operations_;
  std::vector<char> is_expire_;  // Of each operation: it only gives its key another deadline.
  std::vector<std::string_view> keys_;
  std::vector<std::uint64_t> offsets_;  // Of each operation, where it begins in its payload.
};

}  // namespace ashlar::db
