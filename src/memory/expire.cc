// Changing the deadline of a key, which is a commit of its own with the value left as it is.
//
//     no place for a deadline       a new record with one: the key would have to move (R1)
//     a snapshot sees the version   a new record, with the old one behind it
//     neither                       eight bytes of the record, in place

#include "base/assert.h"
#include "memory/engine_core.h"

namespace ashlar::memory {

/// Gives the version at its place the deadline, in place where no snapshot can tell, else as a new
/// version. The bucket is locked and the queues have room. Memory comes before the log, and the log
/// before all changes, so whatever refuses leaves everything as it was.
MemoryEngine::Changed MemoryEngine::set_deadline_locked(Local& local,
                                                        const DeadlineChange& change) noexcept {
  const std::uint64_t hash = change.hash;
  const SlotPlace place = change.place;
  const TimeMs deadline_ms = change.deadline_ms;
  // In this order, as in every write: see src/memory/versions.h.
  const Sequence stamp = draw_stamp(change.commit);
  const Sequence newest_live = versions_.newest_live();
  const Record old = place.record();
  const Shape old_shape = old.shape();
  const Sequence written = old.stamp(old_shape);
  ASHLAR_ASSERT(written <= stamp, "R2: a version is no older than the one it replaces");
  ASHLAR_ASSERT(!old_shape.is_tombstone(), "only a key that is there gets a deadline");
  const Record older = old.previous(old_shape);
  const std::uint64_t scheduled = old.scheduled_tick(old_shape);
  const bool keeps_old = written < stamp && newest_live >= written;

  if (old_shape.has_deadline() && !keeps_old) {
    if (!change.append()) return Changed::kRefused;
    // Counted out with the old deadline and in with the new one: it may gain or lose it.
    count_change(local, old, Record());
    old.set_deadline_ms(old_shape, deadline_ms);
    count_change(local, Record(), old);
    if (deadline_ms != engine::kNever) schedule(local, hash, old, scheduled);
    return Changed::kYes;
  }
  // With no snapshot at all the versions behind go too; with one, the background looks which do.
  const bool keeps_older = newest_live != 0 && older;
  const Shape shape =
      Shape::of(old_shape.key_bytes(), old_shape.value_bytes(),
                Shape::kHasDeadline | (keeps_old || keeps_older ? Shape::kHasPrevious : 0));
  const Record now(parts_.records->allocate(local.records, shape.record_bytes()));
  if (!now) return Changed::kNoMemory;
  if (!change.append()) {
    parts_.records->free(local.records, now.address(), shape.record_bytes());
    return Changed::kRefused;
  }
  now.fill(shape, old.key(old_shape), old.value(old_shape), deadline_ms);
  now.set_stamp(shape, stamp);
  if (deadline_ms != engine::kNever) schedule(local, hash, now, scheduled);
  count_change(local, old, now);
  admit(local, hash, old, now);
  place.set(slot_of(now, hash));
  if (keeps_old || keeps_older) {
    now.set_previous(shape, keeps_old ? old : older);
    if (keeps_old) keep_version(local, hash);
    if (!keeps_old) free_record(local, old);
  } else {
    free_chain(local, old);
  }
  return Changed::kYes;
}

/// Finds `key` and makes the change, unless it is absent; `before_ms` is then what it had.
MemoryEngine::Changed MemoryEngine::change_deadline(Local& local, std::string_view key,
                                                    DeadlineChange change,
                                                    TimeMs& before_ms) noexcept {
  Bucket& root = parts_.table->lock(change.hash);
  change.place = parts_.table->find_locked(root, tag_of(change.hash), key);
  Changed changed = Changed::kAbsent;
  if (change.place) {
    const Record record = change.place.record();
    const Shape shape = record.shape();
    before_ms = record.deadline_ms(shape);
    if (!shape.is_tombstone() && !is_expired(before_ms, engine::kLatest)) {
      changed =
          before_ms == change.deadline_ms ? Changed::kYes : set_deadline_locked(local, change);
    }
  }
  // Whatever came of it: a reader who was here meanwhile tries once more at most.
  HashTable::unlock_changed(root);
  return changed;
}

Result<std::optional<TimeMs>> MemoryEngine::expire(std::string_view key, TimeMs deadline_ms,
                                                   engine::Commit* commit) {
  const Locals::Hold local(locals_);
  const std::uint64_t hash = hash_of(key);
  while (true) {
    const bool has_queues = local->expiry_inbox.reserve(2) && local->garbage.reserve(1) &&
                            (!parts_.evictor || local->admissions.reserve(1));
    // Before the bucket is locked, since evicting for it takes buckets of its own.
    if (!has_queues) {
      if (!make_room(*local)) return std::unexpected(refuse(*local));
      continue;
    }

    TimeMs before_ms = engine::kNever;
    const Changed changed = change_deadline(
        *local, key, {.hash = hash, .deadline_ms = deadline_ms, .commit = commit}, before_ms);

    // Of the answers only a want of memory leads to another turn, after room was made for it.
    if (changed == Changed::kAbsent) return std::nullopt;
    if (changed == Changed::kRefused) return std::unexpected(refused_by_log());
    if (changed == Changed::kYes) {
      wake_by(deadline_ms);
      return before_ms;
    }
    if (!make_room(*local)) return std::unexpected(refuse(*local));
  }
}

}  // namespace ashlar::memory
