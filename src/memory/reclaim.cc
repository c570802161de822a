// The background: reclaims versions that no snapshot needs and keys past their deadline, and gives
// memory back.
//
//     writers' queues --gather_news--> wheel_, garbage_
//     wheel_   --run_wheel-----> tend, at the tick of a key     removed, or filed again
//     garbage_ --tend_garbage--> tend, after a release          trimmed, or kept for later
//     untold_  --tell_untold---> tend, when the log has room    removed
//
// Where a log is to hear of keys that go at their deadline, it does so with the bucket locked, and
// then the key goes (J6 of src/db/changes/reclaim_teller.h). Room in the log is made with nothing
// locked.
//
// Entries are hashes. They are reasons to look and nothing more: what is done with a key is decided
// by its record, with its bucket locked. So a stale entry does no harm, and an entry that was lost
// for want of memory delays a reclaim and falsifies no read.

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "memory/engine_core.h"

namespace ashlar::memory {
namespace {

// Entries in the wheel beyond twice the expiring keys and this many are taken to be stale.
constexpr std::uint64_t kStaleEntriesMin = 65'536;

// Keys with one hash tag in one bucket that one look deals with; any others wait for the next.
constexpr std::size_t kRecordsPerLook = 16;

// A log that had no room is asked again after so long if none could be made.
constexpr TimeMs kLogRetryMs = 1'000;

}  // namespace

/// Whether a snapshot sees the version that was written and replaced at these sequences. A snapshot
/// taken after the horizon was drawn sees nothing that was replaced before.
bool MemoryEngine::Horizon::is_needed(Sequence written, Sequence replaced) const noexcept {
  if (replaced > current) return true;
  const auto first = std::ranges::lower_bound(live, written);
  return first != live.end() && *first < replaced;
}

/// Takes a key out for good: no snapshot sees any of its versions. The memory goes last, since the
/// note to the ordered side is made from the key in it.
void MemoryEngine::remove_slot_locked(Local& local, Bucket& root, SlotPlace place,
                                      std::uint64_t hash) noexcept {
  const Record record = place.record();
  const Shape shape = record.shape();
  count_change(local, record, Record());
  // S2: the slot goes before the note is left, both with the bucket locked.
  parts_.table->erase_locked(root, place);
  ordered_.note_removed(local, record.key(shape), hash);
  ++local.unreported_node_count;
  // Readers that still hold the address find the head locked or changed.
  free_chain(local, record);
  --local.unreported_slot_count;  // Told to the index once the bucket is unlocked.
}

/// Unlinks and frees the versions behind `newest` that no snapshot needs. Returns true when any
/// were. The bucket is locked; a reader that is on its way along the chain finds that out before it
/// follows a link (`find_version`).
bool MemoryEngine::trim(Local& local, Record newest, const Horizon& horizon) noexcept {
  bool has_changed = false;
  Record newer = newest;
  while (true) {
    const Shape newer_shape = newer.shape();
    const Record version = newer.previous(newer_shape);
    if (!version) return has_changed;
    const Shape shape = version.shape();
    ASHLAR_ASSERT(version.stamp(shape) < newer.stamp(newer_shape), "R2: stamps fall along a chain");
    if (horizon.is_needed(version.stamp(shape), newer.stamp(newer_shape))) {
      newer = version;
      continue;
    }
    newer.set_previous(newer_shape, version.previous(shape));
    free_record(local, version);
    has_changed = true;
  }
}

/// Cleans up behind one key. It remains to be looked at for versions that a snapshot needs, the
/// newest included when that is expired at latest.
MemoryEngine::Tended MemoryEngine::tend_record(Local& local, Bucket& root, SlotPlace place,
                                               std::uint64_t hash, const Horizon& horizon) {
  const Record record = place.record();
  const Shape shape = record.shape();
  trim(local, record, horizon);
  const bool has_older = static_cast<bool>(record.previous(shape));
  const bool is_expired = record.deadline_ms(shape) <= horizon.now_ms;
  if (!shape.is_tombstone() && !is_expired) return has_older ? Tended::kRemains : Tended::kDone;
  // A tombstone has older versions for its one purpose; without any it goes at once.
  const bool is_seen =
      !shape.is_tombstone() && !horizon.live.empty() && horizon.live.back() >= record.stamp(shape);
  if (has_older || is_seen) return Tended::kRemains;
  if (!shape.is_tombstone()) {
    if (is_log_full_ || !may_go(engine::Reclaimed::kExpired, record.key(shape))) {
      return Tended::kUntold;
    }
    local.counters.expired.add(1);
  }
  remove_slot_locked(local, root, place, hash);
  return Tended::kDone;
}

/// Sees to it that the wheel comes back to a key that has a deadline ahead. A key that is past it
/// and still here is needed by a snapshot: it waits among the garbage.
void MemoryEngine::reschedule(std::uint64_t hash, Record record, const Horizon& horizon,
                              Occasion occasion) {
  const Shape shape = record.shape();
  if (!shape.has_deadline() || shape.is_tombstone()) return;
  const std::uint64_t scheduled = record.scheduled_tick(shape) & ~kSweepMark;
  // Another entry of the same key is on its way.
  if (occasion == Occasion::kAtTick && scheduled > wheel_.next_tick()) return;
  const TimeMs deadline_ms = record.deadline_ms(shape);
  const bool is_ahead = deadline_ms != engine::kNever && deadline_ms > horizon.now_ms;
  const std::uint64_t tick = tick_of(deadline_ms);
  const bool is_added = is_ahead && wheel_.add(hash, tick);
  if (is_ahead && !is_added) keep_unfiled(hash);
  record.set_scheduled_tick(shape,
                            is_added ? tick | sweep_mark_.load(std::memory_order_relaxed) : 0);
}

/// Looks at the keys with this hash. Returns true when garbage remains behind any.
bool MemoryEngine::tend(Local& local, std::uint64_t hash, const Horizon& horizon,
                        Occasion occasion) {
  Bucket& root = parts_.table->lock(hash);
  // The records first, and then the place of each anew: removing one moves another slot (H2). An
  // entry is a whole hash, but slots keep only bits of it: every record with the tag is looked at.
  std::array<Record, kRecordsPerLook> records;
  std::size_t count = 0;
  parts_.table->for_each_locked(root, [&](SlotPlace place) {
    if (tag_of_slot(place.slot()) == tag_of(hash) && count < records.size()) {
      records[count++] = place.record();
    }
  });
  bool remains = false;
  bool is_untold = false;
  for (std::size_t i = 0; i < count; ++i) {
    SlotPlace place;
    parts_.table->for_each_locked(root, [&](SlotPlace at) {
      if (at.record() == records[i]) place = at;
    });
    ASHLAR_ASSERT(place, "a record that was not tended yet keeps its slot");
    const std::int64_t slots_before = local.unreported_slot_count;
    const Tended tended = tend_record(local, root, place, hash, horizon);
    remains = remains || tended == Tended::kRemains;
    is_untold = is_untold || tended == Tended::kUntold;
    const bool is_removed = local.unreported_slot_count != slots_before;
    if (!is_removed && occasion != Occasion::kGarbage)
      reschedule(hash, records[i], horizon, occasion);
  }
  HashTable::unlock_changed(root);
  // Only now: the index may split or merge in answer, which no holder of a bucket may ask for.
  const std::int64_t unreported = std::exchange(local.unreported_slot_count, 0);
  report_slots(local, unreported);
  if (is_untold) keep_untold(hash, horizon);
  return remains;
}

/// Takes over what writers have left, holding each of them up for an instant only. The free records
/// they have at hand go back to their pages, or a few of them would keep many pages from emptying.
/// Returns whether there was anything.
bool MemoryEngine::gather_news() {
  // Room for all queues before the first writer is held up: nothing in between may throw.
  std::size_t local_count = 0;
  locals_.for_each([&](const Local&) { ++local_count; });
  std::vector<base::ChunkedQueue> inboxes;
  std::vector<base::ChunkedQueue> garbages;
  inboxes.reserve(local_count);
  garbages.reserve(local_count);
  locals_.visit_held(
      [&](const Local& local) {
        // A thread that has come since the count waits for the next round.
        if (local_count == 0) return false;
        --local_count;
        return local.has_news.load(std::memory_order_relaxed);
      },
      [&](Local& local) {
        ASHLAR_ASSERT(inboxes.size() < inboxes.capacity(), "a visit to a writer allocates nothing");
        inboxes.emplace_back(*parts_.budget).take(local.expiry_inbox);
        garbages.emplace_back(*parts_.budget).take(local.garbage);
        parts_.records->flush(local.records);
        parts_.nodes->flush(local.nodes);
        local.has_news.store(false, std::memory_order_relaxed);
      });
  // An empty wheel turns to the present at once: a log that was replayed begins years behind it.
  base::ChunkedQueue nothing(*parts_.budget);
  const std::uint64_t now_tick = tick_at(clock_.now_ms());
  if (wheel_.count() == 0 && now_tick > 0) wheel_.advance(now_tick - 1, nothing);
  for (base::ChunkedQueue& inbox : inboxes) file_expiries(inbox);
  for (base::ChunkedQueue& garbage : garbages) {
    while (!garbage.empty()) keep_for_later(garbage_, garbage.pop());
  }
  return !inboxes.empty();
}

/// Pairs of hash and tick, as `schedule` has pushed them.
void MemoryEngine::file_expiries(base::ChunkedQueue& inbox) {
  ASHLAR_ASSERT(inbox.count() % 2 == 0, "an inbox holds pairs");
  while (!inbox.empty()) {
    const std::uint64_t hash = inbox.pop();
    const std::uint64_t tick = inbox.pop();
    if (!wheel_.add(hash, tick)) keep_unfiled(hash);
  }
}

/// Remembers a key that the wheel has no memory for. The list lies outside the budget: it is short,
/// and without it a full database would stay full of expired keys.
void MemoryEngine::keep_unfiled(std::uint64_t hash) {
  try {
    unfiled_.push_back(hash);
  } catch (const std::bad_alloc&) {
    // The key is reclaimed when it is next written; reads stay exact.
  }
}

/// Remembers a key that is past its deadline and could not be told of.
void MemoryEngine::keep_untold(std::uint64_t hash, const Horizon& horizon) {
  ASHLAR_ASSERT(reclaims_ != nullptr, "only a log that is to hear of a key keeps it from going");
  if (untold_.empty()) untold_since_ms_ = horizon.now_ms;
  is_log_full_ = true;
  keep_for_later(untold_, hash);
}

/// Tries again what the log did not take, in the order in which it came, as long as it takes any.
void MemoryEngine::tell_untold(Local& local, const Horizon& horizon) {
  const TimeMs since_ms = untold_since_ms_;
  for (std::size_t left = untold_.count(); left > 0 && !is_log_full_; --left) {
    const std::uint64_t hash = untold_.pop();
    if (tend(local, hash, horizon, Occasion::kNearing)) keep_for_later(garbage_, hash);
  }
  if (!untold_.empty()) untold_since_ms_ = since_ms;
}

/// Queues a key for another look after the next release of a snapshot.
void MemoryEngine::keep_for_later(base::ChunkedQueue& queue, std::uint64_t hash) {
  try {
    if (queue.reserve(1)) return queue.push(hash);
  } catch (const std::bad_alloc&) {
    // As without budget.
  }
  keep_unfiled(hash);
}

/// Tends all keys whose tick has come. They come out of the wheel a bucket at a time, and `tend`
/// files those again that are not due: an entry of an upper level comes down on its way to its tick
/// (W1), a key whose deadline was moved gets an entry at the new one.
void MemoryEngine::run_wheel(Local& local, const Horizon& horizon) {
  base::ChunkedQueue due(*parts_.budget);
  std::uint64_t lag_ms = 0;
  while (true) {
    const ExpiryWheel::CameUp came_up = wheel_.advance(tick_at(horizon.now_ms), due);
    if (came_up == ExpiryWheel::CameUp::kNothing) break;
    const bool is_at_tick = came_up == ExpiryWheel::CameUp::kAtTick;
    if (is_at_tick) {
      const auto due_ms = static_cast<TimeMs>(wheel_.next_tick()) * kTickMs;
      lag_ms = std::max(lag_ms,
                        static_cast<std::uint64_t>(std::max<TimeMs>(0, clock_.now_ms() - due_ms)));
    }
    while (!due.empty()) {
      const std::uint64_t hash = due.pop();
      const bool remains =
          tend(local, hash, horizon, is_at_tick ? Occasion::kAtTick : Occasion::kNearing);
      if (remains) keep_for_later(garbage_, hash);
    }
  }
  // What the wheel had no memory for is looked at in each round; `tend` may put it there again.
  const std::vector<std::uint64_t> unfiled = std::exchange(unfiled_, {});
  for (const std::uint64_t hash : unfiled) {
    if (tend(local, hash, horizon, Occasion::kNearing)) keep_for_later(garbage_, hash);
  }
  if (!untold_.empty()) {
    lag_ms = std::max(lag_ms, static_cast<std::uint64_t>(
                                  std::max<TimeMs>(0, clock_.now_ms() - untold_since_ms_)));
  }
  expiry_lag_ms_.store(lag_ms, std::memory_order_relaxed);
  if (lag_ms > expiry_lag_ms_max_.load(std::memory_order_relaxed)) {
    expiry_lag_ms_max_.store(lag_ms, std::memory_order_relaxed);
  }
}

/// Keys that are erased and set again leave entries behind. When those outnumber the keys, every
/// entry is looked at once: one that stands for no key with a deadline, or for one whose mark shows
/// that this sweep has met it before, goes.
void MemoryEngine::sweep_wheel() {
  const auto expiring =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, sum(&Counters::expiring_keys)));
  if (wheel_.count() < 2 * expiring + kStaleEntriesMin) return;
  // A sweep has the mark that the last one had not. Writers stamp it on what they schedule from now
  // on: such an entry is in an inbox and not in the wheel, and must not be filed twice.
  ExpiryWheel kept(*parts_.budget, wheel_.next_tick());
  const std::uint64_t mark = sweep_mark_.load(std::memory_order_relaxed) ^ kSweepMark;
  sweep_mark_.store(mark, std::memory_order_relaxed);
  base::ChunkedQueue entries(*parts_.budget);
  for (std::size_t position = 0; wheel_.take_bucket(position, entries);) {
    while (!entries.empty()) {
      const std::uint64_t hash = entries.pop();
      bool is_filed = true;
      Bucket& root = parts_.table->lock(hash);
      parts_.table->for_each_locked(root, [&](SlotPlace place) {
        const Record record = place.record();
        const Shape shape = record.shape();
        const std::uint64_t scheduled = record.scheduled_tick(shape);
        if (tag_of_slot(place.slot()) != tag_of(hash) || scheduled == 0) return;
        if ((scheduled & kSweepMark) == mark) return;
        const std::uint64_t tick = scheduled & ~kSweepMark;
        is_filed = kept.add(hash, tick) && is_filed;
        record.set_scheduled_tick(shape, tick | mark);
      });
      HashTable::unlock_changed(root);
      if (!is_filed) keep_unfiled(hash);
    }
  }
  std::swap(wheel_, kept);
}

/// Looks at what waits for snapshots to go, when one has gone since the last time, or none is left.
void MemoryEngine::tend_garbage(Local& local, const Horizon& horizon) {
  const std::uint64_t released_count = versions_.released_count();
  if (released_count == tended_release_count_ && !horizon.live.empty()) return;
  tended_release_count_ = released_count;
  // A key that was written under many snapshots has many entries: one look serves them all.
  std::vector<std::uint64_t> hashes;
  hashes.reserve(garbage_.count());
  while (!garbage_.empty()) hashes.push_back(garbage_.pop());
  std::ranges::sort(hashes);
  const auto repeated = std::ranges::unique(hashes);
  hashes.erase(repeated.begin(), repeated.end());
  for (const std::uint64_t hash : hashes) {
    if (tend(local, hash, horizon, Occasion::kGarbage)) keep_for_later(garbage_, hash);
  }
}

/// Whether any thread has something that the background has not taken yet.
bool MemoryEngine::any_news() {
  bool has_news = false;
  locals_.for_each([&](const Local& local) {
    has_news = has_news || local.has_news.load(std::memory_order_seq_cst);
  });
  return has_news;
}

/// When the next round is due, in milliseconds from now; nullopt when nothing is pending: an idle
/// database costs no wake-ups. What waits for a snapshot alone is no reason for a round: its
/// release wakes the background (`release_snapshot`). A round that was busy is followed by one more
/// a tick later: writers that go on until then find it announced, and wake nobody.
std::optional<TimeMs> MemoryEngine::next_maintenance(bool was_busy) {
  pending_expiry_count_.store(wheel_.count() + untold_.count(), std::memory_order_relaxed);
  kept_version_count_.store(garbage_.count(), std::memory_order_relaxed);
  const bool has_news = any_news();
  has_garbage_.store(has_news || !garbage_.empty(), std::memory_order_relaxed);
  const bool is_released = versions_.released_count() != tended_release_count_;
  const bool has_work =
      was_busy || has_news || (is_released && !garbage_.empty()) || !untold_.empty();
  const std::uint64_t due_tick = wheel_.next_due_tick();
  const TimeMs now_ms = clock_.now_ms();
  TimeMs next_ms = engine::kNever;
  if (due_tick != UINT64_MAX) next_ms = static_cast<TimeMs>(due_tick) * kTickMs;
  if (has_work && next_ms > now_ms + kTickMs) next_ms = now_ms + kTickMs;
  next_maintenance_ms_.store(next_ms, std::memory_order_seq_cst);
  // Once more: a writer that came in between compared its moment with the one before (set_news).
  if (!has_news && next_ms > now_ms + kTickMs && any_news()) {
    next_ms = now_ms + kTickMs;
    next_maintenance_ms_.store(next_ms, std::memory_order_relaxed);
  }
  if (next_ms == engine::kNever) return std::nullopt;
  return std::max<TimeMs>(1, next_ms - now_ms);
}

std::optional<TimeMs> MemoryEngine::maintain() {
  // One caller works; others are told to ask again in a tick.
  if (!maintenance_mutex_.try_lock()) return kTickMs;
  std::optional<TimeMs> next_ms = kTickMs;
  try {
    parts_.records->open_ahead();  // First: whoever writes may be about to need it.
    const bool was_busy = gather_news();
    const Locals::Hold local(locals_);
    // In this order: a snapshot that is taken after `current` was read, and so may be missing
    // from `live`, has that sequence at least. It sees nothing that was replaced at or before it.
    Horizon horizon{.now_ms = clock_.now_ms(), .current = versions_.current(), .live = {}};
    horizon.live = versions_.live();
    ASHLAR_ASSERT(std::ranges::is_sorted(horizon.live), "snapshots are listed in ascending order");
    is_log_full_ = false;
    tell_untold(*local, horizon);
    run_wheel(*local, horizon);
    tend_garbage(*local, horizon);
    sweep_wheel();
    ordered_.maintain(*local);
    parts_.records->flush(local->records);
    parts_.nodes->flush(local->nodes);
    next_ms = next_maintenance(was_busy);
  } catch (const std::bad_alloc&) {
    // What has not been done is done the next time.
  }
  const bool is_log_full = is_log_full_;
  maintenance_mutex_.unlock();
  if (!is_log_full) return next_ms;
  // With nothing locked: the log waits for the disk.
  return reclaims_->make_room() ? 1 : kLogRetryMs;
}

}  // namespace ashlar::memory
