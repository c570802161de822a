#include "txn/conflicts.h"

#include <algorithm>
#include <bit>
#include <string>

#include "base/assert.h"

namespace ashlar::txn {
namespace {

// Words take a thirty-second of the budget and the ring half as much, and not more than is of use:
// with a million words a read in a million meets a key that only shares its word.
constexpr std::size_t kSlotCountMax = std::size_t{1} << 20U;
constexpr std::size_t kEntryCountMax = std::size_t{1} << 16U;
constexpr std::size_t kSlotCountMin = std::size_t{1} << 12U;
constexpr std::size_t kBudgetPart = 32;

// Once in so many announcements a writer asks whether anybody still has to be told.
constexpr std::uint64_t kAnnouncementsPerLook = 4096;

}  // namespace

Conflicts::~Conflicts() {
  ASHLAR_ASSERT(under_way_count_.load() == 0, "a database outlives its transactions");
  const base::MutexLock lock(mutex_);
  if (tables_ != nullptr) engine_.give_back_memory(tables_->bytes());
}

/// The generation is read before it is known that all tell: so if telling is stopped behind that,
/// the generation has changed by the time that a writer keeps something to himself (X3).
Result<Conflicts::Entered> Conflicts::enter() {
  under_way_count_.fetch_add(1, std::memory_order_seq_cst);
  Leaver leaver(*this);
  Entered entered{.generation = generation_.load(std::memory_order_seq_cst)};
  if (do_all_tell_.load(std::memory_order_seq_cst)) {
    entered.tables = tables_told_.load(std::memory_order_seq_cst);
  }
  if (entered.tables == nullptr || entered.generation % 2 != 0) [[unlikely]] {
    const base::MutexLock lock(mutex_);
    ASHLAR_TRY(start_telling());
    entered.generation = generation_.load(std::memory_order_seq_cst);
    entered.tables = tables_.get();
  }
  entered.ring_head = entered.tables->ring.head();
  do {
    entered.owner = last_owner_.fetch_add(1, std::memory_order_relaxed) + 1;
  } while (entered.owner == 0);  // It stands for no transaction.
  leaver.stay();
  return entered;
}

Result<void> Conflicts::make_tables() {
  const std::size_t bytes = budget_bytes_ / kBudgetPart;
  const std::size_t slot_count =
      std::clamp(std::bit_floor(bytes / sizeof(ConflictTable::Word)), kSlotCountMin, kSlotCountMax);
  const std::size_t entry_count = slot_count * kEntryCountMax / kSlotCountMax;
  auto tables = std::make_unique<Tables>(slot_count, entry_count, seed_);
  if (!engine_.take_memory(tables->bytes())) {
    return std::unexpected(
        Error(ErrorCode::kOutOfSpace, "the memory budget of " + std::to_string(budget_bytes_) +
                                          " bytes has no room for the tables of transactions, " +
                                          std::to_string(tables->bytes()) + " bytes"));
  }
  tables_ = std::move(tables);
  return {};
}

/// A commit that found nobody to tell is shown before the first snapshot is taken (X1).
Result<void> Conflicts::start_telling() {
  if (do_all_tell_.load(std::memory_order_seq_cst)) return {};
  if (tables_ == nullptr) ASHLAR_TRY(make_tables());
  tables_told_.store(tables_.get(), std::memory_order_seq_cst);
  engine_.wait_for_commits();
  do_all_tell_.store(true, std::memory_order_seq_cst);
  return {};
}

void Conflicts::announce_to(Tables& tables, std::span<const engine::Operation> operations,
                            Sequence stamp) noexcept {
  for (const engine::Operation& operation : operations) {
    tables.keys.prefetch(tables.keys.slot_of(operation.key));
  }
  for (const engine::Operation& operation : operations) {
    tables.keys.announce(tables.keys.slot_of(operation.key), stamp);
    tables.ring.announce(operation.key, stamp, 0);
  }
  const bool is_time_to_look = tables.ring.head() % kAnnouncementsPerLook < operations.size();
  if (is_time_to_look && under_way_count_.load(std::memory_order_seq_cst) == 0) stop_telling();
}

/// A writer does this with its keys locked: where another is at it, it is done.
void Conflicts::stop_telling() noexcept {
  if (!mutex_.try_lock()) return;
  generation_.fetch_add(1, std::memory_order_seq_cst);
  // A transaction that has begun meanwhile goes on being told; if it began before, it hears of the
  // generation.
  if (under_way_count_.load(std::memory_order_seq_cst) == 0) {
    do_all_tell_.store(false, std::memory_order_seq_cst);
    tables_told_.store(nullptr, std::memory_order_seq_cst);
  }
  generation_.fetch_add(1, std::memory_order_seq_cst);
  mutex_.unlock();
}

}  // namespace ashlar::txn
