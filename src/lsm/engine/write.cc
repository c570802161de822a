// Writes: room is made first, then the log takes the commit, then the memtable does, which cannot
// fail any more, then the commit's sequence becomes visible.

#include <algorithm>
#include <array>
#include <thread>

#include "base/assert.h"
#include "lsm/engine/engine_core.h"
#include "lsm/guarded_read.h"

namespace ashlar::lsm {
namespace {

// So many keys ahead a batch asks for the bucket that it will look into.
constexpr std::size_t kPrefetchDistance = 8;

void count_up(std::atomic<std::uint64_t>& figure, std::uint64_t by) noexcept {
  // Relaxed: written under the mutex of writers, and only a figure.
  figure.store(figure.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

Error refused_by_log() noexcept {
  return Error::of_literal(ErrorCode::kBusy, "the log does not take the commit now");
}

}  // namespace

/// Appends a commit that was announced; with the mutex held nothing comes between. The sequence of
/// one that is refused, or fails, is used up, so that it is not above what is read from then on.
template <typename Append>
bool DiskEngine::announced_locked(engine::Commit& commit, Append append) {
  struct Announced {
    std::atomic<Sequence>& visible;
    const Sequence sequence = visible.load(std::memory_order_relaxed) + 1;
    bool is_appended = false;
    ~Announced() {
      if (!is_appended) visible.store(sequence, std::memory_order_release);
    }
  } announced{visible_};
  commit.announce(announced.sequence);
  announced.is_appended = append();
  return announced.is_appended;
}

Result<std::size_t> DiskEngine::apply(std::span<const engine::Operation> operations,
                                      engine::Commit* commit) {
  if (operations.empty()) return std::size_t{0};
  if (operations.size() == 1 && operations.front().kind == engine::OperationKind::kErase) {
    return erase_one(operations.front(), commit);
  }
  RowOperations rows(operations, commit, settings_.large_value_bytes);
  keep_pace(rows.rows());
  const base::MutexLock lock(write_mutex_);
  ASHLAR_TRY(apply_locked(rows, commit));
  return operations.size();
}

/// Waits before anything is locked, so that readers of values and erases are not held up.
void DiskEngine::keep_pace(std::span<const engine::Operation> operations) {
  std::uint64_t bytes = 0;
  for (const auto& operation : operations) bytes += operation.key.size() + operation.value.size();
  const Pace::Duration delay = upkeep_->delay_of(bytes);
  if (delay > Pace::Duration{}) [[unlikely]]
    std::this_thread::sleep_for(delay);
}

/// The latest value of a key that is there.
Result<std::optional<DiskEngine::Present>> DiskEngine::find_present(std::string_view key) const {
  Present present{.deadline_ms = engine::kNever, .value = {}};
  ASHLAR_TRY_ASSIGN(const bool is_there,
                    get(key, engine::kLatest, &present.value, &present.deadline_ms));
  if (!is_there) return std::nullopt;
  return present;
}

/// An erase has to know whether its key is there. It looks without the mutex, so that blocks are
/// read from the disk there and a key that is absent costs no write; and under it once more if
/// somebody has written in between. One that is replayed has found its key, which may have expired
/// by now: what lies under it must not come up again to be told of.
Result<std::size_t> DiskEngine::erase_one(const engine::Operation& erase, engine::Commit* commit) {
  const Sequence before = visible();
  const bool is_decided = commit != nullptr && commit->is_replayed();
  bool is_there = is_decided;
  if (!is_decided) {
    ASHLAR_TRY_ASSIGN(is_there, get(erase.key, engine::kLatest, nullptr, nullptr));
  }
  if (!is_there) return std::size_t{0};
  RowOperations rows({&erase, 1}, commit, settings_.large_value_bytes);
  const base::MutexLock lock(write_mutex_);
  if (!is_decided && visible() != before) {
    ASHLAR_TRY_ASSIGN(is_there, get(erase.key, engine::kLatest, nullptr, nullptr));
    if (!is_there) return std::size_t{0};
  }
  ASHLAR_TRY(apply_locked(rows, commit));
  return std::size_t{1};
}

/// The log gets the row as it is now: its older one may be taken for expired by a flush or a
/// compaction before this one is in a table, and replaying a mere deadline would find nothing then.
/// A value that stands apart is written there anew for the same reason, and referred to there.
Result<std::optional<engine::TimeMs>> DiskEngine::expire(std::string_view key,
                                                         engine::TimeMs deadline_ms,
                                                         engine::Commit* commit) {
  const Sequence before = visible();
  ASHLAR_TRY_ASSIGN(std::optional<Present> present, find_present(key));
  if (!present) return std::nullopt;
  const base::MutexLock lock(write_mutex_);
  if (visible() != before) {
    ASHLAR_TRY_ASSIGN(present, find_present(key));
    if (!present) return std::nullopt;
  }
  if (present->deadline_ms == deadline_ms) return deadline_ms;  // Nothing to commit.
  const engine::Operation put{
      .key = key, .value = present->value.view(), .deadline_ms = deadline_ms};
  RowOperations rows({&put, 1}, commit, settings_.large_value_bytes);
  ASHLAR_TRY(make_room_locked(rows.rows()));
  if (commit != nullptr && !announced_locked(*commit, [&] { return commit->append_as(put); })) {
    return std::unexpected(refused_by_log());
  }
  insert_all(rows, commit);
  return present->deadline_ms;
}

Result<void> DiskEngine::apply_locked(RowOperations& operations, engine::Commit* commit) {
  ASHLAR_TRY(make_room_locked(operations.rows()));
  if (commit != nullptr && !announced_locked(*commit, [&] { return commit->append(); })) {
    return std::unexpected(refused_by_log());
  }
  insert_all(operations, commit);
  return {};
}

Result<void> DiskEngine::make_room_locked(std::span<const engine::Operation> operations) {
  Result<void> room = reserve_locked(operations);
  if (!room) count_up(refused_count_, 1);
  return room;
}

void DiskEngine::insert_all(RowOperations& rows, const engine::Commit* commit) noexcept {
  const std::uint64_t erase_count = insert_rows(rows, commit);
  count_up(put_count_, rows.rows().size() - erase_count);
  count_up(erase_count_, erase_count);
}

/// Makes rows of what is in the log by now, when there is one. Returns how many are erases.
std::uint64_t DiskEngine::insert_rows(RowOperations& rows, const engine::Commit* commit) noexcept {
  if (commit != nullptr) rows.place(*commit);
  active_->add_apart(rows.apart_bytes());
  const std::span<const engine::Operation> operations = rows.rows();
  const Sequence sequence = visible_.load(std::memory_order_relaxed) + 1;
  Memtable& memtable = **active_;
  std::array<std::uint64_t, kPrefetchDistance> hashes;
  const auto begin_insert = [&](std::size_t i) {
    hashes[i % kPrefetchDistance] = hash_of(operations[i].key);
    memtable.prefetch(hashes[i % kPrefetchDistance]);
  };
  const std::size_t count = operations.size();
  for (std::size_t i = 0; i < std::min(count, kPrefetchDistance); ++i) begin_insert(i);
  std::uint64_t erase_count = 0;
  for (std::size_t i = 0; i < count; ++i) {
    memtable.insert(operations[i], hashes[i % kPrefetchDistance], sequence);
    if (i + kPrefetchDistance < count) begin_insert(i + kPrefetchDistance);
    if (operations[i].kind == engine::OperationKind::kErase) ++erase_count;
    if (operations[i].deadline_ms != engine::kNever) note_deadline(operations[i].deadline_ms);
  }
  // Release: partner of the acquire in `visible`; all of the commit is there for who sees it (C1).
  visible_.store(sequence, std::memory_order_release);
  return erase_count;
}

bool DiskEngine::is_full_locked() const noexcept {
  return (*active_)->bytes() >= settings_.memtable_bytes ||
         active_->apart_bytes() >= settings_.memtable_apart_bytes;
}

/// Takes the memory that `operations` need, in a fresh memtable where the one at hand is full or
/// has no addresses for them. When the budget is used up the cache gives way.
Result<void> DiskEngine::reserve_locked(std::span<const engine::Operation> operations) {
  if (is_full_locked()) {
    ASHLAR_TRY(upkeep_->wait_for_level0());
    ASHLAR_TRY(rotate_locked());
  }
  Result<void> reserved = (*active_)->reserve(operations);
  if (reserved) [[likely]]
    return reserved;
  if ((*active_)->row_count() > 0) ASHLAR_TRY(rotate_locked());
  reserved = (*active_)->reserve(operations);
  while (!reserved && upkeep_->shrink_cache()) reserved = (*active_)->reserve(operations);
  if (reserved) return reserved;
  // What has been flushed gives its memory back, unless a snapshot holds it.
  ASHLAR_TRY(upkeep_->flush_all());
  return reserve_behind_readers_locked(operations);
}

/// Readers keep what they could see until they are done. That takes long for one whose block comes
/// from the disk, or that was interrupted: no reason to refuse a write.
Result<void> DiskEngine::reserve_behind_readers_locked(
    std::span<const engine::Operation> operations) {
  domain_.collect();
  Memtable& memtable = **active_;
  return wait_for_memory(
      domain_, [&] { return memtable.reserve(operations); },
      [&] { return domain_.retired_count() > 0; });
}

Result<void> DiskEngine::rotate_locked() {
  ASHLAR_TRY(upkeep_->wait_for_room());
  // Nobody appends to the log but under this mutex. What is replayed from it stays in it.
  const engine::LogPlace end = log_ != nullptr ? log_->end() : catalog_->flushed_place();
  ASHLAR_TRY_ASSIGN(MemtableRef next, make_memtable(end.position));
  active_->end = end;
  if (log_ != nullptr) active_->end_values_at(end);
  ASHLAR_ASSERT(active_.get() == catalog_->states().hold()->active.get(),
                "the memtable that is written to is that of the current state");
  catalog_->states().change([&](State& state) { state.rotate(next); });
  (*active_)->give_back_unused();
  active_ = std::move(next);
  upkeep_->wake();
  return {};
}

}  // namespace ashlar::lsm
