// Running a transaction until it commits.

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "ashlar/transaction.h"

namespace ashlar {
namespace {

/// The pause before the run with the number `run`, from 1 on: none at first, then of random length.
void pause_before(std::size_t run) {
  constexpr std::size_t kRunsWithoutPause = 3;
  constexpr std::size_t kDoublingsMax = 9;
  constexpr std::chrono::microseconds kPauseMin{20};
  if (run <= kRunsWithoutPause) return;
  thread_local std::minstd_rand random(std::random_device{}());
  const auto longest = kPauseMin * (1U << std::min(run - kRunsWithoutPause, kDoublingsMax));
  const auto pause = std::uniform_int_distribution<std::int64_t>(0, longest.count())(random);
  std::this_thread::sleep_for(std::chrono::microseconds(pause));
}

}  // namespace

Result<std::size_t> transact(Db& db, const std::function<Result<void>(Transaction&)>& body,
                             const TransactOptions& options) {
  for (std::size_t run = 1;; ++run) {
    pause_before(run);
    ASHLAR_TRY_ASSIGN(Transaction transaction, db.begin(options.isolation));
    Result<void> outcome = body(transaction);
    if (outcome) outcome = transaction.commit(options.durability);
    if (outcome) return run;
    const bool is_conflict = outcome.error().code() == ErrorCode::kConflict;
    if (!is_conflict || run >= options.run_count_max) return std::unexpected(outcome.error());
  }
}

}  // namespace ashlar
