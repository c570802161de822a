/// \file
/// Plays a script on one database, and keeps what each call answered.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ashlar/db.h"
#include "ashlar/transaction.h"
#include "os/disk.h"
#include "os/manual_clock.h"
#include "os/posix_disk.h"
#include "os/simulated_disk.h"
#include "script.h"
#include "testing/temporary_directory.h"
#include "variant.h"

namespace ashlar::metamorphic {

/// What a play brought.
struct Played {
  std::vector<std::string> answers;               ///< One for each step.
  std::map<std::uint64_t, std::string> messages;  ///< Of errors, by step.
  std::string wrong;  ///< What broke a rule of its own accord; empty if nothing.
  std::uint64_t compaction_count = 0;
};

class Player {
 public:
  /// How opening number `index` is made.
  using Choose = std::function<Opening(std::uint64_t index)>;

  Player(const Variant& variant, Choose choose);

  /// Plays all of `script`. Called once.
  Played play(const std::vector<Step>& script);

 private:
  void open();
  void close();
  std::string answer(const Step& step);
  std::string answer_write(const Step& step);
  std::string answer_read(const Step& step);
  std::string answer_hold(const Step& step);
  std::string answer_turn(const Step& step);

  std::string put(const Write& write, Durability durability);
  std::string write_batch(const std::vector<Write>& writes, Durability durability);
  std::string write_transaction(const std::vector<Write>& writes, Durability durability);
  std::string get(const std::string& key, const Snapshot* at);
  std::string exists(const std::string& key, const Snapshot* at);
  std::string multi_get(const std::vector<std::string>& keys, const Snapshot* at);
  std::string scan(const Range& range, const Snapshot* at);
  std::string move(Iterator& rows, const std::vector<Move>& moves);
  std::string take_snapshot(std::uint64_t slot);

  std::string text_of(const Error& error);
  template <typename T>
  std::string text_of(const Result<T>& result);

  Durability durability_of(const Step& step) const;
  void do_unasked(std::uint64_t index);
  void check();
  bool holds_nothing() const;
  void must(bool condition, const std::string& rule);

  const Variant variant_;
  const Choose choose_;
  os::ManualClock clock_;
  os::SimulatedDisk simulated_;
  os::PosixDisk posix_;
  std::optional<testing::TemporaryDirectory> temporary_;
  std::string directory_ = "/data";

  Opening opening_;
  std::uint64_t opening_count_ = 0;
  std::uint64_t step_index_ = 0;
  Played played_;
  std::optional<Db> db_;
  std::array<std::optional<Snapshot>, kSlotCount> snapshots_;
  std::array<std::optional<Iterator>, kSlotCount> scans_;
  std::optional<Snapshot> unasked_snapshot_;
};

}  // namespace ashlar::metamorphic
