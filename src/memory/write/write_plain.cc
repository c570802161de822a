// The plain case of a write: one small key without a deadline, while nobody holds a snapshot or
// scans. Most writes are of this kind; what is not goes through a WriteRun (write.cc).
//
// One bucket, so C1 needs no more than its lock. Each function looks at all that could make the
// write of another kind before it changes anything, asks the log last, and then cannot fail. It
// may decline at any step before: then the WriteRun does it all, and asks the log a second time.

#include "base/assert.h"
#include "memory/engine_core.h"

namespace ashlar::memory {
namespace {

// Readers of a bucket wait while a record of it is overwritten: about 0.1 us for so many bytes.
constexpr std::size_t kPlainBytesMax = 1024;

}  // namespace

/// Applies `operation` if it is of the plain kind. Returns how many keys it found, or nullopt with
/// nothing changed.
[[gnu::flatten]] std::optional<std::size_t> MemoryEngine::try_plain(
    Local& local, const engine::Operation& operation, engine::Commit* commit) noexcept {
  const PlainWrite write{.operation = operation, .commit = commit, .hash = hash_of(operation.key)};
  if (operation.kind == engine::OperationKind::kErase) return try_erase_plain(local, write);
  if (operation.deadline_ms != engine::kNever) return std::nullopt;
  return try_put_plain(local, write);
}

/// A record is made under the lock here, unlike in a WriteRun: most puts overwrite and need none.
std::optional<std::size_t> MemoryEngine::try_put_plain(Local& local, PlainWrite write) noexcept {
  HashTable& table = *parts_.table;
  const std::string_view key = write.operation.key;
  write.shape = Shape::of(key.size(), write.operation.value.size(), 0);
  if (write.shape.record_bytes() > kPlainBytesMax) return std::nullopt;

  Bucket& root = table.lock(write.hash);
  const SlotPlace place = table.find_locked(root, tag_of(write.hash), key);
  const bool is_done =
      place ? try_overwrite_locked(write, place) : try_insert_locked(local, write, root);
  if (!is_done) {
    HashTable::unlock_unchanged(root);
    return std::nullopt;
  }
  HashTable::unlock_changed(root);
  local.counters.puts.add(1);
  if (place) return 1;
  local.counters.keys.add(1);
  report_slots(local, 1);
  return 0;
}

/// Writes over the value where it lies. Key, size class and address stay (R1), and with them the
/// slot and the heat of the record.
bool MemoryEngine::try_overwrite_locked(const PlainWrite& write, SlotPlace place) noexcept {
  const Record record = place.record();
  const Shape old_shape = record.shape();
  const std::size_t bytes = write.shape.record_bytes();
  const std::size_t old_bytes = old_shape.record_bytes();
  // The compare of bytes spares most writes the working out of two classes.
  const bool has_size = bytes == old_bytes || (old_bytes <= kPlainBytesMax &&
                                               size_class_of(bytes) == size_class_of(old_bytes));
  if (!old_shape.is_plain() || !has_size) return false;
  // In this order: whoever takes a snapshot in between sees this write (src/memory/versions.h).
  const Sequence stamp = draw_stamp(write.commit);
  if (versions_.newest_live() != 0 || !write.append()) return false;
  ASHLAR_DEBUG_ASSERT(record.stamp(old_shape) <= stamp, "R2: stamps do not fall");
  record.overwrite(write.shape, write.operation.value, stamp);
  touch(record);
  return true;
}

/// Adds a key with memory at hand. Scans and the evictor would have to be told of it: then it is
/// not plain.
bool MemoryEngine::try_insert_locked(Local& local, const PlainWrite& write, Bucket& root) noexcept {
  if (parts_.evictor || ordered_.era() != 0) return false;
  const Sequence stamp = draw_stamp(write.commit);
  if (versions_.newest_live() != 0) return false;
  // As a rule from the thread's magazine, else under locks that come after the buckets. There is no
  // evictor to ask here, and a full budget is for the general path to report.
  const Record record(parts_.records->allocate(local.records, write.shape.record_bytes()));
  if (!record) return false;
  const bool takes_overflow = !parts_.table->has_room_locked(root);
  const bool has_room = !takes_overflow || parts_.table->overflow().reserve(1);
  if (!has_room || !write.append()) {
    if (has_room && takes_overflow) parts_.table->overflow().unreserve(1);
    parts_.records->free(local.records, record.address(), write.shape.record_bytes());
    return false;
  }
  // Filled whole before the slot leads to it: a reader sees no record half made.
  record.fill(write.shape, write.operation.key, write.operation.value, engine::kNever);
  record.set_stamp(write.shape, stamp);
  parts_.table->insert_locked(root, slot_of(record, write.hash));
  return true;
}

/// An absent key is no business of snapshots, scans or the log: the answer is 0 whatever they do.
std::optional<std::size_t> MemoryEngine::try_erase_plain(Local& local,
                                                         const PlainWrite& write) noexcept {
  HashTable& table = *parts_.table;
  Bucket& root = table.lock(write.hash);
  const SlotPlace place = table.find_locked(root, tag_of(write.hash), write.operation.key);
  if (!place) {
    HashTable::unlock_unchanged(root);
    return 0;
  }
  const Record record = place.record();
  bool is_plain = record.shape().is_plain() && ordered_.era() == 0;
  if (is_plain) {
    draw_stamp(write.commit);
    is_plain = versions_.newest_live() == 0;
  }
  if (!is_plain || !write.append()) {
    HashTable::unlock_unchanged(root);
    return std::nullopt;
  }
  table.erase_locked(root, place);
  HashTable::unlock_changed(root);
  // After the unlock, which readers of the record compare against: they find the head changed.
  free_record(local, record);
  local.counters.erases.add(1);
  local.counters.keys.add(-1);
  report_slots(local, -1);
  return 1;
}

}  // namespace ashlar::memory
