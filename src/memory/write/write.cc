// Writes: everything that can fail is done first, then the buckets are locked, then nothing fails.
//
//     start          hashes; which operations come to an erase
//     prepare        room in the queues, new records, notes        no bucket is held
//     lock_all       every bucket of the list, ascending           others wait from here
//     install_all    find, reserve, draw the sequence, append to the log; then swap the slots
//     unlock_all     readers see all of it (C1)                    to here
//     finish         free what was replaced, tell index and background
//
// What `install_all` finds to be other than `prepare` took it for, be it a snapshot or a scan that
// began meanwhile, makes it decline: the run gives back what it prepared and starts over knowing
// that. Each kind of surprise comes once a run, since what is known is not forgotten. Only a want
// of memory may come again, and each time the evictor has removed a key.

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/hints.h"
#include "memory/write/write_run.h"

namespace ashlar::memory {
namespace {

// A list up to this many operations is applied without an allocation for the list itself.
constexpr std::size_t kPendingInline = 16;

}  // namespace

/// A put whose deadline has passed already comes to an erase: the key is never seen with it (T1).
/// Not where its end is still to be told: then the background reclaims it as any other.
/// Buckets are asked for here, so that they are on their way while the records are filled.
void WriteRun::start(std::span<const engine::Operation> operations) noexcept {
  for (std::size_t i = 0; i < list_.size(); ++i) {
    const engine::Operation& operation = operations[i];
    list_[i].operation = &operation;
    list_[i].index = i;
    list_[i].hash = engine_.hash_of(operation.key);
    list_[i].is_erase = operation.kind == engine::OperationKind::kErase ||
                        (operation.deadline_ms != engine::kNever && engine_.reclaims_ == nullptr &&
                         engine_.clock_.is_past(operation.deadline_ms));
    base::prefetch_for_write(&table_.root_of(list_[i].hash));
  }
  // Guesses for `prepare`, made without a lock; `install_all` asks again under the locks.
  keeps_versions_ = engine_.versions_.newest_live() != 0;
  makes_notes_ = engine_.ordered_.era() != 0;
}

/// Gets all memory that the run may need. Returns false when there is none and nothing to evict.
bool WriteRun::prepare() {
  while (!reserve_queues()) {
    if (!engine_.make_room(local_)) return false;
  }
  return std::ranges::all_of(list_, [this](Pending& pending) { return prepare_one(pending); });
}

/// Room for what `install` pushes, which must not fail then (Q1): two words a deadline, and one a
/// version that may be kept or a key that may be new. May throw bad_alloc, with no record made.
bool WriteRun::reserve_queues() {
  std::size_t expiring_count = 0;
  for (const Pending& pending : list_) {
    if (!pending.is_erase && pending.operation->deadline_ms != engine::kNever) ++expiring_count;
  }
  if (expiring_count != 0 && !local_.expiry_inbox.reserve(2 * expiring_count)) return false;
  if (keeps_versions_ && !local_.garbage.reserve(list_.size())) return false;
  return !engine_.parts_.evictor || local_.admissions.reserve(list_.size());
}

/// Makes the version to install. While a snapshot is held it has a place for a link, needed or not,
/// and an erase gets a tombstone to hang the older versions on.
bool WriteRun::prepare_one(Pending& pending) {
  const engine::Operation& operation = *pending.operation;
  if (makes_notes_ && !pending.is_erase) {
    do {
      pending.note = engine_.ordered_.make_note(local_, operation.key, pending.hash);
    } while (pending.note == nullptr && engine_.make_room(local_));
    if (pending.note == nullptr) return false;
  }
  if (pending.is_erase && !keeps_versions_) return true;
  std::uint64_t flags = keeps_versions_ ? Shape::kHasPrevious : 0;
  if (pending.is_erase) flags |= Shape::kIsTombstone;
  if (!pending.is_erase && operation.deadline_ms != engine::kNever) flags |= Shape::kHasDeadline;
  const std::string_view value = pending.is_erase ? std::string_view() : operation.value;
  const Shape shape = Shape::of(operation.key.size(), value.size(), flags);
  pending.record = Record(engine_.allocate(local_, shape.record_bytes()));
  if (!pending.record) return false;
  pending.record.fill(shape, operation.key, value, operation.deadline_ms);
  return true;
}

/// Frees what was not installed. What was is no longer in `record` and `note`.
void WriteRun::discard_prepared() noexcept {
  for (Pending& pending : list_) {
    if (pending.record) engine_.free_record(local_, std::exchange(pending.record, Record()));
    if (pending.note != nullptr) {
      engine_.ordered_.discard(local_, std::exchange(pending.note, nullptr));
    }
  }
}

/// Comes to an end: each failed try means that a split or merge has ended meanwhile, and those are
/// bounded by what writers have reported.
void WriteRun::lock_all() noexcept {
  if (list_.size() == 1) {
    list_[0].root = &table_.lock(list_[0].hash);
    return;
  }
  while (!try_lock_all()) {
  }
}

/// Locks every bucket of the list once, in ascending order. Returns false, with nothing locked,
/// when the index changed under it.
bool WriteRun::try_lock_all() noexcept {
  for (Pending& pending : list_) pending.root = &table_.root_of(pending.hash);
  // Ascending, so that two lists never wait for each other. Within a bucket operations of one key
  // lie side by side, in the order of the list: `find_all` sees by that which one is the last.
  std::ranges::sort(list_, [](const Pending& left, const Pending& right) {
    if (left.root != right.root) return left.root < right.root;
    if (left.hash != right.hash) return left.hash < right.hash;
    const int order = left.operation->key.compare(right.operation->key);
    return order != 0 ? order < 0 : left.index < right.index;
  });
  for (std::size_t i = 0; i < list_.size(); ++i) {
    const bool is_held = i > 0 && list_[i - 1].root == list_[i].root;
    const bool belongs = is_held ? &table_.root_of(list_[i].hash) == list_[i].root
                                 : table_.lock_root(*list_[i].root, list_[i].hash);
    if (belongs) continue;
    // The key has moved to a bucket that may lie below one already held: all are let go, and the
    // list is sorted anew.
    Bucket* last = nullptr;
    const std::size_t held_end = is_held ? i + 1 : i;
    for (std::size_t j = 0; j < held_end; ++j) {
      if (list_[j].root != last) HashTable::unlock_unchanged(*list_[j].root);
      last = list_[j].root;
    }
    return false;
  }
  return true;
}

void WriteRun::unlock_all(bool has_changed) noexcept {
  const Bucket* last = nullptr;
  for (const Pending& pending : list_) {
    if (pending.root == last) continue;
    last = pending.root;
    if (has_changed) {
      HashTable::unlock_changed(*pending.root);
    } else {
      HashTable::unlock_unchanged(*pending.root);
    }
  }
}

/// Finds every key, under the locks. In a list the records are asked for first, all at once, so
/// that the finding does not wait for them one after the other.
void WriteRun::find_all() noexcept {
  if (list_.size() > 1) {
    for (const Pending& pending : list_) {
      const unsigned found = match_tag(*pending.root, tag_of(pending.hash));
      if (found == 0) continue;
      const SlotPlace place{.bucket = pending.root,
                            .index = static_cast<unsigned>(std::countr_zero(found))};
      base::prefetch(place.record().address());
    }
  }
  for (std::size_t i = 0; i < list_.size(); ++i) {
    Pending& pending = list_[i];
    const std::string_view key = pending.operation->key;
    pending.is_superseded = i + 1 < list_.size() && list_[i + 1].hash == pending.hash &&
                            list_[i + 1].operation->key == key;
    pending.place = table_.find_locked(*pending.root, tag_of(pending.hash), key);
  }
}

/// Whether each key that is new can be noted (S2), should somebody be scanning.
bool WriteRun::has_notes_for(std::uint32_t era) const noexcept {
  return era == 0 || std::ranges::all_of(list_, [](const Pending& pending) {
           return pending.is_erase || pending.place || pending.note != nullptr;
         });
}

/// How many overflow buckets the new keys need at most.
std::size_t WriteRun::overflow_need() const noexcept {
  std::size_t need = 0;
  for (std::size_t begin = 0; begin < list_.size();) {
    std::size_t end = begin;
    std::size_t added = 0;
    bool has_erase = false;
    for (; end < list_.size() && list_[end].root == list_[begin].root; ++end) {
      const Pending& pending = list_[end];
      if (!pending.is_superseded && !pending.is_erase && !pending.place) ++added;
      has_erase = has_erase || pending.is_erase;
    }
    // An erase may take the last bucket of the chain away, and the room in it.
    const bool has_room = added != 0 && !has_erase;
    const std::size_t room = has_room ? table_.room_locked(*list_[begin].root) : 0;
    if (added > room) need += (added - room + kSlotsPerBucket - 1) / kSlotsPerBucket;
    begin = end;
  }
  return need;
}

/// Whether every version that a snapshot still needs can be linked to.
bool WriteRun::has_versions_for(Sequence newest) const noexcept {
  return newest == 0 || keeps_versions_;
}

/// Everything from the finding to the last swap, with all buckets of the list held. Until `append`
/// has said yes nothing is changed that cannot be left as it is: a note for a key that does not
/// come after all only puts a key into the tree that a scan will not find a row for.
WriteRun::Outcome WriteRun::install_all() noexcept {
  find_all();
  const std::uint32_t era = engine_.ordered_.era();
  if (!has_notes_for(era)) {
    makes_notes_ = true;
    return Outcome::kAgain;
  }
  overflow_count_ = overflow_need();
  if (overflow_count_ != 0 && !table_.overflow().reserve(overflow_count_)) {
    return Outcome::kNoMemory;
  }
  for (Pending& pending : list_) {
    if (era == 0 || pending.note == nullptr || pending.place || pending.is_superseded) continue;
    engine_.ordered_.note_added(std::exchange(pending.note, nullptr), era);  // S2
    ++local_.unreported_node_count;
  }
  // In this order, and after the locks: a snapshot taken before the first line is older than the
  // stamp and shows in the second (V1); a later one sees this commit, and waits for the locks.
  stamp_ = engine_.draw_stamp(commit_);
  newest_live_ = engine_.versions_.newest_live();
  const bool has_versions = has_versions_for(newest_live_);
  if (!has_versions || (commit_ != nullptr && !commit_->append())) {
    if (overflow_count_ != 0) table_.overflow().unreserve(overflow_count_);
    keeps_versions_ = keeps_versions_ || !has_versions;
    return has_versions ? Outcome::kRefused : Outcome::kAgain;
  }
  // From here on nothing fails.
  const Bucket* shifted = nullptr;  // A root in which an erase has moved slots.
  for (Pending& pending : list_) {
    if (pending.is_superseded) continue;
    if (pending.root == shifted) {
      pending.place =
          table_.find_locked(*pending.root, tag_of(pending.hash), pending.operation->key);
    }
    install(pending);
    if (pending.is_erase) shifted = pending.root;
  }
  // The need was counted at most; what no chain has taken goes back.
  if (overflow_count_ != 0) table_.overflow().unreserve(overflow_count_);
  return Outcome::kDone;
}

/// Puts one operation into effect. What is counted as found is what a reader would have seen: no
/// tombstone and no key that has expired and is waiting to be reclaimed.
void WriteRun::install(Pending& pending) noexcept {
  ASHLAR_DEBUG_ASSERT(!pending.is_superseded, "C1: of the operations on a key the last one counts");
  if (pending.place) {
    pending.old = pending.place.record();
    const Shape shape = pending.old.shape();
    const bool is_there = !shape.is_tombstone() &&
                          !engine_.is_expired(pending.old.deadline_ms(shape), engine::kLatest);
    if (is_there) ++found_count_;
  }
  if (pending.record) pending.record.set_stamp(pending.record.shape(), stamp_);
  if (pending.is_erase) {
    install_erase(pending);
  } else {
    install_put(pending);
  }
}

/// Decides what becomes of the version that is being replaced, and of those behind it. Returns true
/// when any of them must stay reachable.
bool WriteRun::link_older(Pending& pending) noexcept {
  const Shape shape = pending.old.shape();
  const Sequence written = pending.old.stamp(shape);
  ASHLAR_ASSERT(written <= stamp_, "R2: a version is no older than the one it replaces");
  const bool keeps_old = written < stamp_ && newest_live_ >= written;
  const Record older = pending.old.previous(shape);
  const bool keeps_older = newest_live_ != 0 && older;
  pending.frees_old = !keeps_old;
  pending.frees_chain = !keeps_old && !keeps_older;
  if (!keeps_old && !keeps_older) return false;
  // Of the two, the nearest that stays; `old` itself still leads to `older` (R2).
  pending.record.set_previous(pending.record.shape(), keeps_old ? pending.old : older);
  // What was kept before has its entry among the garbage already.
  if (keeps_old) engine_.keep_version(local_, pending.hash);
  return true;
}

/// The old version is still asked for its schedule, its deadline and its heat: it is freed by
/// `finish`, when the locks are gone.
void WriteRun::install_put(Pending& pending) noexcept {
  const Record record = std::exchange(pending.record, Record());
  const Shape shape = record.shape();
  const TimeMs deadline_ms = record.deadline_ms(shape);
  if (deadline_ms != engine::kNever) {
    const std::uint64_t scheduled =
        pending.old ? pending.old.scheduled_tick(pending.old.shape()) : 0;
    engine_.schedule(local_, pending.hash, record, scheduled);
    earliest_deadline_ms_ = std::min(earliest_deadline_ms_, deadline_ms);
  }
  MemoryEngine::count_change(local_, pending.old, record);
  local_.counters.puts.add(1);
  engine_.admit(local_, pending.hash, pending.old, record);
  if (pending.old) {
    pending.record = record;
    link_older(pending);
    pending.record = Record();
    pending.place.set(slot_of(record, pending.hash));
    return;
  }
  const bool takes_overflow = !table_.has_room_locked(*pending.root);
  table_.insert_locked(*pending.root, slot_of(record, pending.hash));
  if (takes_overflow) {
    ASHLAR_ASSERT(overflow_count_ > 0, "a run takes no more buckets than it has reserved");
    --overflow_count_;
  }
  ++added_slot_count_;
}

/// An erase removes the slot, unless a snapshot needs what it leads to: then the tombstone takes
/// the place of the version, and the background removes both one day.
void WriteRun::install_erase(Pending& pending) noexcept {
  if (!pending.old) return;
  const Shape old_shape = pending.old.shape();
  if (old_shape.is_tombstone()) {
    pending.old = Record();  // It stands for the same absence.
    return;
  }
  if (pending.operation->kind == engine::OperationKind::kErase) local_.counters.erases.add(1);
  MemoryEngine::count_change(local_, pending.old, Record());
  if (link_older(pending)) {
    pending.place.set(slot_of(std::exchange(pending.record, Record()), pending.hash));
    return;
  }
  table_.erase_locked(*pending.root, pending.place);
  --added_slot_count_;
  // S2: after the slot is gone, while the bucket is held.
  engine_.ordered_.note_removed(local_, pending.operation->key, pending.hash);
}

/// What need not be done under the locks. Old versions are freed here: whoever still reads one
/// finds its bucket changed.
void WriteRun::finish() noexcept {
  for (const Pending& pending : list_) {
    if (pending.frees_chain) {
      engine_.free_chain(local_, pending.old);
    } else if (pending.frees_old) {
      engine_.free_record(local_, pending.old);
    }
  }
  engine_.report_slots(local_, added_slot_count_);
  engine_.report_notes(local_);
  engine_.wake_by(earliest_deadline_ms_);
}

Result<std::size_t> MemoryEngine::apply(std::span<const engine::Operation> operations,
                                        engine::Commit* commit) {
  const Locals::Hold local(locals_);
  if (operations.size() == 1) {
    if (const auto found_count = try_plain(*local, operations.front(), commit)) [[likely]]
      return *found_count;
  }
  return apply_list(*local, operations, commit);
}

/// The list of pending operations lies on the stack when it is short.
Result<std::size_t> MemoryEngine::apply_list(Local& local,
                                             std::span<const engine::Operation> operations,
                                             engine::Commit* commit) {
  if (operations.empty()) return 0;
  std::array<Pending, kPendingInline> few;
  std::vector<Pending> many;
  std::span<Pending> list(few);
  if (operations.size() > few.size()) {
    many.resize(operations.size());
    list = many;
  }
  return WriteRun(*this, local, list.first(operations.size()), commit).run(operations);
}

/// Memory for a record, evicting for it if that is the policy. Null when the budget is used up. No
/// bucket may be held: eviction takes some.
char* MemoryEngine::allocate(Local& local, std::size_t bytes) {
  while (true) {
    char* const memory = parts_.records->allocate(local.records, bytes);
    if (memory != nullptr) [[likely]]
      return memory;
    if (!make_room(local)) return nullptr;
  }
}

/// Frees a version and all behind it, which no slot leads to any more.
void MemoryEngine::free_chain(Local& local, Record newest) noexcept {
  while (newest) {
    const Record older = newest.previous(newest.shape());
    free_record(local, newest);
    newest = older;
  }
}

/// Counts keys: `old` gives way to `now`; either may be null.
void MemoryEngine::count_change(Local& local, Record old, Record now) noexcept {
  const auto count = [&](Record record, std::int64_t by) {
    if (!record || record.shape().is_tombstone()) return;
    local.counters.keys.add(by);
    if (record.deadline_ms(record.shape()) != engine::kNever) local.counters.expiring_keys.add(by);
  };
  count(old, -1);
  count(now, 1);
}

Error MemoryEngine::refused_by_log() noexcept {
  return Error::of_literal(ErrorCode::kBusy, "the log does not take the commit now");
}

Error MemoryEngine::refuse(Local& local) const {
  local.counters.refused.add(1);
  return {
      ErrorCode::kOutOfSpace,
      "the memory budget of " + std::to_string(parts_.budget->limit_bytes()) + " bytes is used up"};
}

}  // namespace ashlar::memory
