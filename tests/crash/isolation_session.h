/// \file
/// One thread of the campaign `isolation`: it takes transactions of a workload, runs each against a
/// database in one of the forms in which the API lets it, and records what came of it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "ashlar/db.h"
#include "ashlar/transaction.h"
#include "testing/isolation/history_file.h"
#include "testing/isolation/workload.h"
#include "testing/random.h"

namespace ashlar::crash {

/// The most threads of a round. Values are made for so many, however many there are.
inline constexpr std::uint32_t kSessionsMax = 16;

/// What the campaign shares with the threads of the processes that it kills.
struct IsolationShared {
  /// The next stamp: one for all, so that an end below a begin does mean that one was over before
  /// the other. A clock of the machine may be read a little before or after its neighbours.
  std::atomic<std::uint64_t> clock{1};
  std::atomic<std::uint64_t> ended_count{0};
  std::atomic<bool> is_stopping{false};
  /// By thread: the number of the transaction after the last that was planned.
  std::array<std::atomic<std::uint64_t>, kSessionsMax> planned_count{};
};

/// A list or a register as the value of a key: eight bytes a number.
void append_element(std::uint64_t element, std::string& value);

/// The numbers in `value`. What is left over at its end is one that nobody writes.
std::vector<std::uint64_t> elements_of(std::string_view value);

enum class Walk : std::uint8_t { kForward, kBackward };

/// The registers that `rows` finds, walking one way or the other, in the order of keys.
///
/// Errors: those of Iterator::status
Result<std::vector<testing::FoundRegister>> registers_in(Iterator& rows, Walk walk);

/// Threads:  confined to its own.
/// Lifetime: database and shared memory must outlive it.
class IsolationSession {
 public:
  struct Plan {
    Isolation isolation = Isolation::kSerializable;
    testing::WorkloadShape shape = {};
    testing::WorkloadThread thread = {};
    std::uint32_t transaction_share = 70;  ///< In percent; the others are calls outside of them.
  };

  IsolationSession(Db& db, IsolationShared& shared, testing::HistoryWriter writer,
                   const Plan& plan);

  /// Runs transactions until it is told to stop.
  ///
  /// Errors: those of the database but kConflict; those of the record
  Result<void> run();

 private:
  using Operations = std::vector<testing::Operation>;

  Result<void> run_one(Operations planned);

  // The forms. Each adds to the record what it does.
  Result<testing::Outcome> run_transaction(const Operations& planned);
  Result<testing::Outcome> write_plainly(const Operations& planned);
  Result<testing::Outcome> read_plainly(testing::Operation read);
  Result<testing::Outcome> read_at_snapshot(const Operations& planned);
  Result<testing::Outcome> read_together(const Operations& planned);

  Result<void> step(Transaction& transaction, testing::Operation operation);
  template <typename Target>
  Result<void> touch(Target& target, const std::string& key);
  Result<void> write_and_undo(Transaction& transaction, const testing::Operation& operation);
  Result<testing::Outcome> end(Transaction& transaction);
  template <typename Source>
  Result<void> read_from(Source& source, testing::Operation& operation);
  Durability durability();
  void let_others_run();

  Db& db_;
  IsolationShared& shared_;
  testing::HistoryWriter writer_;
  const Plan plan_;
  testing::Workload workload_;
  testing::Random random_;
};

}  // namespace ashlar::crash
